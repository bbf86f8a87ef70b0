"""Feeds a decoder of the Responses API, with short names for the events it is fed."""

from __future__ import annotations

import json
from typing import Any

from bot.upstream.events import Event, Finished
from bot.upstream.wire.responses import ResponsesDecoder


def feed_decoder(decoder: ResponsesDecoder, *payloads: Any) -> list[Event]:
    """Return the events of these payloads."""
    return [event for payload in payloads for event in decoder.feed(json.dumps(payload).encode())]


def decode(*payloads: Any) -> list[Event]:
    """Return the events a fresh decoder makes of these payloads."""
    return feed_decoder(ResponsesDecoder("m"), *payloads)


def delta(text: object, **more: Any) -> dict[str, Any]:
    """Return a piece of text."""
    return {"type": "response.output_text.delta", "delta": text, **more}


def added(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the beginning of an output item."""
    return {"type": "response.output_item.added", "item": item, **more}


def done(item: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return the end of an output item."""
    return {"type": "response.output_item.done", "item": item, **more}


def completed(output: Any = None, **more: Any) -> dict[str, Any]:
    """Return the end of a response."""
    body = {"status": "completed", "output": [] if output is None else output, **more}
    return {"type": "response.completed", "response": body}


def finished_event(events: list[Event]) -> Finished:
    """Return the end, which comes last."""
    last = events[-1]
    assert isinstance(last, Finished)
    return last
