"""What requests may hold, and how wrong ones are refused."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.model import chat_body, responses_body
from bot.playground.model.conversation import Called, Returned, Said, Tool
from bot.playground.model.fields import parse
from bot.playground.model.problems import ApiError

USER = {"role": "user", "content": "hi"}
FUNCTION = {"name": "now", "parameters": {"properties": {"zone": {}}, "required": ["zone"]}}


def responses(**fields: Any) -> responses_body.ResponsesRequest:
    return responses_body.read_request({"model": "m", "input": "hi", **fields})


def chat(**fields: Any) -> chat_body.ChatRequest:
    return chat_body.read_request({"model": "m", "messages": [USER], **fields})


def refusal(error: pytest.ExceptionInfo[ApiError]) -> tuple[int, Any, Any]:
    told = error.value.body["error"]
    assert told["message"]
    assert told["type"] == "invalid_request_error"
    return error.value.status, told["param"], told["code"]


def test_input_is_a_text_or_items() -> None:
    assert responses(input="Ada: hi").turns == (Said("user", "hi", "Ada"),)
    items = [
        {"role": "developer", "content": "Be kind."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Look"}]},
        {"role": "user", "content": [{"type": "input_image", "image_url": "data:…"}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "Nice"}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "1", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "noon"},
    ]
    assert responses(input=items).conversation().turns == (
        Said("system", "Be kind."),
        Said("user", "Look"),
        Said("user", "[image]"),
        Said("assistant", "Nice"),
        Called("1", "now", "{}"),
        Returned("1", "noon"),
    )


def test_messages_become_the_same_turns() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Look"}], "name": "Ada"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "noon"},
    ]
    assert chat(messages=messages).conversation.turns == (
        Said("system", "Be kind."),
        Said("user", "Look", "Ada"),
        Called("1", "now", "{}"),
        Returned("1", "noon"),
    )


def test_functions_on_offer_are_read_and_hosted_tools_taken() -> None:
    tools = [{"type": "web_search"}, {"type": "function", **FUNCTION}]
    assert responses(tools=tools).tools == (Tool("now", ("zone",), ("zone",)),)
    assert responses(tools=tools, tool_choice="none").tools == ()
    offered = [{"type": "function", "function": FUNCTION}]
    assert chat(tools=offered).conversation.tools == (Tool("now", ("zone",), ("zone",)),)
    assert chat(tools=offered, tool_choice="none").conversation.tools == ()


def test_defaults_are_those_of_the_api() -> None:
    plain = responses()
    assert (plain.stream, plain.background, plain.store, plain.padded) == (False, False, True, True)
    assert chat(max_tokens=5).limit == 5
    assert chat(max_tokens=5, max_completion_tokens=7).limit == 7


def test_lone_surrogate_in_a_text_becomes_a_question_mark() -> None:
    assert responses(input="a\ud800b").turns == (Said("user", "a?b"),)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"input": None}, "input", "missing_required_parameter"),
        ({"model": None}, "model", "missing_required_parameter"),
        ({"input": 5}, "input", "invalid_type"),
        ({"input": ["hi"]}, "input[0]", "invalid_type"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role", "invalid_value"),
        ({"input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter"),
        ({"input": [{"type": "spell"}]}, "input[0].type", "invalid_value"),
        ({"input": [{**USER, "content": [{"type": "text"}]}]}, "input[0].content[0].text", None),
        ({"model": 5}, "model", "invalid_type"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name", "missing_required_parameter"),
        ({"max_output_tokens": 5}, "max_output_tokens", "integer_below_min_value"),
        ({"max_output_tokens": True}, "max_output_tokens", "invalid_type"),
        ({"background": True, "store": False}, "background", None),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort", "invalid_value"),
        ({"reasoning": {"summary": "long"}}, "reasoning.summary", "invalid_value"),
        ({"reasoning": "low"}, "reasoning", "invalid_type"),
    ],
)
def test_wrong_responses_requests_are_refused(fields: Any, param: str, code: str | None) -> None:
    with pytest.raises(ApiError) as error:
        responses(**fields)
    status, told_param, told_code = refusal(error)
    assert (status, told_param) == (400, param)
    assert code is None or told_code == code


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "assistant"}]}, "messages[0].content"),
        (
            {"messages": [{"role": "tool", "tool_call_id": "1", "content": "x"}]},
            "messages.[0].role",
        ),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
)
def test_wrong_chat_requests_are_refused(fields: Any, param: str) -> None:
    with pytest.raises(ApiError) as error:
        chat(**fields)
    assert refusal(error)[:2] == (400, param)


def test_calls_and_their_outputs_must_pair() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "now", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c2", "output": "x"}
    with pytest.raises(ApiError, match="No tool output found for function call c1"):
        responses(input=[call]).conversation()
    with pytest.raises(ApiError, match=r"No tool call found .* c2"):
        responses(input=[output]).conversation()
    earlier = (Called("c2", "now", "{}"),)
    assert responses(input=[output]).conversation(earlier).turns[0] == earlier[0]
    tool_call = {"id": "c1", "type": "function", "function": {"name": "now", "arguments": ""}}
    with pytest.raises(ApiError, match="did not have response messages: c1"):
        chat(messages=[USER, {"role": "assistant", "tool_calls": [tool_call]}])
    asked = {"role": "assistant", "tool_calls": [tool_call]}
    told = {"role": "tool", "tool_call_id": "c1", "content": "x"}
    assert chat(messages=[USER, asked, told, USER])
    for odd in ([told, asked], [asked, USER, told], [asked, told, told], [asked, asked, told]):
        with pytest.raises(ApiError):
            chat(messages=odd)


def test_tool_output_before_its_call_is_refused() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "now", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c1", "output": "x"}
    assert responses(input=[call, output]).conversation()
    with pytest.raises(ApiError, match=r"No tool call found .* c1"):
        responses(input=[output, call]).conversation()


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff"])
def test_body_that_is_not_a_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as error:
        parse(raw)
    assert error.value.status == 400


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "type", "content", "text", "call_id", "output", "name"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


FIELDS = ("model", "input", "messages", "tools", "stream", "stream_options", "background", "store")
MORE_FIELDS = ("max_output_tokens", "max_tokens", "instructions", "tool_choice", "reasoning")


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([*FIELDS, *MORE_FIELDS]), ANYTHING, max_size=6))
def test_any_body_is_read_or_refused(body: dict[str, Any]) -> None:
    for reading in (responses_body.read_request, chat_body.read_request):
        with suppress(ApiError):
            assert reading(body)


STEM = "0123456789abcdef" * 3
THOUGHT = {"type": "reasoning", "id": f"rs_{STEM}00", "summary": [], "encrypted_content": "x"}
CALLED = {"type": "function_call", "name": "now", "arguments": "{}"}
ONE, TWO = (CALLED | {"id": f"fc_{STEM}0{n}", "call_id": f"c{n}"} for n in (1, 2))
GIVEN = [{"type": "function_call_output", "call_id": f"c{n}", "output": "noon"} for n in (1, 2)]


@pytest.mark.parametrize(
    ("items", "whole"),
    [
        ([THOUGHT, ONE, TWO, *GIVEN], True),
        ([USER, THOUGHT, ONE, TWO, *GIVEN, USER], True),
        ([{k: v for k, v in item.items() if k != "id"} for item in (ONE, TWO)] + GIVEN, True),
        ([ONE | {"id": "fc_1"}, TWO | {"id": "fc_2"}, *GIVEN], True),
        ([ONE, TWO, *GIVEN], False),
        ([THOUGHT, TWO, ONE, *GIVEN], False),
        ([THOUGHT, TWO, GIVEN[1]], False),
        ([ONE, THOUGHT, TWO, *GIVEN], False),
    ],
)
def test_items_of_a_response_come_back_all_and_in_order(items: list[Any], whole: bool) -> None:
    if whole:
        assert responses(input=items).conversation()
        return
    with pytest.raises(ApiError) as error:
        responses(input=items)
    assert refusal(error) == (400, "input", None)
