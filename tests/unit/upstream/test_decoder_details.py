"""Details of the decoders that a change could break without any other test noticing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.upstream.events import Activity, Event, Finished, Started, TextDelta, ToolCall
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.decoder import Decoder
from bot.upstream.wire.responses import ResponsesDecoder
from bot.upstream.wire.sse import SseParser
from tests.support.words import activity_text
from tests.unit.upstream import recordings
from tests.unit.upstream.wire import chunk, response

FUNCTION = {"name": "find", "arguments": "{}"}
PIECE = {"index": 0, "id": "call_1", "type": "function", "function": FUNCTION}


def feed(decoder: Decoder, *payloads: dict[str, Any]) -> list[Event]:
    """Return the events of these payloads."""
    return [event for each in payloads for event in decoder.feed(json.dumps(each).encode())]


def item(**fields: Any) -> dict[str, Any]:
    """Return the end of an output item of the Responses API."""
    return {"type": "response.output_item.done", "output_index": 0, "item": fields}


def calls(*items: dict[str, Any]) -> list[ToolCall]:
    """Return the calls of a response with these items."""
    end = {"type": "response.completed", "response": response("completed")}
    events = feed(ResponsesDecoder("m"), *items, end)
    return [event for event in events if isinstance(event, ToolCall)]


@pytest.mark.parametrize(
    "name", [name for name in recordings.SYNTHETIC if not name.endswith("resumed.sse")]
)
def test_first_event_of_every_stream_is_started(name: str) -> None:
    decoder = ResponsesDecoder("m") if name.startswith("responses/") else ChatDecoder("m")
    datas = SseParser(1 << 20).feed(recordings.stream(name))
    events = [event for data in datas if data != b"[DONE]" for event in decoder.feed(data)]
    assert isinstance(events[0], Started)
    assert events[0].model == "tiny"


def test_chat_decoder_leaves_out_the_text_of_other_choices() -> None:
    other = {"id": "1", "choices": [{"index": 1, "delta": {"content": "other"}}]}
    events = feed(ChatDecoder("m"), chunk({"content": "a"}), other, chunk({"content": "b"}))
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["a", "b"]


@pytest.mark.parametrize(
    "delta",
    [
        pytest.param({"content": "a"}, id="text"),
        pytest.param({"refusal": "no"}, id="refusal"),
        pytest.param({"reasoning": "hm"}, id="reasoning"),
        pytest.param({"reasoning_content": "hm"}, id="reasoning_content"),
        pytest.param({"tool_calls": [PIECE]}, id="call"),
    ],
)
def test_chat_decoder_counts_as_progress_what_an_answer_is_made_of(delta: dict[str, Any]) -> None:
    decoder = ChatDecoder("m")
    feed(decoder, chunk({"role": "assistant"}))
    assert decoder.progress == 0
    feed(decoder, chunk(delta))
    assert decoder.progress == 1


def test_chat_decoder_ends_after_a_call_that_follows_a_reason_to_end() -> None:
    usage = {"usage": {"prompt_tokens": 3, "completion_tokens": 7}}
    more = {**chunk({"tool_calls": [PIECE]}), **usage}
    decoder = ChatDecoder("m")
    events = feed(decoder, chunk({"content": "a"}, finish_reason="stop"), more)
    assert not [event for event in events if isinstance(event, Finished)]
    events = feed(decoder, chunk(finish_reason="tool_calls"))
    assert [event.name for event in decoder.close() if isinstance(event, ToolCall)] == ["find"]


def test_chat_decoder_takes_an_empty_reason_to_end_for_none() -> None:
    decoder = ChatDecoder("m")
    feed(decoder, chunk({"content": "a"}, finish_reason=""))
    assert not decoder.is_ending


def test_responses_decoder_names_a_call_by_its_call_id_and_else_by_its_id() -> None:
    named = item(type="function_call", call_id="c1", id="i1", name="find", arguments="{}")
    unnamed = item(type="function_call", id="i2", name="find", arguments="{}")
    nameless = item(type="function_call", name="find", arguments="{}")
    assert [call.call_id for call in calls(named, unnamed, nameless)] == ["c1", "i2"]


def test_responses_decoder_gives_a_call_without_arguments_an_empty_object() -> None:
    assert calls(item(type="function_call", call_id="c1", name="now"))[0].arguments == "{}"


def test_responses_decoder_keeps_its_activity_while_items_come_that_need_no_words() -> None:
    search = {"type": "web_search_call", "action": {"query": "otters"}}
    added = {"type": "response.output_item.added", "output_index": 0, "item": search}
    done = item(type="function_call", call_id="c1", name="now")
    events = feed(ResponsesDecoder("m"), added, {**added, "item": done["item"]}, done)
    assert [activity_text(e) for e in events if isinstance(e, Activity)] == [
        "Searching the web: otters"
    ]


@pytest.mark.parametrize(("size", "kept"), [(9, True), (10, True), (11, False)])
def test_sse_parser_drops_only_an_event_of_more_than_its_limit(size: int, kept: bool) -> None:
    parser = SseParser(10)
    data = b"x" * (size - 1)  # and its line break
    events = parser.feed(b"event: odd\ndata: " + data + b"\n") + parser.feed(b"\n")
    assert bool(events) is kept
    assert parser.skipped_events == (not kept)
