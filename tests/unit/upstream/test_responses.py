"""The decoder of the Responses API: every relevant event, and its variants."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import PromptRefused, UpstreamBusy
from bot.upstream.events import (
    Activity,
    Citation,
    Finished,
    Reasoning,
    Started,
    TextDelta,
    TextDone,
    ToolCall,
)
from bot.upstream.wire.responses import ResponsesDecoder
from bot.values import Usage
from bot.words import Phrase
from tests.support.words import activity_text, english
from tests.unit.upstream.responses_decoding import (
    added,
    completed,
    decode,
    delta,
    done,
    feed_decoder,
    finished_event,
)
from tests.unit.upstream.wire import message, response

CALL = {"type": "function_call", "call_id": "call_1", "name": "now", "arguments": '{"a":1}'}


# Where text belongs.


def test_responses_decoder_ignores_a_repeated_created_event() -> None:
    created = {"type": "response.created", "response": response("in_progress")}
    events = decode(created, delta("a"), created, delta("b"), completed())
    assert [event for event in events if isinstance(event, Started)] == events[:1]
    assert finished_event(events).text == "ab"


def test_responses_decoder_accepts_in_progress_before_created() -> None:
    created = {"type": "response.created", "response": response("in_progress")}
    events = decode({"type": "response.in_progress"}, created, delta("a"))
    assert events == [Started("resp_1", "tiny"), TextDelta("a")]


def test_responses_text_without_indexes_belongs_to_the_last_message() -> None:
    first, second = message("", id="m1"), message("", id="m2")
    events = decode(added(first), delta("a"), delta("b"), added(second), delta("c"), completed())
    assert finished_event(events).text == "ab\n\nc"


def test_responses_done_and_completed_replace_lost_deltas() -> None:
    text = {"type": "response.output_text.done", "text": "abc", "output_index": 0}
    events = decode(delta("a", output_index=0), delta("c", output_index=0), text)
    assert events[-1] == TextDone("abc")
    events = decode(delta("a"), completed([message("abcd")]))
    assert finished_event(events).text == "abcd"


def test_responses_empty_final_output_removes_no_text() -> None:
    assert finished_event(decode(delta("abc"), completed([]))).text == "abc"
    assert finished_event(decode(delta("abc"), completed([message("")]))).text == "abc"
    assert finished_event(decode(delta("abc"), completed({"odd": 1}))).text == "abc"


def test_responses_messages_are_paragraphs() -> None:
    events = decode(completed([message("one"), {"type": "reasoning"}, message("two")]))
    assert finished_event(events).text == "one\n\ntwo"


def test_responses_commentary_is_activity_and_not_text() -> None:
    aside, answer = message("", phase="commentary"), message("", phase="final_answer")
    text = {"type": "response.output_text.done", "output_index": 0, "text": "I'll look it up."}
    output = [message("I'll look it up.", phase="commentary"), message("42", phase="final_answer")]
    events = decode(
        added(aside, output_index=0),
        delta("I'll look ", output_index=0),
        delta("it up.", output_index=0),
        text,
        added(answer, output_index=1),
        delta("42", output_index=1),
        completed(output),
    )
    assert events[:3] == [Activity("I'll look it up."), Activity(None), TextDelta("42")]
    assert finished_event(events).text == "42"


def test_responses_commentary_is_the_text_of_last_resort() -> None:
    assert finished_event(decode(completed([message("Hm.", phase="commentary")]))).text == "Hm."


def test_responses_refusal_is_the_answer() -> None:
    part = {"type": "refusal", "refusal": "I can't."}
    output = [{"type": "message", "content": [part]}]
    events = decode({"type": "response.refusal.delta", "delta": "I can't."}, completed(output))
    assert events == [TextDelta("I can't."), Finished("I can't.", is_refusal=True)]
    assert finished_event(decode(completed(output))).is_refusal
    text = {"type": "response.refusal.done", "refusal": "No."}
    assert finished_event(decode(text, completed())) == Finished("No.", is_refusal=True)


# What else it does.


@pytest.mark.parametrize(
    ("item", "doing"),
    [
        ({"type": "web_search_call"}, "Searching the web…"),
        (
            {"type": "web_search_call", "action": {"type": "search", "query": "otters\nin rivers"}},
            "Searching the web: otters in rivers",
        ),
        (
            {"type": "web_search_call", "action": {"type": "search", "queries": ["otters"]}},
            "Searching the web: otters",
        ),
        (
            {"type": "web_search_call", "action": {"type": "open_page", "url": "https://a.test"}},
            "Reading https://a.test",
        ),
        ({"type": "web_search_call", "action": 7}, "Searching the web…"),
        ({"type": "file_search_call", "queries": ["a"]}, "Searching files: a"),
        ({"type": "file_search_call", "queries": None}, "Searching files…"),
        ({"type": "code_interpreter_call"}, "Running code…"),
        ({"type": "mcp_call", "name": "make_it"}, "Using make_it…"),
        ({"type": "mcp_call"}, "Using a tool…"),
        ({"type": "mcp_list_tools"}, "Looking at the tools it has…"),
        ({"type": "image_generation_call"}, "Drawing an image…"),
        ({"type": "compaction"}, "Shortening the conversation…"),
        ({"type": "reasoning"}, "Thinking…"),
        ({"type": "tool_search_call"}, "Looking for a tool…"),
    ],
)
def test_responses_items_become_activity_labels(item: dict[str, Any], doing: str) -> None:
    assert [activity_text(event) for event in decode(added(item))] == [doing]
    assert [activity_text(event) for event in decode(added(item), done(item))] == [doing]


def test_activity_label_clips_a_long_query() -> None:
    item = {"type": "web_search_call", "action": {"query": "x" * 500}}
    (event,) = decode(added(item))
    assert len(activity_text(event)) < 150


def test_responses_queued_is_an_activity_that_ends() -> None:
    queued = {"type": "response.queued", "response": response("queued")}
    going = {"type": "response.in_progress", "response": response("in_progress")}
    doing = [event for event in decode(queued, going) if isinstance(event, Activity)]
    assert doing == [Activity(Phrase.QUEUED_AT_SERVER), Activity(None)]


SUMMARY = {"type": "summary_text", "text": "first"}
RAW = {"type": "reasoning_text", "text": "raw"}


def test_responses_reasoning_and_its_summary_are_told_apart() -> None:
    piece = {"type": "response.reasoning_summary_text.delta", "delta": "I weigh"}
    over = {"type": "response.reasoning_summary_text.done", "text": "I weigh"}
    raw = {"type": "response.reasoning_text.delta", "delta": "so"}
    raw_over = {"type": "response.reasoning_text.done", "text": "so"}
    other = {"type": "response.reasoning.delta", "delta": "then"}
    odd = {"type": "response.reasoning_text.delta", "delta": {"text": "no"}}
    empty = {"type": "response.reasoning_summary_text.delta", "delta": ""}
    assert decode(piece, over, raw, raw_over, other, odd, empty) == [
        Reasoning("I weigh", is_summary=True),
        Reasoning("\n\n", is_summary=True),
        Reasoning("so"),
        Reasoning("\n\n"),
        Reasoning("then"),
    ]


@pytest.mark.parametrize(
    ("items", "reasoning"),
    [
        ([{"summary": [SUMMARY, {**SUMMARY, "text": "second"}]}, {"summary": [SUMMARY]}], 3),
        ([{"summary": [], "content": [RAW]}, {"summary": [SUMMARY], "content": [RAW]}], 1),
        ([{"summary": [], "content": [RAW]}, {"content": [RAW, "odd", {"text": 1}]}], 2),
        ([{"summary": None, "content": "odd"}, {"summary": ["odd", {}]}, {}], 0),
    ],
    ids=["summaries", "summaries before raw", "raw only", "odd"],
)
def test_responses_end_says_what_the_reasoning_was(
    items: list[dict[str, Any]], reasoning: int
) -> None:
    output = [{"type": "reasoning", **item} for item in items]
    (*_, end) = decode(completed([*output, message("a")]))
    assert isinstance(end, Finished)
    words = end.reasoning.split("\n\n") if end.reasoning else []
    assert len(words) == reasoning
    assert ("raw" in words) is (reasoning == 2)


def test_responses_citations_come_once_each() -> None:
    note = {"type": "url_citation", "url": "https://a.test", "title": "A"}
    event = {"type": "response.output_text.annotation.added", "annotation": note}
    odd = {**event, "annotation": {"type": "file_citation", "filename": "x"}}
    content = [
        {"type": "output_text", "text": "t", "annotations": [note, {"url": "https://b.test"}]}
    ]
    events = decode(event, event, odd, completed([{"type": "message", "content": content}]))
    sources = [source for source in events if isinstance(source, Citation)]
    assert sources == [Citation("https://a.test", "A"), Citation("https://b.test")]


# How it ends.


def test_responses_tool_call_comes_once_and_at_the_end() -> None:
    events = decode(added(CALL | {"arguments": ""}), done(CALL), completed([CALL]))
    assert events == [ToolCall("call_1", "now", '{"a":1}'), Finished("")]


def test_responses_tool_call_of_the_final_event_only_is_kept() -> None:
    assert decode(completed([CALL]))[0] == ToolCall("call_1", "now", '{"a":1}')


def test_responses_cut_off_call_is_not_made() -> None:
    ended = {
        "type": "response.incomplete",
        "response": {"incomplete_details": {"reason": "max_output_tokens"}, "output": [CALL]},
    }
    (event,) = decode(delta("a"), ended)[1:]
    assert event == Finished("a", cut_off_reason="max_output_tokens")


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"reason": "max_output_tokens"}, "max_output_tokens"),
        ({"reason": "content_filter"}, "content_filter"),
        ({"reason": "steered"}, "steered"),
        ({}, "incomplete"),
        (None, "incomplete"),
        ("odd", "incomplete"),
    ],
)
def test_responses_incomplete_answer_has_a_cut_off_reason(details: object, reason: str) -> None:
    ended = {"type": "response.incomplete", "response": {"incomplete_details": details}}
    assert finished_event(decode(delta("a"), ended)).cut_off_reason == reason


@pytest.mark.parametrize(
    ("output", "cut_off", "sentence"),
    [
        ([], "", "The model ended without writing an answer. Asking again may help."),
        ([{"type": "reasoning"}], "", "The model thought about it but wrote no answer."),
        ([{"type": "shell_call"}], "", "The model asked for a tool this bot doesn't have"),
        ([{"type": "custom_tool_call"}], "", "The model asked for a tool this bot doesn't have"),
        ([{"type": "mcp_approval_request"}], "", "The model asked to be allowed a tool"),
        ([{"type": "image_generation_call"}], "", "The model drew an image"),
        ([], "max_output_tokens", "The model used up its length limit"),
        ([], "content_filter", "The answer was withheld"),
    ],
)
def test_responses_answer_without_text_is_one_sentence(
    output: list[Any],
    cut_off: str,
    sentence: str,
) -> None:
    details = {"reason": cut_off} if cut_off else None
    end = finished_event(decode(completed(output, incomplete_details=details)))
    assert end.text == ""
    assert end.no_text
    assert english(end.no_text).startswith(sentence)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 3, "output_tokens": 7}, Usage(3, 7)),
        ({"input_tokens": None, "output_tokens": "many"}, Usage()),
        (None, Usage()),
        ([], Usage()),
    ],
)
def test_responses_usage_is_read_where_the_server_sends_it(usage: object, expected: Usage) -> None:
    assert finished_event(decode(delta("a"), completed(usage=usage))).usage == expected


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "error", "code": "server_error", "message": "oh"},
        {"type": "error", "error": {"type": "server_error", "message": "oh"}},
        {"error": {"code": "500", "message": "oh"}},
        {"type": "error", "error": "oh"},
        {"type": "response.failed", "response": {"error": {"code": "server_error"}}},
        {"type": "response.failed", "response": {"error": None}},
        {"type": "response.failed"},
    ],
)
def test_responses_error_of_any_shape_ends_the_answer(payload: dict[str, Any]) -> None:
    decoder = ResponsesDecoder("m")
    assert feed_decoder(decoder, delta("a"), payload) == [TextDelta("a")]
    assert decoder.ended
    assert isinstance(decoder.error, UpstreamBusy)
    assert decoder.answer_text.text() == "a"


def test_responses_cancelled_is_not_retried() -> None:
    decoder = ResponsesDecoder("m")
    assert decoder.decode_complete({"id": "resp_1", "status": "cancelled"}) == [Started("resp_1")]
    assert isinstance(decoder.error, PromptRefused)
    assert "cancelled" in english(decoder.error.user_message)


def test_responses_object_is_read_like_its_stream() -> None:
    decoder = ResponsesDecoder("m")
    assert decoder.decode_complete(response("queued")) == (Started("resp_1", "tiny"),)
    assert decoder.still_running
    assert not decoder.ended
    assert list(decoder.decode_complete(response("completed", text="a"))) == [
        Finished("a", Usage(3, 7))
    ]
    assert not decoder.still_running
