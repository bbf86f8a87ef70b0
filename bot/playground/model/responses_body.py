"""What a `POST /v1/responses` asks for. Pure: a body in, a request or a refusal out."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from bot.playground.model import fields, rounds
from bot.playground.model.conversation import (
    Called,
    Conversation,
    Returned,
    Said,
    Tool,
    Turn,
    spoken,
)
from bot.playground.model.frames import JSON
from bot.playground.model.problems import invalid

LEAST_OUTPUT_TOKENS = 16  # OpenAI's minimum of max_output_tokens
_ROLES = ("assistant", "system", "developer", "user")
_IGNORED_ITEMS = ("reasoning", "item_reference", "web_search_call", "compaction")
_ITEMS = ("message", "function_call", "function_call_output", *_IGNORED_ITEMS)
_TEXTS = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "refusal"}
_ATTACHMENTS = {"input_image": "[image]", "input_file": "[file]", "input_audio": "[audio]"}


@dataclass(frozen=True, slots=True)
class ResponsesRequest:
    """A valid request. `body` is what was sent, for the fields that are echoed."""

    body: JSON
    model: str
    turns: tuple[Turn, ...]
    instructions: str
    tools: tuple[Tool, ...]
    stream: bool
    background: bool
    store: bool
    limit: int | None
    padded: bool
    previous: str
    has_pictures: bool

    def conversation(self, before: tuple[Turn, ...] = ()) -> Conversation:
        """What the model sees; `before` is what a previous response left.

        Raises `ApiError` when a function call and its output do not pair.
        """
        turns = before + self.turns
        call, output = fields.unmatched(turns)
        if output:
            what = f"No tool call found for function call output with call_id {output.call_id}."
            raise invalid(what, "input")
        if call:
            raise invalid(f"No tool output found for function call {call.call_id}.", "input")
        return Conversation(turns, self.instructions, self.tools, self.model)


def read_request(body: JSON) -> ResponsesRequest:
    """The request in the body. Raises `ApiError` as OpenAI refuses it."""
    fields.check_reasoning(fields.options(body, "reasoning"), "reasoning.effort")
    request = ResponsesRequest(
        body=body,
        model=fields.text(body, "model"),
        turns=_input(body),
        instructions=fields.optional_text(body, "instructions"),
        tools=_tools(body),
        stream=fields.flag(body, "stream"),
        background=fields.flag(body, "background"),
        store=fields.flag(body, "store", default=True),
        limit=fields.count(body, "max_output_tokens", LEAST_OUTPUT_TOKENS),
        padded=fields.flag(fields.options(body, "stream_options"), "include_obfuscation", True),
        previous=fields.optional_text(body, "previous_response_id"),
        has_pictures=has_parts(body.get("input"), "input_image"),
    )
    if request.background and not request.store:
        raise invalid(
            "Background sampling requires `store=true`; stateless requests are rejected.",
            "background",
        )
    return request


def output_turns(output: list[JSON]) -> tuple[Turn, ...]:
    """The output items of a finished response as turns of the conversation that goes on."""
    return _turns(output)


def has_parts(messages: object, kind: str) -> bool:
    """Whether any of the messages has a part of this type."""
    listed = messages if isinstance(messages, list) else []
    contents = [one.get("content") for one in listed if isinstance(one, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(isinstance(part, dict) and part.get("type") == kind for part in parts)


def _input(body: JSON) -> tuple[Turn, ...]:
    given = body.get("input")
    if given is None:
        raise fields.missing("input")
    if isinstance(given, str):
        return (spoken(fields.text(body, "input")),)
    if not isinstance(given, list):
        raise invalid(
            "Invalid type for 'input': expected one of a string or array of objects.",
            "input",
            code="invalid_type",
        )
    return _turns(fields.objects(body, "input"))


def _turns(items: list[JSON]) -> tuple[Turn, ...]:
    rounds.check_items(items)
    turns = (_turn(item, f"input[{i}]") for i, item in enumerate(items))
    return tuple(turn for turn in turns if turn is not None)


def _turn(item: JSON, param: str) -> Turn | None:
    kind = fields.one_of(item.get("type") or "message", _ITEMS, f"{param}.type")
    if kind in _IGNORED_ITEMS:
        return None
    if kind == "message":
        return _message(item, param)
    call_id = fields.text(item, "call_id", f"{param}.call_id")
    if kind == "function_call":
        name = fields.text(item, "name", f"{param}.name")
        return Called(call_id, name, fields.text(item, "arguments", f"{param}.arguments"))
    return Returned(call_id, content_text(item, "output", f"{param}.output"))


def _message(item: JSON, param: str) -> Said:
    role = fields.one_of(item.get("role"), _ROLES, f"{param}.role")
    words = content_text(item, "content", f"{param}.content")
    if role == "user":
        return spoken(words)
    return Said("assistant" if role == "assistant" else "system", words)


def content_text(item: JSON, name: str, param: str) -> str:
    """Content as text: a string, or parts; what is no text is named in brackets."""
    if isinstance(item.get(name), str):
        return fields.text(item, name, param)
    if item.get(name) is None:
        raise fields.missing(param)
    parts = fields.objects(item, name, param)
    return "\n".join(_part(part, f"{param}[{i}]") for i, part in enumerate(parts))


def _part(part: JSON, param: str) -> str:
    kind = fields.one_of(part.get("type"), (*_TEXTS, *_ATTACHMENTS), f"{param}.type")
    field = _TEXTS.get(kind)
    if kind == "input_image":
        return pictured(part.get("image_url"), f"{param}.image_url")
    return fields.text(part, field, f"{param}.{field}") if field else _ATTACHMENTS[kind]


def pictured(url: object, param: str) -> str:
    """What is seen of a picture: its type and size. Raises `ApiError` for a broken data URL."""
    head, comma, data = str(url or "").partition(";base64,")
    if not head.startswith("data:image/") or not comma:
        return "[image]"
    try:
        size = len(base64.b64decode(data, validate=True))
    except ValueError:
        raise invalid("Invalid base64 image_url.", param, code="invalid_base64") from None
    return f"[image: {head.removeprefix('data:')}, {size:,} bytes]"


def _tools(body: JSON) -> tuple[Tool, ...]:
    """The functions on offer; tools the server would run itself are taken and not used."""
    offered = fields.objects(body, "tools")
    kinds: list[Any] = [fields.text(t, "type", f"tools[{i}].type") for i, t in enumerate(offered)]
    if body.get("tool_choice") == "none":
        return ()
    return tuple(
        fields.tool(offer, f"tools[{i}]")
        for i, (offer, kind) in enumerate(zip(offered, kinds, strict=True))
        if kind == "function"
    )
