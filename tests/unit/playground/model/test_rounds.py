"""A tool round goes back whole, in both formats: our own client does that, and the demo model
refuses whatever lacks a part, as servers do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from bot.playground.model.config import CHAT_ONLY
from bot.upstream.client import Upstream, UpstreamConfig
from bot.upstream.events import Event, Finished, ToolCall
from bot.upstream.prompt import Prompt, ToolResult, ToolRound, ToolSpec
from bot.values import Message
from tests.unit.playground.model.serving import JSON, MODEL, DemoModel

NOW = ToolSpec("now", "Tells the time.", {"type": "object", "properties": {}})
PROMPT = Prompt(
    "Be brief.", (Message("user", "What time is it?"),), tools=(NOW,), thread_pseudonym="t"
)


@pytest.mark.parametrize(
    ("api", "background", "model"),
    [
        ("responses", "on", MODEL),
        ("responses", "off", MODEL),
        ("chat", "off", MODEL),
        ("chat", "off", CHAT_ONLY),
    ],
)
async def test_complete_tool_round_is_accepted(
    demo: DemoModel, api: Any, background: Any, model: str
) -> None:
    statuses: list[int] = []

    async def saw(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    async with httpx.AsyncClient(event_hooks={"response": [saw]}) as http:
        config = UpstreamConfig(demo.url, "", model, api=api, background=background)
        upstream = Upstream(config, http)
        first = [event async for event in upstream.answer(PROMPT)]
        prompt = replace(PROMPT, rounds=(_ran(first),))
        [*_, second] = [event async for event in upstream.answer(prompt)]
        await upstream.aclose()
    assert isinstance(second, Finished)
    assert "**noon**" in second.text
    assert statuses == [200, 200]
    output = prompt.rounds[0].output
    assert output is not None
    kinds = [item.get("type") for item in output.items]
    assert kinds == (["reasoning", "function_call"] if api == "responses" else [None])
    assert ("reasoning_content" in output.items[0]) is (model == CHAT_ONLY)


def _ran(events: list[Event]) -> ToolRound:
    calls = tuple(event for event in events if isinstance(event, ToolCall))
    [output] = [event.output for event in events if isinstance(event, Finished)]
    assert calls
    return ToolRound(output, tuple(ToolResult(call, "noon") for call in calls))


ASKED: JSON = {"role": "user", "content": "What time is it?"}
FUNCTION: JSON = {"name": "now", "parameters": {"type": "object", "properties": {}}}


async def items_of_a_round(demo: DemoModel) -> tuple[JSON, JSON, JSON]:
    """What a response calls a tool with, reasoning and call, and what the tool returned."""
    body = {"model": MODEL, "input": [ASKED], "tools": [{"type": "function", **FUNCTION}]}
    status, made = await demo.call("POST", "/responses", body)
    assert status == 200
    reasoning, call = made["output"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "noon"}
    return reasoning, call, output


def without(item: JSON, *names: str) -> JSON:
    return {name: value for name, value in item.items() if name not in names}


async def test_responses_refuse_a_round_that_lacks_a_part(demo: DemoModel) -> None:
    reasoning, call, output = await items_of_a_round(demo)
    bare = without(call, "id", "status")
    for came in (
        [reasoning, call, output],
        [without(reasoning, "id"), bare, output],
        [without(reasoning, "encrypted_content"), bare, output],
    ):
        status, made = await demo.call(
            "POST", "/responses", {"model": MODEL, "input": [ASKED, *came]}
        )
        assert status == 200
        assert "**noon**" in made["output"][0]["content"][0]["text"]
    lost = f"without its required 'reasoning' item: 'rs_{call['id'][3:-2]}00'"
    for came, said in (
        ([output], f"No tool call found for function call output with call_id {call['call_id']}."),
        ([reasoning, call], f"No tool output found for function call {call['call_id']}."),
        ([call, output], lost),
        ([bare, output], "of type 'function_call' was provided without its required 'reasoning'"),
        ([call, reasoning, output], lost),
    ):
        body = {"model": MODEL, "input": [ASKED, *came]}
        assert_refused(await demo.call("POST", "/responses", body), said, "input")


async def message_of_a_round(demo: DemoModel, model: str) -> tuple[JSON, JSON]:
    """The assistant message that calls a tool, and the message with what the tool returned."""
    tools = [{"type": "function", "function": FUNCTION}]
    body = {"model": model, "messages": [ASKED], "tools": tools}
    status, made = await demo.call("POST", "/chat/completions", body)
    assert status == 200
    message: JSON = made["choices"][0]["message"]
    [call] = message["tool_calls"]
    return message, {"role": "tool", "tool_call_id": call["id"], "content": "noon"}


@pytest.mark.parametrize("model", [MODEL, CHAT_ONLY])
async def test_chat_completions_refuse_a_round_that_lacks_a_part(
    demo: DemoModel, model: str
) -> None:
    message, output = await message_of_a_round(demo, model)
    reasons = model == CHAT_ONLY
    assert bool(message.get("reasoning_content")) is reasons

    async def sent(*messages: JSON) -> tuple[int, JSON]:
        body = {"model": model, "messages": [ASKED, *messages]}
        return await demo.call("POST", "/chat/completions", body)

    status, made = await sent(message, output)
    assert status == 200
    assert "**noon**" in made["choices"][0]["message"]["content"]
    unasked = "messages with role 'tool' must be a response to a preceeding message"
    assert_refused(await sent(output), unasked, "messages.[1].role")
    assert_refused(await sent(message), output["tool_call_id"], "messages")
    assert_refused(await sent(message, ASKED, output), output["tool_call_id"], "messages.[2].role")
    silent = await sent(without(message, "reasoning_content"), output)
    if reasons:
        said = "Missing `reasoning_content` field in the assistant message at message index 1."
        assert_refused(silent, said, None)
    else:
        assert silent[0] == 200


def assert_refused(answer: tuple[int, JSON], said: str, param: str | None) -> None:
    status, body = answer
    assert (status, [*body]) == (400, ["error"])
    error = body["error"]
    assert said in error["message"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert "code" in error
