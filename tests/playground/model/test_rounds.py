"""Our own client and the demo model: a tool round goes back whole, in both formats."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from bot.upstream.client import Upstream, UpstreamConfig
from bot.upstream.events import Event, Finished, ToolCall
from bot.upstream.prompt import Exchange, Prompt, Round, ToolSpec
from bot.values import Message
from tests.playground.model.serving import MODEL, Demo

NOW = ToolSpec("now", "Tells the time.", {"type": "object", "properties": {}})
PROMPT = Prompt("Be brief.", (Message("user", "What time is it?"),), tools=(NOW,), thread="t")


@pytest.mark.parametrize(
    ("api", "background"), [("responses", "on"), ("responses", "off"), ("chat", "off")]
)
async def test_a_tool_round_goes_back_whole_and_is_not_refused(
    demo: Demo, api: Any, background: Any
) -> None:
    statuses: list[int] = []

    async def saw(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    async with httpx.AsyncClient(event_hooks={"response": [saw]}) as http:
        config = UpstreamConfig(demo.url, "", MODEL, api=api, background=background)
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


def _ran(events: list[Event]) -> Round:
    calls = tuple(event for event in events if isinstance(event, ToolCall))
    [output] = [event.output for event in events if isinstance(event, Finished)]
    assert calls
    return Round(output, tuple(Exchange(call, "noon") for call in calls))
