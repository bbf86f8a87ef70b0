"""What a `POST /v1/chat/completions` asks for. Pure: a body in, a request or a refusal out."""

from __future__ import annotations

from dataclasses import dataclass

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
from bot.playground.model.responses_body import has_parts, pictured

_ROLES = ("system", "developer", "assistant", "user", "tool")
_PARTS = {
    "text": "",
    "refusal": "",
    "image_url": "[image]",
    "file": "[file]",
    "input_audio": "[audio]",
}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A valid request."""

    conversation: Conversation
    stream: bool
    usage: bool
    padded: bool
    limit: int | None
    has_pictures: bool


def read_request(body: JSON) -> ChatRequest:
    """The request in the body. Raises `ApiError` as OpenAI refuses it."""
    stream = fields.flag(body, "stream")
    shown = fields.options(body, "stream_options")
    if shown and not stream:
        raise invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )
    fields.check_reasoning({"effort": body.get("reasoning_effort")}, "reasoning_effort")
    limits = [fields.count(body, name, 1) for name in ("max_completion_tokens", "max_tokens")]
    model = fields.text(body, "model")
    return ChatRequest(
        conversation=Conversation(_turns(body), tools=_tools(body), model=model),
        stream=stream,
        usage=fields.flag(shown, "include_usage"),
        padded=fields.flag(shown, "include_obfuscation", True),
        limit=next((limit for limit in limits if limit is not None), None),
        has_pictures=has_parts(body.get("messages"), "image_url"),
    )


def _turns(body: JSON) -> tuple[Turn, ...]:
    if body.get("messages") is None:
        raise fields.missing("messages")
    messages = fields.objects(body, "messages")
    if not messages:
        raise invalid(
            "Invalid 'messages': empty array. Expected an array with minimum length 1.",
            "messages",
            code="empty_array",
        )
    turns = [t for i, m in enumerate(messages) for t in _message(m, f"messages[{i}]")]
    rounds.check_messages(messages)
    return tuple(turns)


def _message(message: JSON, param: str) -> list[Turn]:
    role = fields.one_of(message.get("role"), _ROLES, f"{param}.role")
    if role == "tool":
        call_id = fields.text(message, "tool_call_id", f"{param}.tool_call_id")
        return [Returned(call_id, _content(message, param))]
    if role == "assistant":
        return _assistant(message, param)
    if role == "user":
        return [spoken(_content(message, param), fields.optional_text(message, "name"))]
    return [Said("system", _content(message, param))]


def _assistant(message: JSON, param: str) -> list[Turn]:
    calls = fields.objects(message, "tool_calls", f"{param}.tool_calls")
    said = message.get("content") is not None or not calls
    turns: list[Turn] = [Said("assistant", _content(message, param))] if said else []
    for i, call in enumerate(calls):
        where = f"{param}.tool_calls[{i}]"
        function = fields.options(call, "function")
        name = fields.text(function, "name", f"{where}.function.name")
        arguments = fields.optional_text(function, "arguments")
        turns.append(Called(fields.text(call, "id", f"{where}.id"), name, arguments))
    return turns


def _content(message: JSON, param: str) -> str:
    where = f"{param}.content"
    if isinstance(message.get("content"), str):
        return fields.text(message, "content", where)
    if message.get("content") is None:
        raise fields.missing(where)
    parts = fields.objects(message, "content", where)
    return "\n".join(_part(part, f"{where}[{i}]") for i, part in enumerate(parts))


def _part(part: JSON, param: str) -> str:
    kind = fields.one_of(part.get("type"), tuple(_PARTS), f"{param}.type")
    if kind == "image_url":
        return pictured(fields.options(part, kind).get("url"), f"{param}.{kind}")
    return _PARTS[kind] or fields.text(part, kind, f"{param}.{kind}")


def _tools(body: JSON) -> tuple[Tool, ...]:
    offered = fields.objects(body, "tools")
    for i, offer in enumerate(offered):
        fields.one_of(offer.get("type"), ("function",), f"tools[{i}].type")
    if body.get("tool_choice") == "none":
        return ()
    return tuple(
        fields.tool(fields.options(offer, "function"), f"tools[{i}].function")
        for i, offer in enumerate(offered)
    )
