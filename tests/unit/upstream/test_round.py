"""Rounds of tool calls: what is collected, and how it is sent back in both formats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.events import Finished, ToolCall
from bot.upstream.prompt import Prompt, ToolResult, ToolRound
from bot.upstream.requests.bodies import CHAT_OPTIONS, RESPONSES_OPTIONS, chat_body, responses_body
from bot.upstream.tool_round import ModelOutput, ResponseItemCollector
from bot.upstream.wire.chat import ChatDecoder
from bot.upstream.wire.responses import ResponsesDecoder
from bot.values import Message

REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
ASIDE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "phase": "commentary",
    "content": [{"type": "output_text", "text": "Let me look.", "annotations": []}],
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "now", "arguments": "{}"}
OTHER = {"type": "function_call", "id": "fc_2", "call_id": "c2", "name": "now", "arguments": "[]"}
ODD = {"type": "slug:new_thing", "id": "x_1", "deep": {"er": [1]}}
CALLS = (ToolCall("c1", "now", "{}"), ToolCall("c2", "now", "[]"))
RAN = (ToolResult(CALLS[0], "noon"), ToolResult(CALLS[1], "midnight"))


def responses_round(done: list[Any], terminal: list[Any], *, indexed: bool = True) -> Finished:
    """Read a response whose items are streamed, in the order of `done`, and told at its end."""
    decoder = ResponsesDecoder("m")
    decoder.feed(b'{"type":"response.created","response":{"id":"resp_1"}}')
    for index, item in enumerate(done):
        event = {"type": "response.output_item.done", "item": item}
        decoder.feed(json.dumps(event | ({"output_index": index} if indexed else {})).encode())
    end = {"id": "resp_1", "status": "completed", "output": terminal}
    [*_, last] = decoder.feed(json.dumps({"type": "response.completed", "response": end}).encode())
    assert isinstance(last, Finished)
    return last


def chat_round(*deltas: Any, **end: Any) -> Finished:
    """Read a completion made of these deltas."""
    decoder = ChatDecoder("m")
    for delta in deltas:
        decoder.feed(json.dumps({"id": "c", "choices": [{"index": 0, "delta": delta}]}).encode())
    last = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    decoder.feed(json.dumps({"id": "c", "choices": [last], **end}).encode())
    [*_, finished] = decoder.close()
    assert isinstance(finished, Finished)
    return finished


def sent(
    output: ModelOutput | None, *, options: Any = None, ran: tuple[ToolResult, ...] = RAN
) -> Any:
    """Return what the next request says after the question."""
    prompt = Prompt("", (Message("user", "When?"),), rounds=(ToolRound(output, ran),))
    if output is not None and output.format == "chat":
        body = chat_body(prompt, "m", CHAT_OPTIONS if options is None else options)
        return json.loads(body)["messages"][1:]
    wanted = RESPONSES_OPTIONS - {"background"} if options is None else options
    return json.loads(responses_body(prompt, "m", wanted))["input"][1:]


OUTPUTS = [
    {"type": "function_call_output", "call_id": "c1", "output": "noon"},
    {"type": "function_call_output", "call_id": "c2", "output": "midnight"},
]


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize(
    "items",
    [
        [CALL, OTHER],
        [REASONING, CALL, OTHER],
        [REASONING, ASIDE, CALL, OTHER],
        [REASONING, CALL, REASONING | {"id": "rs_2"}, OTHER, ODD],
    ],
)
def test_round_of_a_response_goes_back_in_order(items: list[Any], indexed: bool) -> None:
    for done, terminal in ((items, items), (items, []), ([], items)):
        finished = responses_round(done, terminal, indexed=indexed)
        assert sent(finished.output) == [*items, *OUTPUTS]


def test_round_merges_fields_of_streamed_and_final_items() -> None:
    bare = {"type": "reasoning", "id": "rs_1", "summary": [], "status": "completed"}
    finished = responses_round([REASONING, CALL, OTHER], [bare, CALL, OTHER, ODD])
    assert sent(finished.output)[0] == {**REASONING, "status": "completed"}
    assert sent(finished.output)[3] == ODD


def test_round_matches_items_with_rewritten_ids() -> None:
    renamed = [REASONING | {"id": "rs_9"}, CALL | {"id": "fc_9"}, OTHER]
    finished = responses_round([REASONING, CALL, OTHER], renamed)
    assert sent(finished.output) == [REASONING, CALL, OTHER, *OUTPUTS]


@given(st.permutations(range(4)), st.sets(st.integers(0, 3)))
def test_round_orders_by_index_and_adds_lost_items(arrival: list[int], lost: set[int]) -> None:
    items: list[dict[str, Any]] = [{"type": f"t{n}", "id": f"i{n}"} for n in range(4)]
    collected = ResponseItemCollector()
    for n in arrival:
        if n not in lost:
            collected.add(items[n], n)
    assert collected.build(items).items == tuple(items)


def test_round_leaves_out_references_to_unstored_reasoning() -> None:
    bare = {"type": "reasoning", "id": "rs_1", "summary": []}
    output = responses_round([bare, CALL, OTHER], []).output
    assert sent(output, options={"store", "whole_rounds"}) == [
        {k: v for k, v in CALL.items() if k != "id"},
        {k: v for k, v in OTHER.items() if k != "id"},
        *OUTPUTS,
    ]
    kept = [bare, CALL, OTHER, *OUTPUTS]
    assert sent(output, options={"store", "background", "whole_rounds"}) == kept
    assert sent(output, options={"whole_rounds"}) == kept


def test_round_refused_whole_goes_back_as_calls() -> None:
    output = responses_round([REASONING, CALL, OTHER], []).output
    calls = [
        {"type": "function_call", "call_id": c.call_id, "name": c.name, "arguments": c.arguments}
        for c in CALLS
    ]
    pairs = [item for pair in zip(calls, OUTPUTS, strict=True) for item in pair]
    assert sent(output, options=set()) == pairs
    chat = chat_round(*TWO_CALLS, {"reasoning_content": "Hm."}).output
    assistant, *_ = sent(chat, options=set())
    assert assistant == {"role": "assistant", "content": None, "tool_calls": PLAIN_CALLS}


def test_round_of_the_other_format_goes_back_as_calls() -> None:
    chat = chat_round(*TWO_CALLS, {"reasoning_content": "Hm."}).output
    prompt = Prompt("", (Message("user", "What time is it?"),), rounds=(ToolRound(chat, RAN),))
    _asked, *items = json.loads(responses_body(prompt, "m", RESPONSES_OPTIONS))["input"]
    assert [item["type"] for item in items] == ["function_call", "function_call_output"] * 2


TWO_CALLS = [
    {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "now"}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
    {"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "now", "arguments": "[]"}}]},
]
PLAIN_CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    {"id": "c2", "type": "function", "function": {"name": "now", "arguments": "[]"}},
]
TOOLS = [
    {"role": "tool", "tool_call_id": "c1", "content": "noon"},
    {"role": "tool", "tool_call_id": "c2", "content": "midnight"},
]


@pytest.mark.parametrize(
    ("deltas", "fields"),
    [
        pytest.param([], {}, id="calls only"),
        pytest.param(
            [{"role": "assistant", "content": ""}, {"content": "Let "}, {"content": "me look."}],
            {"content": "Let me look."},
            id="text",
        ),
        pytest.param(
            [{"reasoning_content": "Hm"}, {"reasoning_content": "."}, {"content": "Yes"}],
            {"reasoning_content": "Hm.", "content": "Yes"},
            id="reasoning_content",
        ),
        pytest.param(
            [
                {"reasoning": "A", "reasoning_details": [{"type": "t", "text": "A", "index": 0}]},
                {"reasoning": "B", "reasoning_details": [{"type": "t", "text": "B", "index": 0}]},
                {"reasoning_details": [{"type": "e", "data": "X", "index": 1}]},
            ],
            {
                "reasoning": "AB",
                "reasoning_details": [
                    {"type": "t", "text": "AB", "index": 0},
                    {"type": "e", "data": "X", "index": 1},
                ],
            },
            id="reasoning_details",
        ),
        pytest.param(
            [{"content": [{"type": "thinking", "thinking": "Hm"}]}, {"content": "Yes"}],
            {"content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Yes"}]},
            id="content in parts",
        ),
        pytest.param(
            [{"extra_content": {"google": {"thought": True}}}],
            {"extra_content": {"google": {"thought": True}}},
            id="a field nobody knows",
        ),
    ],
)
def test_round_of_a_completion_goes_back_with_all_fields(
    deltas: list[Any], fields: dict[str, Any]
) -> None:
    output = chat_round(*deltas, *TWO_CALLS).output
    assistant = {"role": "assistant", "content": None, "tool_calls": PLAIN_CALLS}
    assert sent(output) == [assistant | fields, *TOOLS]


@pytest.mark.parametrize("first", [True, False], ids=["with the name", "later"])
def test_round_keeps_unknown_fields_with_their_call(first: bool) -> None:
    signed = {"extra_content": {"google": {"thought_signature": "S"}}}
    fragments = json.loads(json.dumps(TWO_CALLS))
    fragments[0 if first else 1]["tool_calls"][0] |= signed
    fragments[2]["tool_calls"][0]["function"]["strict"] = True
    assistant, *_ = sent(chat_round(*fragments).output)
    one, two = assistant["tool_calls"]
    assert one == PLAIN_CALLS[0] | signed
    assert two["function"] == {"name": "now", "arguments": "[]", "strict": True}


def test_round_of_a_completion_object_is_kept() -> None:
    decoder = ChatDecoder("m")
    message: dict[str, Any] = {"role": "assistant", "content": "Hm", "reasoning_content": "R"}
    message |= {"tool_calls": PLAIN_CALLS}
    whole = {"id": "c", "choices": [{"message": message, "finish_reason": "tool_calls"}]}
    [*_, finished] = decoder.decode_complete(whole)
    assert isinstance(finished, Finished)
    assert sent(finished.output) == [message, *TOOLS]


def test_round_is_not_kept_without_calls() -> None:
    decoder = ChatDecoder("m")
    end = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
    decoder.feed(json.dumps({"id": "c", "choices": [end]}).encode())
    [finished] = decoder.close()
    assert isinstance(finished, Finished)
    assert finished.output is None
    assert responses_round([ASIDE | {"phase": "final_answer"}], []).output is None
