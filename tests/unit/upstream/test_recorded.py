"""Every stream, synthetic or recorded from real servers, reads as is known of it."""

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
from tests.support.words import activity_text
from tests.unit.upstream import recordings


class Read:
    """What was read of one recording; it may hold several answers one after the other."""

    def __init__(self, name: str, step: int) -> None:
        self.make = ResponsesDecoder if name.startswith("responses/") else ChatDecoder
        self.decoders: list[Decoder] = [self.make("m")]
        self.events: list[Event] = []
        body = recordings.stream(name)
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


@pytest.mark.parametrize("known", recordings.manifest(), ids=lambda known: known["file"])
def test_recorded_stream_is_decoded_as_expected(known: dict[str, Any]) -> None:
    name = known["file"]
    read = Read(name, 1 << 20)
    small = Read(name, 97)
    assert small.events == read.events
    decoder = read.decoder
    if "failure" in known:
        assert decoder.error is not None
        assert not read.of(Finished)
        assert decoder.answer_text.text() == known["failure"]
        return
    assert decoder.error is None
    assert decoder.ended
    finished = read.of(Finished)
    assert len(finished) == len(read.decoders)
    assert_text(known, finished[-1], read.of(ToolCall))
    assert_shown(read.events)


def answer_of(known: dict[str, Any]) -> str:
    """Return the text a stream is known to have, without thinking."""
    text: str = known.get("answer", known.get("expected_text", ""))
    if "thinking" not in known:
        return text
    thought, _, answer = text.partition("</think>")
    assert thought.startswith("<think>")
    return answer.lstrip()


def assert_text(known: dict[str, Any], finished: Finished, calls: list[ToolCall]) -> None:
    """The final text is the expected one; without any it is a sentence, or there are calls."""
    parts = known.get("expected_parts", known.get("delta_parts", []))
    expected = answer_of(known) or "\n\n".join(filter(None, parts))
    if "commentary" in known:
        expected = parts[-1]
    if known.get("refusal"):
        assert finished.is_refusal
        assert finished.text == known["refusal"]
    elif expected:
        assert finished.text == expected
    else:
        assert calls or finished.no_text


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
    [k for k in recordings.manifest() if "sdk_text" not in k and k.get("expected_text")],
    ids=lambda known: known["file"],
)
def test_recorded_chat_deltas_make_up_the_text(known: dict[str, Any]) -> None:
    read = Read(known["file"], 1 << 20)
    assert "".join(delta.text for delta in read.of(TextDelta)) == answer_of(known)


@pytest.mark.parametrize(
    "name", [*recordings.files(tag="function_call"), *recordings.files(tag="tool_calls")]
)
def test_recorded_tool_calls_are_complete(name: str) -> None:
    calls = Read(name, 1 << 20).of(ToolCall)
    assert calls
    for call in calls:
        assert call.name
        assert call.call_id
        assert call.arguments.startswith("{")
        assert call.arguments.endswith("}")


@pytest.mark.parametrize("name", recordings.files(fact="search"))
def test_recorded_search_shows_its_query_and_its_sources(name: str) -> None:
    (search,) = [known["search"] for known in recordings.manifest() if known["file"] == name]
    read = Read(name, 1 << 20)
    doing = [activity_text(activity) for activity in read.of(Activity)]
    assert search in doing
    assert doing[-1] == ""
    urls = [citation.url for citation in read.of(Citation)]
    assert urls
    assert len(urls) == len(set(urls))


def test_recorded_activities_come_once_each() -> None:
    for known in recordings.manifest():
        read = Read(known["file"], 1 << 20)
        repeated = [a for a, b in pairwise(read.of(Activity)) if a == b]
        assert not repeated or len(read.decoders) > 1, known["file"]


@pytest.mark.parametrize("name", recordings.files(fact="sources"))
def test_recorded_chat_citations_come_once(name: str) -> None:
    (known,) = [known for known in recordings.manifest() if known["file"] == name]
    urls = [citation.url for citation in Read(name, 1 << 20).of(Citation)]
    assert set(known["sources"]) <= set(urls)
    assert len(urls) == len(set(urls))


def test_recorded_reasoning_is_not_part_of_the_answer() -> None:
    told = 0
    for known in recordings.manifest():
        read = Read(known["file"], 1 << 20)
        summary = "".join(piece.text for piece in read.of(Reasoning)).strip()
        told += bool(summary)
        for finished in read.of(Finished):
            assert not summary or summary not in finished.text, known["file"]
    assert told >= 4


def named(*endings: str) -> list[str]:
    """Return the names of the streams that end so."""
    return [known["file"] for known in recordings.manifest() if known["file"].endswith(endings)]


@pytest.mark.parametrize("name", named("-id-rotation.1.sse", "-rotating-ids.sse"))
def test_recorded_stream_with_changing_item_ids_loses_nothing(name: str) -> None:
    read = Read(name, 1 << 20)
    assert not read.of(TextDone)
    assert "".join(delta.text for delta in read.of(TextDelta)) == read.of(Finished)[-1].text


def test_recorded_background_responses_alone_are_resumable() -> None:
    resumable = [
        known["file"]
        for known in recordings.manifest()
        if known["file"].startswith("responses/")
        and Read(known["file"], 1 << 20).decoder.is_resumable
    ]
    assert resumable == recordings.files(fact="resumable")


@pytest.mark.parametrize("name", recordings.files(fact="resumable"))
def test_recorded_resumed_stream_continues_the_decoders_state(name: str) -> None:
    datas = SseParser(1 << 20).feed(recordings.stream(name))
    whole = ResponsesDecoder("m")
    expected = [event for data in datas for event in whole.feed(data)]
    for cut in range(1, len(datas)):
        decoder = ResponsesDecoder("m")
        events = [event for data in datas[:cut] for event in decoder.feed(data)]
        assert decoder.is_resumable
        decoder.begin_resumed_stream()
        events += [event for data in datas for event in decoder.feed(data)]
        assert events == expected


@pytest.mark.parametrize("name", named("_starting_after_vcr-1.sse", "synthetic-resumed.sse"))
def test_recorded_resumed_stream_needs_no_beginning(name: str) -> None:
    read = Read(name, 1 << 20)
    finished = read.of(Finished)[-1]
    assert "".join(delta.text for delta in read.of(TextDelta)) == finished.text
