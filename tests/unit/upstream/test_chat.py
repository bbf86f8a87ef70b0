"""The decoder of Chat Completions, with the variants of many servers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.errors import PromptRefused, UpstreamBusy
from bot.upstream.events import (
    Activity,
    Citation,
    Event,
    Finished,
    Reasoning,
    Started,
    TextDelta,
    ToolCall,
)
from bot.upstream.wire.chat import ChatDecoder
from bot.values import Usage
from bot.words import Phrase
from tests.unit.upstream.wire import chunk

STOP = chunk(finish_reason="stop")
USAGE = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 7}}
DONE = "[DONE]"


def feed(decoder: ChatDecoder, *payloads: Any) -> list[Event]:
    """Return the events of these payloads, without the first."""
    raw = (p.encode() if p == DONE else json.dumps(p).encode() for p in payloads)
    events = [event for data in raw for event in decoder.feed(data)]
    return [event for event in events if not isinstance(event, Started)]


def read(*payloads: Any) -> list[Event]:
    """Return the events of a whole stream."""
    decoder = ChatDecoder("m")
    return [*feed(decoder, *payloads), *decoder.close()]


def text(content: object, **more: Any) -> dict[str, Any]:
    """Return a chunk with text."""
    return chunk({"content": content}, **more)


def tools(*fragments: object) -> dict[str, Any]:
    """Return a chunk with pieces of tool calls."""
    return chunk({"tool_calls": list(fragments)})


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ([text("a"), text("b"), STOP, USAGE, DONE], "ab"),
        ([text("ab", finish_reason="stop")], "ab"),
        ([chunk({"role": "assistant", "content": None}), text("ab"), STOP], "ab"),
        ([chunk({"role": "assistant", "content": ""}), text("ab"), text(""), STOP], "ab"),
        ([text("ab"), chunk(delta=None, finish_reason="stop")], "ab"),
        ([{"choices": [{"delta": None}]}, {"choices": [{}]}, text("ab"), STOP], "ab"),
        ([{"choices": []}, {"choices": None}, {}, text("ab"), STOP], "ab"),
        ([text([{"type": "text", "text": "ab"}]), STOP], "ab"),
        ([text([{"type": "thinking", "thinking": []}]), text("ab"), STOP], "ab"),
        ([text("ab", index=1), text("ab"), STOP], "ab"),
        ([text("ab", finish_reason=""), text(None), STOP], "ab"),
        ([text("ab"), chunk(finish_reason="eos_token")], "ab"),
        ([text("ab"), DONE], "ab"),
    ],
)
def test_chat_text_is_read_in_every_shape(payloads: list[Any], expected: str) -> None:
    events = read(*payloads)
    assert isinstance(events[-1], Finished)
    assert events[-1].text == expected
    assert sum(isinstance(event, Finished) for event in events) == 1
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == expected


def test_chat_end_leaves_waiting_for_token_counts_to_the_caller() -> None:
    decoder = ChatDecoder("m")
    assert feed(decoder, text("a"), STOP) == [TextDelta("a")]
    assert decoder.is_ending
    assert feed(decoder, USAGE) == [Finished("a", Usage(3, 7))]
    assert decoder.ended
    assert decoder.close() == ()


@pytest.mark.parametrize(
    "payloads",
    [
        [text("a"), {**STOP, "usage": USAGE["usage"]}],
        [{**text("a"), "usage": USAGE["usage"]}, STOP, DONE],
        [text("a"), STOP, USAGE],
    ],
)
def test_chat_usage_is_read_from_any_chunk(payloads: list[Any]) -> None:
    assert read(*payloads)[-1] == Finished("a", Usage(3, 7))


def test_chat_answer_needs_a_finish_reason_or_done() -> None:
    assert read(text("a")) == [TextDelta("a")]
    assert read(text("a"), USAGE) == [TextDelta("a")]
    assert read(DONE) == []


@pytest.mark.parametrize(
    ("reason", "cut_off"),
    [("length", "max_output_tokens"), ("content_filter", "content_filter"), ("stop", "")],
)
def test_chat_cut_off_answer_has_a_reason(reason: str, cut_off: str) -> None:
    (*_, end) = read(text("a"), chunk(finish_reason=reason))
    assert end == Finished("a", cut_off_reason=cut_off)


def test_chat_refusal_is_the_answer() -> None:
    events = read(chunk({"refusal": "I "}), chunk({"refusal": "can't."}), STOP)
    assert events[-1] == Finished("I can't.", is_refusal=True)


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_chat_reasoning_is_an_activity_until_text_comes(field: str) -> None:
    events = read(chunk({field: "h"}), chunk({field: "m"}), text("a"), chunk({field: "x"}), STOP)
    assert events == [
        *[Activity(Phrase.THINKING), Reasoning("h"), Reasoning("m")],
        *[Activity(None), TextDelta("a"), Reasoning("x"), Finished("a")],
    ]


DETAIL = {"type": "reasoning.text", "text": "hm"}
SEALED = {"type": "reasoning.encrypted", "data": "x"}


@pytest.mark.parametrize(
    ("delta", "told"),
    [
        ({"reasoning": "hm", "reasoning_details": [DETAIL]}, ["hm"]),
        ({"reasoning": "hm", "reasoning_content": "hm"}, ["hm"]),
        ({"reasoning": "", "reasoning_details": [SEALED, DETAIL]}, ["hm"]),
        ({"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]}, ["hm"]),
        ({"reasoning_details": [SEALED]}, []),
        ({"reasoning": {"text": "odd"}, "reasoning_details": "odd"}, []),
        ({"reasoning_details": ["odd", {"text": 1}]}, []),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}, ["hm"]),
        ({"content": [{"type": "thinking", "thinking": "hm"}, {"text": ""}, "odd"]}, ["hm"]),
    ],
)
def test_chat_reasoning_is_told_once_whatever_its_fields(
    delta: dict[str, Any], told: list[str]
) -> None:
    events = read(chunk(delta), text("a"), STOP)
    assert [event.text for event in events if isinstance(event, Reasoning)] == told
    assert events[0] == Activity(Phrase.THINKING)
    assert events[-1] == Finished("a")


def test_chat_reasoning_and_text_of_one_chunk_are_both_told() -> None:
    events = read(text("a"), chunk({"content": "b", "reasoning_details": [DETAIL]}), STOP)
    assert events == [TextDelta("a"), Reasoning("hm"), TextDelta("b"), Finished("ab")]


def test_chat_answer_of_reasoning_only_is_one_sentence() -> None:
    (*_, end) = read(chunk({"reasoning": "hm"}), STOP)
    assert isinstance(end, Finished)
    assert (end.text, end.no_text) == ("", Phrase.THOUGHT_ONLY)


def test_chat_empty_answer_is_one_sentence() -> None:
    (end,) = read(STOP)
    assert isinstance(end, Finished)
    assert (end.text, end.no_text) == ("", Phrase.NOTHING_WRITTEN)


def part(index: object, arguments: object, **more: Any) -> dict[str, Any]:
    """Return a piece of a tool call."""
    base = {} if index is None else {"index": index}
    return {**base, **more, "function": {"arguments": arguments, **more.pop("function", {})}}


FIRST = ToolCall("call_1", "now", '{"a":1}')
SECOND = ToolCall("call_2", "then", "{}")


def named(index: object, call: ToolCall, arguments: object) -> dict[str, Any]:
    """Return the first piece of a tool call."""
    base = {} if index is None else {"index": index}
    function = {"name": call.name, "arguments": arguments}
    return {**base, "id": call.call_id, "type": "function", "function": function}


@pytest.mark.parametrize(
    ("payloads", "calls"),
    [
        ([tools(named(0, FIRST, "")), tools(part(0, '{"a"')), tools(part(0, ":1}"))], [FIRST]),
        ([tools(named(0, FIRST, '{"a":1}'), named(1, SECOND, ""))], [FIRST, SECOND]),
        (
            [
                tools(named(0, FIRST, '{"a"')),
                tools(named(1, SECOND, "{")),
                tools(part(0, ":1}"), part(1, "}")),
            ],
            [FIRST, SECOND],
        ),
        ([tools(named(None, FIRST, '{"a"')), tools(part(None, ":1}"))], [FIRST]),
        ([tools(named(None, FIRST, '{"a":1}'), named(None, SECOND, "{}"))], [FIRST, SECOND]),
        ([tools(named(None, FIRST, {"a": 1}))], [FIRST]),
        ([tools(named(3, SECOND, None))], [SECOND]),
        ([tools(named(0, FIRST, '{"a":1}'), 7, None, [])], [FIRST]),
    ],
)
def test_chat_tool_calls_are_assembled(payloads: list[Any], calls: list[ToolCall]) -> None:
    events = read(*payloads, chunk(finish_reason="tool_calls"), USAGE, DONE)
    assert events == [*calls, Finished("", Usage(3, 7))]


def test_chat_cut_off_call_is_not_made() -> None:
    events = read(tools(named(0, FIRST, '{"a"')), chunk(finish_reason="length"))
    assert not any(isinstance(event, ToolCall) for event in events)


def test_chat_call_without_an_id_gets_one() -> None:
    (call, _) = read(tools({"function": {"name": "now"}}), chunk(finish_reason="tool_calls"))
    assert call == ToolCall("call_0", "now", "{}")


@pytest.mark.parametrize(
    "payload",
    [
        {"error": {"message": "oh", "code": 502}},
        {"error": "oh"},
        {"error": {"message": "oh"}, "choices": [{"delta": {}, "finish_reason": "error"}]},
        chunk(error={"code": 502, "message": "oh"}),
        chunk(finish_reason="error"),
        chunk(finish_reason="insufficient_system_resource"),
    ],
)
def test_chat_error_of_any_shape_ends_the_answer(payload: dict[str, Any]) -> None:
    decoder = ChatDecoder("m")
    assert feed(decoder, text("a"), payload) == [TextDelta("a")]
    assert decoder.ended
    assert isinstance(decoder.error, UpstreamBusy)
    assert decoder.close() == ()


def test_chat_error_of_the_prompt_is_final() -> None:
    decoder = ChatDecoder("m")
    feed(decoder, {"error": {"type": "invalid_request_error", "message": "no"}})
    assert isinstance(decoder.error, PromptRefused)


def test_chat_error_after_the_end_is_ignored() -> None:
    events = read(text("a"), STOP, {"error": {"message": "Token limit reached"}}, USAGE)
    assert events == [TextDelta("a"), Finished("a", Usage(3, 7))]


def test_chat_citations_come_once_with_the_best_title() -> None:
    found = {"search_results": [{"url": "https://a.test", "title": "A"}]}
    listed = {"citations": ["https://a.test", "https://b.test", 7]}
    note = {"type": "url_citation", "url_citation": {"url": "https://c.test", "title": "C"}}
    events = read(
        {**text("a"), **found, **listed},
        {**text("b"), **found, **listed},
        chunk({"annotations": [note, note, 7]}),
        STOP,
    )
    sources = [event for event in events if isinstance(event, Citation)]
    expected = [Citation("https://a.test", "A"), Citation("https://b.test")]
    assert sources == [*expected, Citation("https://c.test", "C")]


def test_chat_completion_object_is_read_like_its_stream() -> None:
    message = {"role": "assistant", "content": "ab"}
    decoder = ChatDecoder("m")
    whole = {
        "id": "c",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE["usage"],
    }
    events = decoder.decode_complete(whole)
    assert list(events) == [Started("c"), TextDelta("ab"), Finished("ab", Usage(3, 7))]


def test_chat_decoder_survives_broken_characters_and_json() -> None:
    decoder = ChatDecoder("m")
    decoder.feed(b'{"id":"c"}')
    raw = b'{"choices":[{"delta":{"content":"a\xff"}}]}'
    assert decoder.feed(raw) == (TextDelta("a\ufffd"),)
    for noise in (b"", b"{", b"[]", b"7", b"\xff", b'{"choices":7}', b'{"choices":[7]}'):
        assert decoder.feed(noise) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["index", "id", "function", "name", "arguments", "text", "type", "url"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=5,
)
DELTAS = st.dictionaries(
    st.sampled_from(["content", "refusal", "reasoning", "tool_calls", "annotations"]),
    JSON,
)
CHUNKS = st.fixed_dictionaries(
    {
        "choices": st.lists(
            st.fixed_dictionaries({}, optional={"delta": DELTAS, "finish_reason": JSON}),
            max_size=2,
        ),
    },
    optional={"usage": JSON, "error": JSON, "citations": JSON, "id": JSON},
)


@given(st.lists(CHUNKS, max_size=4))
@settings(max_examples=120, deadline=None)
@example([{"choices": [{"delta": {"tool_calls": [{"index": []}]}}]}])
def test_chat_decoder_accepts_any_chunk(chunks: list[Any]) -> None:
    events = read(*chunks)
    assert sum(isinstance(event, Finished) for event in events) <= 1
