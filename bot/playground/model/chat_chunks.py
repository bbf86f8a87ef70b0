"""A plan as the chunks of a chat completion, or as a whole one (docs/upstream.md#chat-completions).
Pure.

OpenAI has no place for reasoning and searches here, so they are left out. A model that `reasons`
sends its reasoning as `reasoning_content`, as DeepSeek's models do.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from bot.playground.model import rounds
from bot.playground.model.frames import JSON, Frame
from bot.playground.model.pace import Pace
from bot.playground.model.plan import Call, Plan, Refusal, Text, Thought, tokens

_BETWEEN_THOUGHTS = "\n\n"


class ChunkWriter:
    """Writes one streamed completion."""

    def __init__(
        self,
        head: JSON,
        *,
        input_tokens: int,
        pace: Pace,
        usage: bool,
        padded: bool,
        reasons: bool = False,
    ) -> None:
        self._head = {**head, "object": "chat.completion.chunk"}
        self._input_tokens = input_tokens
        self._pace = pace
        self._usage = usage
        self._padded = padded
        self._reasons = reasons
        self._written = 0

    def write(self, plan: Plan) -> Iterator[Frame]:
        """Every chunk, from the role to `[DONE]`; a failure ends it with an error object."""
        yield self._chunk({"role": "assistant", "content": "", "refusal": None})
        wait = self._pace.first()
        for delta, token in _deltas(plan, str(self._head["id"]), reasons=self._reasons):
            if "reasoning_content" not in delta:  # reasoning is no part of the answer
                self._written += len(token)
            yield self._chunk(delta, seconds=wait + self._pace.token(token))
            wait = 0.0
        if plan.failure:
            error = {"type": plan.failure.code, "param": None, "code": plan.failure.code}
            yield self._frame({"error": {"message": plan.failure.message, **error}})
            return
        yield self._chunk({}, finish_reason=finish_reason(plan))
        if self._usage:
            usage = usage_of(self._input_tokens, plan)
            yield self._frame({**self._head, "choices": [], "usage": usage})
        yield Frame(None, 0.0, self._written)

    def _chunk(
        self, delta: JSON, *, seconds: float = 0.0, finish_reason: str | None = None
    ) -> Frame:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        extra: JSON = {"usage": None} if self._usage else {}
        if self._padded:
            extra["obfuscation"] = self._pace.padding(str(delta.get("content") or ""))
        return self._frame({**self._head, "choices": [choice], **extra}, seconds)

    def _frame(self, payload: JSON, seconds: float = 0.0) -> Frame:
        return Frame(payload, seconds, self._written)


def head(completion_id: str, model: str, created: float) -> JSON:
    """The fields every chunk and the whole completion share."""
    return {
        "id": completion_id,
        "object": "chat.completion",
        "created": int(created),
        "model": model,
        "service_tier": "default",
        "system_fingerprint": "fp_playground",
    }


def whole(head: JSON, plan: Plan, input_tokens: int, *, reasons: bool = False) -> JSON:
    """The completion in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": plan.text or None}
    message["refusal"] = "".join(p.text for p in plan.parts if isinstance(p, Refusal)) or None
    thoughts = _thoughts(plan) if reasons else ""
    if thoughts:
        message["reasoning_content"] = thoughts
    calls = [part for part in plan.parts if isinstance(part, Call)]
    if calls:
        ids = _call_ids(str(head["id"]), reasoned=bool(thoughts))
        message["tool_calls"] = [_call(c, next(ids)) for c in calls]
    choice = {"index": 0, "message": message, "logprobs": None}
    choice["finish_reason"] = finish_reason(plan)
    return {**head, "choices": [choice], "usage": usage_of(input_tokens, plan)}


def finish_reason(plan: Plan) -> str:
    """Why it ends: `stop`, `length` or `tool_calls`."""
    if plan.cut_off:
        return "length"
    return "tool_calls" if any(isinstance(part, Call) for part in plan.parts) else "stop"


def usage_of(input_tokens: int, plan: Plan) -> JSON:
    """Usage as Chat Completions has it."""
    output_tokens = sum(len(tokens(part.text)) for part in plan.parts)
    reasoning = sum(len(tokens(part.text)) for part in plan.parts if isinstance(part, Thought))
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
    }


def _deltas(plan: Plan, completion_id: str, *, reasons: bool) -> Iterator[tuple[JSON, str]]:
    ids = _call_ids(completion_id, reasoned=reasons and bool(_thoughts(plan)))
    thoughts = [part for part in plan.parts if isinstance(part, Thought)]
    calls = 0
    for part in plan.parts:
        match part:
            case Text() | Refusal():
                field = "content" if isinstance(part, Text) else "refusal"
                yield from (({field: token}, token) for token in tokens(part.text))
            case Thought() if reasons:
                yield from (({"reasoning_content": token}, token) for token in tokens(part.text))
                if part is not thoughts[-1]:
                    yield {"reasoning_content": _BETWEEN_THOUGHTS}, ""
            case Call():
                yield from _call_deltas(part, calls, next(ids))
                calls += 1


def _call_deltas(call: Call, index: int, call_id: str) -> Iterator[tuple[JSON, str]]:
    opening = _call(Call(call.name, ""), call_id)
    yield {"tool_calls": [{"index": index, **opening}]}, ""
    for token in tokens(call.text):
        yield {"tool_calls": [{"index": index, "function": {"arguments": token}}]}, token


def _thoughts(plan: Plan) -> str:
    return _BETWEEN_THOUGHTS.join(part.text for part in plan.parts if isinstance(part, Thought))


def _call_ids(completion_id: str, *, reasoned: bool) -> Iterator[str]:
    stem = completion_id.rpartition("-")[2]
    return (rounds.call_id(stem, n, 0 if reasoned else None) for n in count())


def _call(call: Call, call_id: str) -> JSON:
    function = {"name": call.name, "arguments": call.text}
    return {"id": call_id, "type": "function", "function": function}
