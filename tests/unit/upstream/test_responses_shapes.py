"""Unknown events and undocumented shapes never break the Responses decoder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.upstream.events import (
    Finished,
    TextDelta,
)
from bot.upstream.wire.responses import ResponsesDecoder
from tests.unit.upstream.responses_decoding import (
    added,
    completed,
    decode,
    delta,
    feed_decoder,
    finished_event,
)
from tests.unit.upstream.wire import responses_payloads


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "keepalive", "sequence_number": 3},
        {"type": "response.keep_alive"},
        {"type": "response.audio.delta", "delta": "AAAA"},
        {"type": "house:event", "data": {}},
        {"type": "response.shell_call_output_content.delta", "delta": {"stdout": "x"}},
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": "AA"},
        {"type": 7},
        {"type": None},
        {},
        delta(None),
        delta(7),
        delta({"text": "x"}),
        delta(""),
        added({"type": 7}),
        {"type": "response.output_item.added", "item": "odd"},
        {"type": "response.output_item.added"},
        {"type": "response.output_text.done"},
        {"type": "response.output_text.annotation.added", "annotation": 7},
        [],
        "text",
        7,
        None,
    ],
    ids=json.dumps,
)
def test_responses_decoder_ignores_unknown_events_and_shapes(payload: object) -> None:
    assert decode(payload) == []
    assert finished_event(decode(delta("a"), payload, completed())).text == "a"


def test_responses_decoder_survives_broken_characters_and_json() -> None:
    decoder = ResponsesDecoder("m")
    raw = b'{"type":"response.output_text.delta","delta":"a\xff\xf0\x9fb"}'
    assert decoder.feed(raw) == (TextDelta("a\ufffd\ufffdb"),)
    for noise in (b"", b"[DONE]", b"{", b"\xff", b"nonsense"):
        assert decoder.feed(noise) == ()
    assert not decoder.ended


def test_responses_decoder_loses_nothing_to_odd_sequence_numbers() -> None:
    for numbers in ([5, 5, 5, 5], [3, 2, 1, 0], [None, 1, None, 2], ["a", -1, 2.5, True]):
        decoder = ResponsesDecoder("m")
        events = [
            event
            for number, text in zip(numbers, "abxy", strict=True)
            for event in feed_decoder(decoder, delta(text, sequence_number=number))
        ]
        assert decoder.answer_text.text() == "abxy"
        assert len(events) == 4
        assert not decoder.is_resumable


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "type",
                    "output",
                    "content",
                    "text",
                    "error",
                    "annotations",
                    "action",
                    "usage",
                ],
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=5,
)
KINDS = [
    *sorted({str(payload["type"]) for payload in responses_payloads(["a"])}),
    "error",
    "response.failed",
    "response.incomplete",
    "response.queued",
    "response.refusal.delta",
    "response.refusal.done",
    "response.output_text.annotation.added",
    "response.reasoning_summary_text.delta",
]
FIELDS = ["response", "item", "delta", "text", "output_index", "content_index", "error", "code"]


SHAPES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3)


@given(st.lists(st.tuples(st.sampled_from(KINDS), SHAPES), max_size=4))
@settings(max_examples=120, deadline=None)
def test_responses_decoder_accepts_any_event(drawn: list[tuple[str, dict[str, Any]]]) -> None:
    decoder = ResponsesDecoder("m")
    events = [
        event for kind, more in drawn for event in feed_decoder(decoder, {**more, "type": kind})
    ]
    decoder.answer_text.text()
    assert all(isinstance(event.text, str) for event in events if isinstance(event, Finished))


@given(st.dictionaries(st.sampled_from(["status", *FIELDS, "output", "usage", "id"]), JSON))
@settings(max_examples=100, deadline=None)
def test_responses_decoder_accepts_any_response_object(payload: dict[str, Any]) -> None:
    ResponsesDecoder("m").decode_complete(payload)
