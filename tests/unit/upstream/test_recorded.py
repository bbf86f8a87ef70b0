"""Streams recorded from real servers are decoded to what their recorders expect."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from bot.upstream.events import (
    Activity,
    Citation,
    Event,
    Finished,
    Reasoning,
    TextDelta,
    TextDone,
    ToolCall,
)
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.decoder import Decoder
from bot.upstream.wire.responses import ResponsesDecoder
from bot.upstream.wire.sse import SseParser
from tests.unit.upstream import recorded

pytestmark = recorded.needed

# Streams whose answer is commentary and then an answer: only the answer is text.
WITH_COMMENTARY = {"responses/vai-openai-phase.1.sse"}
# Streams that begin with thinking in their text: the answer is what follows it.
WITH_THINKING = {
    "chat/pyd-groq_model_thinking_part_iter-0.sse",
    "chat/pyd-hf_model_thinking_part_iter-0.sse",
}
# Recorded outcomes that are failures, with the text there was.
FAILURES = {
    "chat/pyd-tool_use_failed_error_streaming-0.sse": "",
    "chat/pyd-tool_use_failed_error_streaming_with_text-0.sse": "maybe",
    "responses/vai-openai-error.1.sse": "",
}


class Read:
    """What was read of one recording; it may hold several answers one after the other."""

    def __init__(self, name: str, step: int) -> None:
        self.make = ResponsesDecoder if name.startswith("responses/") else ChatDecoder
        self.decoders: list[Decoder] = [self.make("m")]
        self.events: list[Event] = []
        body = recorded.stream(name)
        parser = SseParser(1 << 23)
        for start in range(0, len(body), step):
            for data in parser.feed(body[start : start + step]):
                self._feed(data)
        for data in parser.flush():
            self._feed(data)
        self.events += self.decoder.close()

    @property
    def decoder(self) -> Decoder:
        return self.decoders[-1]

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def _feed(self, data: bytes) -> None:
        """Another id after an end begins the next answer of the same file."""
        payload = {} if data == b"[DONE]" else json.loads(data)
        named = payload.get("id") or payload.get("response", {}).get("id")
        if self.decoder.ended and named not in {None, self.decoder.response_id}:
            self.decoders.append(self.make("m"))
        if not self.decoder.ended:
            self.events += self.decoder.feed(data)


@pytest.mark.parametrize("known", recorded.manifest(), ids=lambda known: known["file"])
def test_recorded_stream_is_decoded_as_expected(known: dict[str, Any]) -> None:
    name = known["file"]
    read = Read(name, 1 << 20)
    small = Read(name, 97)
    assert small.events == read.events
    decoder = read.decoder
    if name in FAILURES:
        assert decoder.error is not None
        assert not read.of(Finished)
        assert decoder.answer_text.text() == FAILURES[name]
        return
    assert decoder.error is None
    assert decoder.ended
    finished = read.of(Finished)
    assert len(finished) == len(read.decoders)
    assert_text(known, finished[-1], read.of(ToolCall))
    assert_shown(read.events)


def answer_of(known: dict[str, Any]) -> str:
    """Return the text a recorded stream is known to have, without thinking."""
    text: str = known.get("expected_text", "")
    if known["file"] not in WITH_THINKING:
        return text
    thought, _, answer = text.partition("</think>")
    assert thought.startswith("<think>")
    return answer.lstrip()


def assert_text(known: dict[str, Any], finished: Finished, calls: list[ToolCall]) -> None:
    """The final text is the expected one; without any it is a sentence, or there are calls."""
    parts = known.get("expected_parts", known.get("delta_parts", []))
    expected = answer_of(known) or "\n\n".join(filter(None, parts))
    if known["file"] in WITH_COMMENTARY:
        expected = parts[-1]
    if known.get("refusal"):
        assert finished.is_refusal
        assert finished.text == known["refusal"]
    elif expected:
        assert finished.text == expected
    else:
        assert calls or finished.text.startswith("The model ")


def assert_shown(events: list[Event]) -> None:
    """Deltas and corrections build the final text, except where only the end knew it."""
    text = ""
    for event in events:
        match event:
            case TextDelta(delta):
                text += delta
            case TextDone(whole):
                text = whole
            case Finished(final):
                assert not text or text == final or len(text) < len(final)
                text = ""
            case _:
                pass


@pytest.mark.parametrize(
    "known",
    [k for k in recorded.manifest() if "sdk_text" not in k and k.get("expected_text")],
    ids=lambda known: known["file"],
)
def test_recorded_chat_deltas_make_up_the_text(known: dict[str, Any]) -> None:
    read = Read(known["file"], 1 << 20)
    assert "".join(delta.text for delta in read.of(TextDelta)) == answer_of(known)


def test_recordings_are_complete() -> None:
    assert len(recorded.manifest()) == 148


def test_recorded_tool_calls_are_complete() -> None:
    with_calls = [
        known["file"]
        for known in recorded.manifest()
        if {"function_call", "tool_calls"} & set(known["tags"])
    ]
    assert len(with_calls) == 32
    for name in with_calls:
        calls = Read(name, 1 << 20).of(ToolCall)
        assert calls, name
        for call in calls:
            assert call.name, name
            assert call.call_id, name
            assert call.arguments.startswith("{"), name
            assert call.arguments.endswith("}"), name


def test_recorded_search_shows_query_and_sources() -> None:
    read = Read("responses/vai-openai-web-search-tool.1.sse", 1 << 20)
    doing = [activity.text for activity in read.of(Activity)]
    assert "Searching the web: tech news today December 5 2025" in doing
    assert doing[-1] == ""
    urls = [citation.url for citation in read.of(Citation)]
    assert urls
    assert len(urls) == len(set(urls))


def test_recorded_activities_come_once_each() -> None:
    for known in recorded.manifest():
        read = Read(known["file"], 1 << 20)
        repeated = [a for a, b in pairwise(read.of(Activity)) if a == b]
        assert not repeated or len(read.decoders) > 1, known["file"]


def test_recorded_chat_citations_come_once() -> None:
    read = Read("chat/vai-perplexity-citations.sse", 1 << 20)
    urls = [citation.url for citation in read.of(Citation)]
    assert urls[0] == "https://populationstat.com/united-states/san-francisco"
    assert len(urls) == len(set(urls)) == 7
    read = Read("chat/pyd-openrouter_web_search_annotations_stream-0.sse", 1 << 20)
    assert "https://pydantic.dev/pydantic-ai" in [c.url for c in read.of(Citation)]


def test_recorded_reasoning_is_not_part_of_the_answer() -> None:
    told = 0
    for known in recorded.manifest():
        read = Read(known["file"], 1 << 20)
        summary = "".join(piece.text for piece in read.of(Reasoning)).strip()
        told += bool(summary)
        for finished in read.of(Finished):
            assert not summary or summary not in finished.text, known["file"]
    assert told >= 4


def test_recorded_stream_with_changing_item_ids_loses_nothing() -> None:
    read = Read("responses/vai-openai-github-copilot-id-rotation.1.sse", 1 << 20)
    assert not read.of(TextDone)
    assert "".join(delta.text for delta in read.of(TextDelta)) == read.of(Finished)[-1].text


def test_recorded_background_responses_alone_are_resumable() -> None:
    resumable = [
        known["file"]
        for known in recorded.manifest()
        if known["file"].startswith("responses/")
        and Read(known["file"], 1 << 20).decoder.is_resumable
    ]
    assert resumable == ["responses/pyd-background_mode_streaming_vcr-0.sse"]


def test_recorded_resumed_stream_continues_the_decoders_state() -> None:
    datas = SseParser(1 << 20).feed(
        recorded.stream("responses/pyd-background_mode_streaming_vcr-0.sse"),
    )
    whole = ResponsesDecoder("m")
    expected = [event for data in datas for event in whole.feed(data)]
    for cut in range(1, len(datas)):
        decoder = ResponsesDecoder("m")
        events = [event for data in datas[:cut] for event in decoder.feed(data)]
        assert decoder.is_resumable
        decoder.begin_resumed_stream()
        events += [event for data in datas for event in decoder.feed(data)]
        assert events == expected


def test_recorded_resumed_stream_needs_no_beginning() -> None:
    read = Read("responses/pyd-background_mode_streaming_starting_after_vcr-1.sse", 1 << 20)
    finished = read.of(Finished)[-1]
    assert "".join(delta.text for delta in read.of(TextDelta)) == finished.text
