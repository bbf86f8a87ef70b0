"""Servers that refuse a round of tool calls unless it comes back exactly as they sent it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.unit.turn.answer_setup import event


@dataclass
class Stream(httpx.AsyncByteStream):
    """A body that is there at once; without an end it breaks off."""

    events: list[dict[str, Any]]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for one in self.events:
            yield event(**one)

    async def aclose(self) -> None:
        """There is nothing to close."""


def streamed(*events: dict[str, Any]) -> httpx.Response:
    return httpx.Response(
        200, headers={"content-type": "text/event-stream"}, stream=Stream(list(events))
    )


def refused(status: int, message: str, **error: Any) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": message, **error}})


REASONING = {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
USAGE = {
    "input_tokens": 30,
    "output_tokens": 10,
    "input_tokens_details": {"cached_tokens": 20},
    "output_tokens_details": {"reasoning_tokens": 7},
}


@dataclass
class StrictResponses:
    """Thinks, says what it does, calls `tools` one a round, then answers. With
    `accepts_rounds` rounds must come back whole; without it their reasoning is not found."""

    tools: tuple[tuple[str, str], ...] = (("shout", '{"word": "hey"}'),)
    accepts_rounds: bool = True
    text: str = "Done."
    requests: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return refused(404, "no such model")
        body = json.loads(request.content)
        self.requests.append(body)
        items = body["input"]
        ran = sum(item.get("type") == "function_call_output" for item in items)
        told = [item for item in items if item.get("type") == "reasoning"]
        if not self.accepts_rounds and told:
            said = f"Item with id '{told[0]['id']}' not found. Items are not persisted"
            return refused(404, said, param="input")
        if self.accepts_rounds and [
            i for n in range(ran) for i in self.items(n)
        ] != _returned_items(items):
            return refused(400, "An item of this response is missing or was changed.")
        return self.answer(ran)

    def items(self, number: int) -> list[dict[str, Any]]:
        """What it sends in one round."""
        name, arguments = self.tools[number]
        said = {"type": "output_text", "text": f"Step {number}.", "annotations": []}
        message = {"type": "message", "id": f"m_{number}", "role": "assistant"}
        message |= {"phase": "commentary"}
        call = {"type": "function_call", "id": f"fc_{number}", "call_id": f"c{number}"}
        return [
            REASONING | {"id": f"rs_{number}"},
            {**message, "content": [said]},
            call | {"name": name, "arguments": arguments, "status": "completed"},
        ]

    def answer(self, number: int) -> httpx.Response:
        last: dict[str, Any] = {"type": "message", "id": "m", "role": "assistant"}
        last |= {"content": [{"type": "output_text", "text": self.text}]}
        items = self.items(number) if number < len(self.tools) else [last]
        end = {"id": f"resp_{number}", "status": "completed", "output": items, "usage": USAGE}
        return streamed(
            {"type": "response.created", "response": {"id": f"resp_{number}", "model": "m1-real"}},
            *(
                {"type": "response.output_item.done", "output_index": n, "item": item}
                for n, item in enumerate(items)
            ),
            {"type": "response.completed", "response": end},
        )


def _returned_items(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items that are neither of the conversation nor from us."""
    return [i for i in items if i.get("type") and i["type"] != "function_call_output"]


@dataclass
class StrictChat:
    """Thinks, says what it does and calls a tool with a signature, then answers."""

    accepts_rounds: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)
    message: dict[str, Any] = field(
        default_factory=lambda: {
            "content": "Let me shout.",
            "reasoning_content": "I must shout.",
            "reasoning_details": [{"type": "r", "index": 0, "text": "I must.", "signature": "R"}],
        }
    )
    extra: dict[str, Any] = field(
        default_factory=lambda: {"extra_content": {"google": {"thought_signature": "S"}}}
    )

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return refused(404, "no such model")
        body = json.loads(request.content)
        self.requests.append(body)
        messages = body["messages"]
        if messages[-1]["role"] != "tool":
            return self._call()
        back = messages[-2]
        if not self.accepts_rounds and back.get("reasoning_content"):
            return refused(400, "property 'reasoning_content' is unsupported")
        if self.accepts_rounds and back != self.expected_message:
            return refused(400, "Function call is missing a thought_signature.")
        return self._chunks({"content": "Done."}, reason="stop")

    @property
    def expected_message(self) -> dict[str, Any]:
        """The message as it has to come back."""
        function = {"name": "shout", "arguments": '{"word": "hey"}'}
        call = {"id": "c0", "type": "function", "function": function, **self.extra}
        return {"role": "assistant", **self.message, "tool_calls": [call]}

    def _call(self) -> httpx.Response:
        name = {"index": 0, "id": "c0", "type": "function", "function": {"name": "shout"}}
        rest = {"index": 0, "function": {"arguments": '{"word": "hey"}'}}
        details = {"type": "r", "index": 0}
        return self._chunks(
            {"reasoning_content": "I must ", "reasoning_details": [details | {"text": "I "}]},
            {"reasoning_content": "shout.", "reasoning_details": [details | {"text": "must."}]},
            {"reasoning_details": [details | {"text": "", "signature": "R"}]},
            {"content": "Let me "},
            {"content": "shout."},
            {"tool_calls": [name | self.extra]},
            {"tool_calls": [rest]},
            reason="tool_calls",
        )

    def _chunks(self, *deltas: dict[str, Any], reason: str) -> httpx.Response:
        chunk = {"id": "chat_1", "model": "m1-real"}
        usage: dict[str, Any] = {
            "prompt_tokens": 30,
            "completion_tokens": 10,
            "prompt_cache_hit_tokens": 20,
        }
        usage |= {"completion_tokens_details": {"reasoning_tokens": 7}}
        end = {"index": 0, "delta": {}, "finish_reason": reason}
        return streamed(
            *(chunk | {"choices": [{"index": 0, "delta": delta}]} for delta in deltas),
            chunk | {"choices": [end], "usage": usage},
        )
