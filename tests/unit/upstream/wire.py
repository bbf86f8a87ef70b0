"""Writes what model servers write: the events of both wire formats, one block of bytes each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any


def block(payload: Any, event: str = "") -> bytes:
    """Return one event; `payload` is JSON, or bytes as they are."""
    data = (
        payload
        if isinstance(payload, bytes)
        else json.dumps(payload, separators=(",", ":")).encode()
    )
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + data + b"\n\n"


def numbered(payloads: Iterable[dict[str, Any]]) -> list[bytes]:
    """Return the payloads as blocks with an ascending `sequence_number`."""
    return [
        block({**payload, "sequence_number": number}, str(payload["type"]))
        for number, payload in enumerate(payloads)
    ]


def message(text: str, **more: Any) -> dict[str, Any]:
    """Return a message item of the Responses API."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content, **more}


def response(status: str, *, text: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a response object."""
    output = [] if text is None else [message(text)]
    usage = {"input_tokens": 3, "output_tokens": 7} if status == "completed" else None
    base = {"id": "resp_1", "object": "response", "model": "tiny", "status": status}
    return {**base, "output": output, "usage": usage, **more}


def responses_payloads(pieces: Sequence[str], **more: Any) -> list[dict[str, Any]]:
    """Return the events of a whole answer; `more` goes into every response object."""
    text = "".join(pieces)
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    deltas = [{"type": "response.output_text.delta", **where, "delta": p} for p in pieces]
    return [
        {"type": "response.created", "response": response("in_progress", **more)},
        {"type": "response.in_progress", "response": response("in_progress", **more)},
        {"type": "response.output_item.added", "output_index": 0, "item": message("")},
        *deltas,
        {"type": "response.output_text.done", **where, "text": text},
        {"type": "response.output_item.done", "output_index": 0, "item": message(text)},
        {"type": "response.completed", "response": response("completed", text=text, **more)},
    ]


def responses_blocks(pieces: Sequence[str], **more: Any) -> list[bytes]:
    """Return a whole answer of the Responses API."""
    return numbered(responses_payloads(pieces, **more))


def chunk(delta: Any = None, **more: Any) -> dict[str, Any]:
    """Return a chunk of Chat Completions; keywords go into its choice."""
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": None, **more}
    return {"id": "chatcmpl-1", "model": "tiny", "choices": [choice]}


def chat_payloads(pieces: Sequence[str], finish: str = "stop") -> list[dict[str, Any]]:
    """Return the chunks of a whole answer, with its usage."""
    usage = {"prompt_tokens": 3, "completion_tokens": 7}
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": piece}) for piece in pieces),
        chunk(finish_reason=finish),
        {"id": "chatcmpl-1", "model": "tiny", "choices": [], "usage": usage},
    ]


def chat_blocks(pieces: Sequence[str], finish: str = "stop") -> list[bytes]:
    """Return a whole answer of Chat Completions."""
    return [*map(block, chat_payloads(pieces, finish)), block(b"[DONE]")]
