"""A natively streamed message: how chunks grow it, and when it is over. Pure.

Chunk types: docs/slack.md#stream-chunks. Lifetime and total size, which Slack does not publish:
docs/slack.md#stream-lifetime, docs/slack.md#stream-size.
"""

from __future__ import annotations

from typing import Any

from bot.playground.slack.limits import Limits
from bot.playground.slack.records import Json, Message
from bot.playground.slack.refused import Refused

_STATUSES = frozenset({"pending", "in_progress", "complete", "error"})
_TASK = ("title", "status", "output", "sources")


def live(message: Message, now: float, limits: Limits) -> bool:
    """The message is being streamed, and its time is not over."""
    return message.stream == "in_progress" and now - float(message.ts) < limits.stream_seconds


def chunks_of(args: Json, limits: Limits) -> list[Json]:
    """The chunks of one call. Raises `Refused` for both kinds at once, or too much text."""
    text, chunks = args.get("markdown_text") or "", args.get("chunks") or []
    if text and chunks:
        raise Refused("invalid_arguments", "markdown_text and chunks exclude each other")
    if text:
        chunks = [{"type": "markdown_text", "text": text}]
    if not isinstance(chunks, list) or not all(_fits(chunk) for chunk in chunks):
        raise Refused("invalid_chunks")
    if len(_text(chunks)) > limits.markdown:
        raise Refused("msg_too_long")
    return chunks


def grown(message: Message, chunks: list[Json], limits: Limits) -> dict[str, Any]:
    """The fields of the message after `chunks`. Raises `Refused("msg_too_long")`."""
    text = message.text + _text(chunks)
    if len(text.encode()) > limits.stream_bytes:
        raise Refused("msg_too_long")
    shown = [dict(block) for block in message.blocks]
    for chunk in chunks:
        _grow(shown, chunk)
    return {"text": text, "blocks": tuple(shown)}


def _fits(chunk: Any) -> bool:
    if not isinstance(chunk, dict):
        return False
    match chunk.get("type"):
        case "markdown_text":
            return isinstance(chunk.get("text"), str)
        case "task_update":
            return bool(chunk.get("id")) and chunk.get("status", "pending") in _STATUSES
        case "plan_update":
            return isinstance(chunk.get("title"), str)
        case "blocks":
            return isinstance(chunk.get("blocks"), list) and len(chunk["blocks"]) <= 50
        case _:
            return False


def _text(chunks: list[Json]) -> str:
    return "".join(chunk["text"] for chunk in chunks if chunk["type"] == "markdown_text")


def _grow(shown: list[Json], chunk: Json) -> None:
    match chunk["type"]:
        case "markdown_text":
            if not shown or shown[-1]["type"] != "markdown":
                shown.append({"type": "markdown", "text": ""})
            shown[-1]["text"] += chunk["text"]
        case "task_update":
            _task(shown, chunk)
        case "plan_update":
            shown.insert(0, {"type": "plan", "title": chunk["title"]})
        case _:
            shown.extend(chunk["blocks"])


def _task(shown: list[Json], chunk: Json) -> None:
    card = next((each for each in shown if each.get("task_id") == chunk["id"]), None)
    if card is None:
        card = {"type": "task_card", "task_id": chunk["id"]}
        shown.append(card)
    card |= {name: chunk[name] for name in _TASK if name in chunk}
    if chunk.get("details"):
        card["details"] = card.get("details", "") + chunk["details"]
