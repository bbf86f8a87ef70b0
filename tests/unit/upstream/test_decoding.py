"""Characters that a server splits between two events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.events import Finished, TextDelta, ToolCall
from bot.upstream.session.stream_reader import parse_complete_answer
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.responses import ResponsesDecoder


def utf16_units(text: str) -> list[str]:
    """The text cut after every UTF-16 unit, as a careless server cuts it."""
    wide = text.encode("utf-16-le")
    return [wide[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(wide), 2)]


def content(text: str) -> bytes:
    """A chunk with text, in ASCII: halves of characters are escapes."""
    return json.dumps({"choices": [{"delta": {"content": text}}]}).encode()


def text_item(text: str) -> dict[str, Any]:
    """An output item with text."""
    return {"type": "message", "content": [{"type": "output_text", "text": text}]}


@given(st.text(st.characters(exclude_categories=["Cs", "Co"]), min_size=1))
def test_surrogate_joiner_joins_text_split_in_a_pair(text: str) -> None:
    decoder = ChatDecoder("m")
    events = [e for unit in utf16_units(text) for e in decoder.feed(content(unit))]
    events += decoder.feed(b"[DONE]")
    assert decoder.answer_text.text() == text
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == text


@pytest.mark.parametrize(
    ("cut", "mended"),
    [("a\udd26b", "a\ufffdb"), ("a\ud83e", "a"), ("\\\\ud83e", "\\\\ud83e")],
)
def test_surrogate_joiner_keeps_text_around_a_lone_half(cut: str, mended: str) -> None:
    decoder = ChatDecoder("m")
    decoder.feed(content(cut))
    assert decoder.answer_text.text() == mended


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_text.done", "text": "ab\ud83e"},
        {"type": "response.reasoning_summary_text.delta", "delta": "ab\ud83e"},
        {"type": "error", "message": "ab\ud83e"},
        {"type": "response.completed", "response": {"output": [text_item("ab\ud83e")]}},
    ],
)
def test_surrogate_joiner_output_can_be_encoded(event: dict[str, Any]) -> None:
    decoder = ResponsesDecoder("m")
    told = decoder.feed(json.dumps(event).encode())
    assert "ab" in f"{told} {decoder.error}"
    f"{told} {decoder.error}".encode()


@pytest.mark.parametrize(
    ("decoder", "body"),
    [
        (ResponsesDecoder("m"), {"status": "completed", "output": [text_item("ab\ud83e")]}),
        (
            ChatDecoder("m"),
            {"choices": [{"message": {"content": "ab\ud83e"}, "finish_reason": "stop"}]},
        ),
    ],
)
def test_decoders_read_a_complete_answer_that_ends_in_a_half(
    decoder: ResponsesDecoder | ChatDecoder, body: dict[str, Any]
) -> None:
    end = decoder.decode_complete(parse_complete_answer(json.dumps(body).encode(), "m"))[-1]
    assert isinstance(end, Finished)
    assert end.text == "ab"


def test_surrogate_joiner_joins_split_arguments() -> None:
    decoder, asked = ChatDecoder("m"), '{"city":"Oslo 🦦"}'
    for unit in utf16_units(asked):
        call = {"index": 0, "id": "c1", "function": {"name": "n", "arguments": unit}}
        decoder.feed(json.dumps({"choices": [{"delta": {"tool_calls": [call]}}]}).encode())
    assert ToolCall("c1", "n", asked) in decoder.feed(b"[DONE]")


@pytest.mark.parametrize("written", ["🦦", "an otter 🦦 swims"])
def test_decoders_read_escaped_lone_surrogates(written: str) -> None:
    decoder = ChatDecoder("m1")
    for unit in utf16_units(written):
        chunk = {"id": "c1", "choices": [{"index": 0, "delta": {"content": unit}}]}
        decoder.feed(json.dumps(chunk).encode())
    assert decoder.answer_text.text() == written


def test_decoders_keep_an_event_with_broken_bytes_and_a_half() -> None:
    chunk = b'{"id": "c1", "choices": [{"index": 0, "delta": {"content": "\xff ok \\ud83e"}}]}'
    decoder = ChatDecoder("m1")
    decoder.feed(chunk)
    assert decoder.answer_text.text() == "\ufffd ok "
