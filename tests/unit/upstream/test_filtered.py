"""Markup for programs in both decoders: neither shown, kept, nor part of a cursor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turn.state.answer_state import AnswerState
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
from bot.upstream.resume_point import ResumePoint
from bot.upstream.text.markup import MAX_HELD_CHARACTERS
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.responses import ResponsesDecoder
from bot.words import Phrase
from tests.support.words import EN
from tests.unit.upstream.fake_model_server import FakeModelServer
from tests.unit.upstream.responses_decoding import completed, decode, delta, done, finished_event
from tests.unit.upstream.test_chat import read as read_chat
from tests.unit.upstream.test_chat import text, tools
from tests.unit.upstream.upstream_setup import ask, final_event, shown_text
from tests.unit.upstream.wire import chunk, message, responses_payloads

CITE = "\ue200cite\ue202turn0search0\ue201"
ANSWERS = [
    ("<think>I weigh it.</think>\n\nOtters sleep.", "Otters sleep."),
    (f"Otters sleep {CITE}. They eat.{CITE}", "Otters sleep. They eat."),
    (f"<think>a{CITE}</think>Otters【4:0†source】 sleep.", "Otters sleep."),
    ("I weigh it.\n</think>\n\nOtters sleep.", "Otters sleep."),
    ("Otters sleep < 12 hours <b>", "Otters sleep < 12 hours <b>"),
    ("<|channel|>analysis<|message|>a<|end|>Otters sleep.", "Otters sleep."),
    ("Otters sleep.citeturn0search0turn0news1 Of music.", "Otters sleep. Of music."),
    ("<think>a</think>Otters sleep filecite turn0file1 .", "Otters sleep."),
]


@pytest.mark.parametrize(("written", "answer"), ANSWERS)
@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("settings", [{"api": "chat"}, {}, {"background": "on"}], ids=str)
async def test_session_shows_no_markup_for_programs(
    settings: dict[str, Any], size: int, written: str, answer: str
) -> None:
    pieces = [written[at : at + size] for at in range(0, len(written), size)]
    events = await ask(FakeModelServer(pieces), **settings)
    assert final_event(events).text == shown_text(events) == answer
    thoughts = [event.text for event in events if isinstance(event, Reasoning)]
    assert bool(thoughts) is ("think>" in written or "analysis" in written)


def test_session_shows_thinking_in_the_text_as_activity() -> None:
    events = decode(delta("<think>a"), delta("b</think>"), delta("c"), completed())
    assert events[:-1] == [
        Activity(Phrase.THINKING),
        Reasoning("a"),
        Reasoning("b"),
        Activity(None),
        TextDelta("c"),
    ]


@pytest.mark.parametrize(
    "events",
    [
        decode(delta("<think>a"), completed([message("<think>a")])),
        decode(completed([message("<think>a</think>")])),
        read_chat(text("<think>a"), chunk(finish_reason="stop")),
    ],
)
def test_session_answer_of_thinking_only_is_one_sentence(events: list[Event]) -> None:
    end = finished_event(events)
    assert (end.text, end.no_text) == ("", Phrase.THOUGHT_ONLY)


def test_session_yields_the_citation_of_a_dropped_mark() -> None:
    note = {"type": "url_citation", "url": "https://a.test", "title": "A"}
    annotation = {"type": "response.output_text.annotation.added", "annotation": note}
    machine = AnswerState("turn1", EN)
    for event in decode(
        delta(f"Otters {CITE}."), annotation, completed([message(f"Otters {CITE}.")])
    ):
        machine.apply(event)
    assert machine.text.startswith("Otters.\n\n**Sources**\n\n1. [A](https://a.test)")


def test_session_confirmation_replaces_lost_filtered_text() -> None:
    confirmed = {"type": "response.output_text.done", "text": f"<think>a</think>one {CITE} two"}
    assert decode(delta("<think>a</think>one two"), confirmed)[-1] == TextDelta("one two")
    assert decode(delta("<think>a</think>one"), confirmed)[-1] == TextDone("one two")
    assert finished_event(decode(delta("<think>"), confirmed, completed())).text == "one two"


# Calls as text and as calls.

MARKUP = '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>'
CALL = {"type": "function_call", "call_id": "c", "name": "now", "arguments": "{}"}
OTHER = {**CALL, "name": "later"}


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("said", "call", "rest"),
    [
        (MARKUP, CALL, ""),
        (f"I look.\n\n{MARKUP}", CALL, "I look."),
        (f"I look.\n\n{MARKUP}", OTHER, f"I look.\n\n{MARKUP}"),
        (f"I look.\n\n{MARKUP}", None, f"I look.\n\n{MARKUP}"),
    ],
)
def test_session_drops_markup_of_a_call_that_came(
    said: str, call: dict[str, Any] | None, rest: str, size: int
) -> None:
    pieces = [said[at : at + size] for at in range(0, len(said), size)]
    items = [done(call)] if call else []
    output = [message(said), *([call] if call else [])]
    for ended in (completed([]), completed(output)):
        events = decode(*map(delta, pieces), *items, ended)
        assert finished_event(events).text == rest
    called = {"id": "c", "function": {"name": call["name"], "arguments": "{}"}} if call else None
    chunks = [*map(text, pieces), *([tools(called)] if called else [])]
    events = read_chat(*chunks, chunk(finish_reason="stop"))
    assert finished_event(events).text == rest
    assert sum(isinstance(event, ToolCall) for event in events) == (call is not None)
    if not rest:
        assert not any(isinstance(event, TextDelta) for event in events)


# Cursors.


def fed(decoder: ResponsesDecoder, payloads: Sequence[dict[str, Any]]) -> list[Event]:
    """Return the events of numbered payloads."""
    return [e for one in payloads for e in decoder.feed(json.dumps(one).encode())]


@pytest.mark.parametrize(("written", "answer"), ANSWERS)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_resume_point_at_any_event_ends_with_the_same_filtered_text(
    written: str, answer: str, size: int
) -> None:
    pieces = [written[at : at + size] for at in range(0, len(written), size)]
    plain = responses_payloads(pieces, background=True)
    payloads = [{**payload, "sequence_number": n} for n, payload in enumerate(plain)]
    resumed = 0
    for died in range(1, len(payloads)):
        first = AnswerState("turn1", EN)
        for event in fed(ResponsesDecoder("m"), payloads[:died]):
            first.apply(event)
        begun = ResumePoint("resp_1", first.text, first.cursor)
        if begun.parsed_cursor is None:
            continue
        resumed += 1
        again = AnswerState("turn1", EN, begun.text, begun.cursor)
        decoder = ResponsesDecoder.resumed_from(begun, "m")
        for event in fed(decoder, payloads[decoder.sequence + 1 :]):
            again.apply(event)
        assert again.text == answer
    assert resumed or CITE in written


@given(st.lists(st.sampled_from(["<think>", "a", " ", "</think>", CITE, "<", "\n", "b. "])))
def test_decoders_stream_the_same_text_as_they_finish_with(pieces: list[str]) -> None:
    for decoder, payloads, last in (
        (ResponsesDecoder("m"), list(map(delta, pieces)), completed()),
        (ChatDecoder("m"), list(map(text, pieces)), chunk(finish_reason="stop")),
    ):
        events = [e for one in [*payloads, last] for e in decoder.feed(json.dumps(one).encode())]
        events += decoder.close()
        whole = next((e.text for e in events if isinstance(e, Finished)), None)
        if whole is not None and not whole.startswith("The model "):
            assert shown_text(events) == whole


def test_session_keeps_streaming_after_an_opener() -> None:
    decoder = ResponsesDecoder("m")
    sent = got = 0
    for piece in ["<tool_call>", *["word "] * 1000]:
        sent += len(piece)
        events = decoder.feed(json.dumps(delta(piece)).encode())
        got += sum(len(event.text) for event in events if isinstance(event, TextDelta))
        assert sent - got <= MAX_HELD_CHARACTERS


def test_recorded_citations_have_sources_and_no_marks() -> None:
    events = decode(delta(CITE), delta("One"), completed([message(f"{CITE}One")]))
    assert finished_event(events).text == "One"
    assert not any(isinstance(event, Citation) for event in events)
