"""Streamed text merged with its confirmation: nothing is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.events import Event, TextDelta, TextDone
from bot.upstream.text.healing import ItemText, merge_confirmed, merge_items
from bot.upstream.wire.responses import ResponsesDecoder
from tests.unit.upstream.responses_decoding import (
    added,
    completed,
    decode,
    delta,
    done,
    finished_event,
)
from tests.unit.upstream.wire import message

LONG = "Otters hold hands while they sleep."


def text_done(text: str, **more: Any) -> dict[str, Any]:
    """Return the confirmation of a part's text."""
    return {"type": "response.output_text.done", "text": text, **more}


def shown(events: list[Event]) -> str:
    """Return what a reader has before the end."""
    text = ""
    for event in events:
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, TextDone):
            text = event.text
    return text


@pytest.mark.parametrize(
    ("had", "told", "stands"),
    [
        (LONG, "", LONG),
        (LONG, "  \n", LONG),
        (LONG, ".", LONG),
        (LONG, LONG[:20], LONG),
        (LONG, LONG[10:], LONG),
        (LONG, "Something else.", LONG),
        (LONG[:5], LONG, LONG),
        ("Otters hands sleep.", LONG, LONG),
        (LONG, LONG.replace("hands", "paws!"), LONG.replace("hands", "paws!")),
        ("", LONG, LONG),
    ],
)
def test_merge_confirmed_never_loses_text(had: str, told: str, stands: str) -> None:
    assert merge_confirmed(had, told) == stands
    assert finished_event(decode(delta(had), completed([message(told)]))).text == stands
    assert finished_event(decode(text_done(had), completed([message(told)]))).text == (
        stands if had else told
    )
    assert finished_event(decode(delta(had), text_done(told), completed())).text == stands


@pytest.mark.parametrize(
    ("had", "told", "stands"),
    [
        (["a", "b", "c"], ["c"], ["a", "b", "c"]),
        (["a", "b", "c"], ["a"], ["a", "b", "c"]),
        (["a", "b"], [], ["a", "b"]),
        (["a", "c"], ["a", "b", "c"], ["a", "b", "c"]),
        ([LONG, "two words"], ["."], [LONG, "two words"]),
        ([LONG[:9], "two words"], [LONG, "two"], [LONG, "two words"]),
        ([LONG + "two words"], [LONG, "two words"], [LONG, "two words"]),
        ([LONG, "two words"], [LONG + "\n\ntwo words"], [LONG + "\n\ntwo words"]),
        (["Ottrs", "two"], ["Otters", "two", "three"], ["Otters", "two", "three"]),
        ([], ["a"], ["a"]),
        ([], [], []),
    ],
)
def test_merge_items_merges_item_by_item(
    had: list[str], told: list[str], stands: list[str]
) -> None:
    assert merge_items([ItemText("", t) for t in had], [ItemText("", t) for t in told]) == stands


def test_merge_items_pairs_items_by_id() -> None:
    had = [ItemText("m1", "aaaa"), ItemText("m2", "bbbb")]
    assert merge_items(had, [ItemText("m2", "bbbx")]) == ["aaaa", "bbbx"]


@given(st.lists(st.text("ab ", max_size=6), max_size=4), st.lists(st.text("ab ", max_size=6)))
def test_merge_items_never_loses_text(had: list[str], told: list[str]) -> None:
    texts = merge_items([ItemText("", t) for t in had], [ItemText("", t) for t in told])
    assert len("".join("".join(texts).split())) >= 0.9 * len("".join("".join(had).split())) - len(
        had
    )


def test_merge_items_of_very_many_items_is_fast() -> None:
    had = [ItemText("", f"item {number} of many") for number in range(5000)]
    assert len(merge_items(had, had[1:])) == 5000


# Two items of one index.

WHERE = {"output_index": 0, "content_index": 0}
FIRST, SECOND = {**WHERE, "item_id": "m1"}, {**WHERE, "item_id": "m2"}


