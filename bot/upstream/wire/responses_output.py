"""Texts, annotations and usage of a finished response object. Pure.

What is missing, or differs from the documented shape, reads as empty
(docs/upstream.md#response-events).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from bot.upstream.text.parts import PARAGRAPH_SEPARATOR
from bot.upstream.wire.usage import responses_usage
from bot.values import Usage

JsonObject: TypeAlias = Mapping[str, Any]


def output_items(response: JsonObject) -> Sequence[JsonObject]:
    """Return the output items of a response."""
    return _objects(response.get("output"))


def message_texts(
    output: Sequence[JsonObject], *, commentary: bool = False
) -> list[tuple[str, str]]:
    """Return id and text of each message with text: of the commentary messages if `commentary` is
    set, else of all others."""
    messages = (item for item in output if item.get("type") == "message")
    chosen = (m for m in messages if (m.get("phase") == "commentary") is commentary)
    return [(_id(message), text) for message in chosen if (text := "".join(_part_texts(message)))]


def reasoning_text(output: Sequence[JsonObject]) -> str:
    """Return the summaries of the reasoning, else the reasoning itself; "" if there is none."""
    items = [item for item in output if item.get("type") == "reasoning"]
    for field in ("summary", "content"):
        parts = (part for item in items for part in _objects(item.get(field)))
        texts = [text for part in parts if isinstance(text := part.get("text"), str) and text]
        if texts:
            return PARAGRAPH_SEPARATOR.join(texts)
    return ""


def has_refusal(output: Sequence[JsonObject]) -> bool:
    """Return whether any message is a refusal of the model."""
    return any("refusal" in part for item in output for part in _parts(item))


def text_annotations(output: Sequence[JsonObject]) -> Iterator[object]:
    """Yield the annotations of every text."""
    for item in output:
        for part in _parts(item):
            annotations = part.get("annotations")
            yield from annotations if isinstance(annotations, list) else ()


def incomplete_reason(response: JsonObject) -> str:
    """Return why the answer is incomplete; "" if it is complete."""
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if isinstance(reason, str) and reason:
        return reason
    return "incomplete" if response.get("status") == "incomplete" else ""


def response_usage(response: JsonObject) -> Usage:
    """Return the server's token counts."""
    return responses_usage(response.get("usage"))


def _id(item: JsonObject) -> str:
    item_id = item.get("id")
    return item_id if isinstance(item_id, str) else ""


def _parts(item: JsonObject) -> Sequence[JsonObject]:
    return _objects(item.get("content")) if item.get("type") == "message" else ()


def _objects(listed: object) -> Sequence[JsonObject]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else ()


def _part_texts(message: JsonObject) -> Iterator[str]:
    for part in _parts(message):
        text = part.get("text", part.get("refusal"))
        if isinstance(text, str):
            yield text
