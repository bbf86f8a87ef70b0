"""Outsiders: the openai package reads the demo model as it reads OpenAI."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import ResponseFunctionToolCall

from tests.unit.playground.model.serving import MODEL, DemoModel, serving

ESSAY = "write a long essay"
NOW: Any = {
    "type": "function",
    "name": "now",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}
CALCULATE: Any = {
    "type": "function",
    "function": {
        "name": "calculate",
        "parameters": {
            "type": "object",
            "properties": {"expression": {"type": "string"}},
            "required": ["expression"],
        },
    },
}


async def received(stream: Any) -> tuple[list[Any], openai.APIError | None]:
    """The events of a stream, and the error that ended it, if any."""
    events: list[Any] = []
    try:
        async for event in stream:
            events.append(event)  # noqa: PERF401  what came before an error counts
    except openai.APIError as error:
        return events, error
    return events, None


def text_of(events: list[Any]) -> str:
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


@pytest.fixture
async def client(demo: DemoModel) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=demo.url, api_key="sk-any", max_retries=0) as opened:
        yield opened


async def test_responses_stream_is_numbered_and_its_parts_agree(client: AsyncOpenAI) -> None:
    deltas: list[str] = []
    numbers: list[int] = []
    async for event in await client.responses.create(model=MODEL, input=ESSAY, stream=True):
        numbers.append(event.sequence_number)
        if event.type == "response.output_text.delta":
            deltas.append(event.delta)
        elif event.type == "response.output_text.done":
            assert event.text == "".join(deltas)
    assert numbers == list(range(len(numbers)))
    assert event.type == "response.completed"
    assert event.response.output_text == "".join(deltas)
    assert event.response.usage is not None
    assert event.response.usage.output_tokens == len(deltas)
    assert event.response.usage.total_tokens == event.response.usage.input_tokens + len(deltas)


async def test_accumulator_of_the_sdk_agrees_with_the_stream(client: AsyncOpenAI) -> None:
    async with client.responses.stream(model=MODEL, input="search the web for otters") as stream:
        deltas = [e.delta async for e in stream if e.type == "response.output_text.delta"]
        final = await stream.get_final_response()
    assert final.output_text == "".join(deltas)
    assert [item.type for item in final.output] == ["web_search_call", "message"]


async def test_answer_without_a_stream_equals_the_streamed_one(client: AsyncOpenAI) -> None:
    whole = await client.responses.create(model=MODEL, input="what are the two promises?")
    async for event in await client.responses.create(
        model=MODEL, input="what are the two promises?", stream=True
    ):
        last = event
    assert last.type == "response.completed"
    assert last.response.output_text == whole.output_text
    assert last.response.usage == whole.usage


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
async def test_cut_background_stream_is_resumed_to_the_exact_text(
    client: AsyncOpenAI, demo: DemoModel, share: float
) -> None:
    whole = await client.responses.create(model=MODEL, input=ESSAY)
    demo.board.set_faults(drop_at=share)
    stream = await client.responses.create(model=MODEL, input=ESSAY, stream=True, background=True)
    before, error = await received(stream)
    assert isinstance(error, openai.APIConnectionError)
    assert len(text_of(before)) / len(whole.output_text) == pytest.approx(share, abs=0.01)
    rest, error = await received(
        await client.responses.retrieve(
            before[0].response.id, stream=True, starting_after=before[-1].sequence_number
        )
    )
    assert error is None
    assert [e.sequence_number for e in before + rest] == list(range(len(before) + len(rest)))
    assert text_of(before + rest) == whole.output_text == rest[-1].response.output_text


async def test_background_stream_is_replayed_completely_without_a_cursor(
    client: AsyncOpenAI,
) -> None:
    first = [
        event
        async for event in await client.responses.create(
            model=MODEL, input="hello", stream=True, background=True
        )
    ]
    assert first[0].type == "response.created"
    again = [e async for e in await client.responses.retrieve(first[0].response.id, stream=True)]
    assert [e.to_dict() for e in again] == [e.to_dict() for e in first]


async def test_background_response_can_be_polled_cancelled_and_deleted(client: AsyncOpenAI) -> None:
    made = await client.responses.create(model=MODEL, input="hello", background=True)
    assert made.status in {"queued", "in_progress"}
    async for event in await client.responses.create(
        model=MODEL, input="hello", background=True, stream=True
    ):
        last = event
    assert last.type == "response.completed"
    polled = await client.responses.retrieve(last.response.id)
    assert (polled.status, polled.output_text) == ("completed", last.response.output_text)
    cancelled = await client.responses.cancel(last.response.id)
    assert cancelled.status == "completed"  # too late, and no harm done
    await client.responses.delete(last.response.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(last.response.id)


async def test_wrong_key_is_an_authentication_error() -> None:
    async with serving(api_key="sk-right") as demo:
        async with AsyncOpenAI(base_url=demo.url, api_key="sk-wrong", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError) as refused:
                await client.responses.create(model=MODEL, input="hello", stream=True)
            assert refused.value.code == "invalid_api_key"
            with pytest.raises(openai.AuthenticationError):
                await client.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": "hello"}]
                )
        async with AsyncOpenAI(base_url=demo.url, api_key="sk-right", max_retries=0) as client:
            assert (await client.responses.create(model=MODEL, input="hello")).output_text


async def test_unknown_models_and_responses_are_refused(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="gpt-0", input="hello")
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpt-0")
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve("resp_none")


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    assert MODEL in {model.id async for model in client.models.list()}


async def test_token_limit_ends_an_answer_as_incomplete(client: AsyncOpenAI) -> None:
    cut = await client.responses.create(model=MODEL, input=ESSAY, max_output_tokens=40)
    whole = await client.responses.create(model=MODEL, input=ESSAY)
    assert cut.status == "incomplete"
    assert cut.incomplete_details is not None
    assert cut.incomplete_details.reason == "max_output_tokens"
    assert cut.usage is not None
    assert cut.usage.output_tokens == 40
    assert whole.output_text.startswith(cut.output_text)


async def test_function_is_called_and_its_output_used(client: AsyncOpenAI) -> None:
    question: Any = {"role": "user", "content": "what time is it?"}
    first = await client.responses.create(model=MODEL, input=[question], tools=[NOW])
    thought, call = first.output
    assert isinstance(call, ResponseFunctionToolCall)
    assert (call.name, json.loads(call.arguments)) == ("now", {})
    given: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "noon"}
    whole: Any = [item.to_dict() for item in (thought, call)]
    second = await client.responses.create(
        model=MODEL, input=[question, *whole, given], tools=[NOW]
    )
    assert "**noon**" in second.output_text
    with pytest.raises(openai.BadRequestError, match="required 'reasoning' item: 'rs_"):
        await client.responses.create(model=MODEL, input=[question, whole[1], given], tools=[NOW])
    by_id = await client.responses.create(
        model=MODEL, input=[given], previous_response_id=first.id, tools=[NOW]
    )
    assert by_id.output_text == second.output_text


async def test_answer_continues_the_previous_response_by_its_id(client: AsyncOpenAI) -> None:
    first = await client.responses.create(model=MODEL, input="what are the two promises?")
    second = await client.responses.create(
        model=MODEL, input="and the second one?", previous_response_id=first.id
    )
    assert second.output_text.startswith("**Nothing lost, nothing twice.**")
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model=MODEL, input="?", previous_response_id="resp_gone")
    assert refused.value.code == "previous_response_not_found"


async def test_refusal_of_the_model_is_reported_as_a_refusal(client: AsyncOpenAI) -> None:
    kinds = [
        event.type
        async for event in await client.responses.create(
            model=MODEL, input="refuse something", stream=True
        )
    ]
    assert "response.refusal.delta" in kinds
    assert "response.refusal.done" in kinds
    assert kinds[-1] == "response.completed"


async def test_failure_during_the_stream_is_an_error(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(model=MODEL, input="fail midway", stream=True)
    events, error = await received(stream)
    assert error is not None
    assert "broke down in the middle" in error.message
    assert text_of(events).endswith("better than")


async def test_chat_streams_the_same_text_with_usage(client: AsyncOpenAI) -> None:
    whole = await client.responses.create(model=MODEL, input=ESSAY)
    async with client.chat.completions.stream(
        model=MODEL,
        messages=[{"role": "user", "content": ESSAY}],
        stream_options={"include_usage": True},
    ) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.content == whole.output_text
    assert final.choices[0].finish_reason == "stop"
    assert final.usage is not None
    assert whole.usage is not None
    assert final.usage.completion_tokens == whole.usage.output_tokens


async def test_chat_in_one_piece_and_cut_at_its_limit(client: AsyncOpenAI) -> None:
    cut = await client.chat.completions.create(
        model="demo-chat-only", messages=[{"role": "user", "content": ESSAY}], max_tokens=9
    )
    assert cut.choices[0].finish_reason == "length"
    assert cut.usage is not None
    assert cut.usage.completion_tokens == 9


async def test_chat_calls_functions(client: AsyncOpenAI) -> None:
    asked: Any = {"role": "user", "content": "calculate 12 * (3 + 4)"}
    async with client.chat.completions.stream(
        model=MODEL, messages=[asked], tools=[CALCULATE]
    ) as stream:
        called = (await stream.get_final_completion()).choices[0]
    assert called.finish_reason == "tool_calls"
    assert called.message.tool_calls is not None
    (call,) = called.message.tool_calls
    assert json.loads(call.function.arguments) == {"expression": "12 * (3 + 4)"}
    replied = await client.chat.completions.create(
        model=MODEL,
        messages=[
            asked,
            {"role": "assistant", "tool_calls": [call.to_dict()]},  # type: ignore[list-item]  # the SDK's own shape
            {"role": "tool", "tool_call_id": call.id, "content": "84"},
        ],
        tools=[CALCULATE],
    )
    assert "**84**" in (replied.choices[0].message.content or "")


async def test_chat_refuses_and_fails_as_the_sdk_expects(client: AsyncOpenAI) -> None:
    refused = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "refuse something"}]
    )
    assert (refused.choices[0].message.refusal or "").startswith("I'm sorry")
    stream = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "fail midway"}], stream=True
    )
    with pytest.raises(openai.APIError, match="broke down"):
        async for _ in stream:
            pass