@pytest.mark.parametrize(
    "payloads",
    [
        [
            added(message("", id="m1"), output_index=0),
            delta("one", **FIRST),
            added(message("", id="m2"), output_index=0),
            delta("two", **SECOND),
        ],
        [
            added(message("", id="m1"), output_index=0),
            added(message("", id="m2"), output_index=0),
            delta("o", **FIRST),
            delta("t", **SECOND),
            delta("ne", **FIRST),
            delta("wo", **SECOND),
        ],
        [delta("o", **FIRST), delta("ne", **FIRST), delta("t", **SECOND), delta("wo", **SECOND)],
        [
            delta("one", **FIRST),
            text_done("one", **FIRST),
            delta("two", **SECOND),
            text_done("two", **SECOND),
        ],
        [text_done("one", **FIRST), text_done("one", **FIRST), text_done("two", **SECOND)],
        [
            added(message("", id="m1")),
            delta("one", item_id="m1"),
            added(message("", id="m2")),
            delta("two", item_id="m2"),
        ],
        [
            added(message("", id="m1")),
            added(message("", id="m2")),
            delta("two", item_id="m2"),
            delta("one", item_id="m1"),
        ],
        [
            delta("one", item_id="x", output_index=0),
            delta("two", item_id="x", output_index=1),
        ],
    ],
)
@pytest.mark.parametrize(
    "output",
    [[], [message("one", id="m1"), message("two", id="m2")], [message("two", id="m2")]],
    ids=["empty end", "whole end", "half an end"],
)
def test_part_locator_keeps_two_items_apart_however_named(
    payloads: list[dict[str, Any]], output: list[Any]
) -> None:
    events = decode(*payloads)
    assert shown(events) == "one\n\ntwo"
    assert finished_event(decode(*payloads, completed(output))).text == "one\n\ntwo"


@pytest.mark.parametrize("index", [{"output_index": 0}, {}], ids=["indexed", "without index"])
def test_part_locator_ignores_ids_that_change_with_every_event(index: dict[str, Any]) -> None:
    deltas = [delta(piece, item_id=f"id{n}", **index) for n, piece in enumerate("Otters sleep.")]
    confirmed = text_done("Otters sleep.", item_id="id99", **index)
    whole = done(message("Otters sleep.", id="id100"), **index)
    payloads = [added(message("", id="id98"), **index), *deltas, confirmed, whole]
    for output in ([], [message("Otters sleep.", id="id101")]):
        events = decode(*payloads, completed(output))
        assert finished_event(events).text == shown(events) == "Otters sleep."


def test_cursor_comes_only_with_the_first_item_of_an_index() -> None:
    decoder = ResponsesDecoder("m")
    decoder.is_background, decoder.response_id = True, "resp_1"
    payloads = [
        added(message("", id="m1"), output_index=0),
        delta("a", **FIRST),
        delta("b", **FIRST),
        added(message("", id="m2"), output_index=0),
        delta("x", **SECOND),
        delta("y", **SECOND),
    ]
    events = [
        event
        for number, payload in enumerate(payloads)
        for event in decoder.feed(json.dumps({**payload, "sequence_number": number}).encode())
    ]
    cursors = [event.cursor for event in events if isinstance(event, TextDelta)]
    assert cursors == ["", "2 0 0 2 resp_1", "", ""]


@pytest.mark.parametrize("arguments", ["", None, '{"a":1}'])
def test_responses_repeated_call_keeps_its_arguments(arguments: str | None) -> None:
    call = {"type": "function_call", "call_id": "c", "name": "now", "arguments": '{"a":1}'}
    events = decode(done(call), completed([{**call, "arguments": arguments}]))
    assert [e.arguments for e in events if hasattr(e, "arguments")] == ['{"a":1}']


def test_responses_calls_without_call_id_are_separated_by_item() -> None:
    calls = [{"type": "function_call", "id": f"fc_{n}", "name": "now"} for n in range(2)]
    events = decode(*(done(call, output_index=0) for call in calls), completed(calls))
    assert [e.call_id for e in events if hasattr(e, "call_id")] == ["fc_0", "fc_1"]
