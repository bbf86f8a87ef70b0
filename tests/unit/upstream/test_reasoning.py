"""The reasoning in streams, synthetic and recorded: what was thought, however the bytes are cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from bot.upstream.events import Event, Finished, Reasoning
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.responses import ResponsesDecoder
from bot.upstream.wire.sse import SseParser
from tests.unit.upstream import recordings


def read(name: str, *cuts: int) -> list[Event]:
    """The events of a stream whose bytes come in pieces."""
    decoder = ResponsesDecoder("m") if name.startswith("responses/") else ChatDecoder("m")
    body, parser = recordings.stream(name), SseParser(1 << 23)
    events: list[Event] = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        for data in parser.feed(body[start:end]):
            events += () if decoder.ended else decoder.feed(data)
    for data in parser.flush():
        events += () if decoder.ended else decoder.feed(data)
    return [*events, *decoder.close()]


def reasoning(events: list[Event], *, is_summary: bool) -> str:
    """What the pieces of one kind say together."""
    pieces = (event for event in events if isinstance(event, Reasoning))
    return "".join(piece.text for piece in pieces if piece.is_summary is is_summary)


def payloads(name: str) -> Iterator[dict[str, Any]]:
    """The objects in a stream, up to its first end."""
    for line in recordings.stream(name).decode("utf-8", "replace").splitlines():
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data.startswith("{"):
            payload = json.loads(data)
            yield payload
            if payload.get("type") in {"response.completed", "response.incomplete"}:
                return


@cache
def expected(name: str) -> tuple[str, str]:
    """Summary and raw reasoning of a stream, as its own payloads have them."""
    if name.startswith("chat/"):
        return "", "".join(_chat_reasoning(payload) for payload in payloads(name))
    told = {"summary": "", "raw": ""}
    for payload in payloads(name):
        kind = payload.get("type", "")
        which = "summary" if "_summary" in kind else "raw"
        if kind.startswith("response.reasoning") and kind.endswith("_text.delta"):
            told[which] += payload["delta"]
        elif kind.startswith("response.reasoning") and kind.endswith("_text.done"):
            told[which] += "\n\n"
    return told["summary"], told["raw"]


def _chat_reasoning(payload: dict[str, Any]) -> str:
    deltas = [c.get("delta") or {} for c in payload.get("choices") or () if not c.get("index")]
    return "".join(
        d.get("reasoning_content") or d.get("reasoning") or _details(d.get("reasoning_details"))
        for d in deltas
    )


def _details(details: list[dict[str, Any]] | None) -> str:
    return "".join(detail.get("text", "") for detail in details or ())


def thoughtful() -> list[str]:
    """The streams in whose payloads there is reasoning, and no thinking in the text besides."""
    known = (one["file"] for one in recordings.manifest() if "thinking" not in one)
    return [name for name in known if any(expected(name))]


@pytest.mark.parametrize("name", thoughtful())
def test_reasoning_of_a_stream_is_told_as_it_was_sent(name: str) -> None:
    summary, raw = expected(name)
    whole = read(name)
    assert reasoning(whole, is_summary=True) == summary
    assert reasoning(whole, is_summary=False) == raw
    size = len(recordings.stream(name))
    assert read(name, *range(1, size)) == whole, "byte by byte"


@pytest.mark.parametrize(
    "name", [name for name in thoughtful() if len(recordings.stream(name)) < 6_000]
)
def test_reasoning_of_a_stream_is_the_same_wherever_it_is_cut(name: str) -> None:
    whole = read(name)
    assert all(read(name, cut) == whole for cut in range(1, len(recordings.stream(name))))


@pytest.mark.parametrize("name", thoughtful())
def test_reasoning_is_confirmed_by_the_end_of_a_response(name: str) -> None:
    for finished in (event for event in read(name) if isinstance(event, Finished)):
        streamed = "".join(filter(None, expected(name))).split()
        assert finished.reasoning.split() in ([], streamed)


def test_reasoning_is_in_enough_streams_to_tell() -> None:
    names = thoughtful()
    assert sum(name.startswith("chat/") for name in names) >= 3
    assert sum(bool(expected(name)[0]) for name in names) >= 3
    assert sum(bool(expected(name)[1]) for name in names if name.startswith("responses/")) >= 2
