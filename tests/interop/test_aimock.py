"""Our upstream against aimock: what is asked, and what comes of it, in both formats."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from bot.tools.tool import tool
from bot.tools.toolbox import Toolbox
from bot.upstream.events import (
    Activity,
    Finished,
    Reasoning,
    Started,
    TextDelta,
    ToolCall,
)
from bot.upstream.prompt import Prompt, ToolResult, ToolRound
from bot.upstream.requests.attribution import ATTRIBUTION_INSTRUCTIONS, with_attribution
from bot.values import Usage
from bot.words import Phrase
from tests.interop.aimock import JSON, Aimock, fixture
from tests.interop.asking import (
    PATHS,
    TEXT,
    WORKS,
    ask,
    both_formats,
    collect,
    of,
    paths,
    upstream,
)
from tests.support.words import activity_text
from tests.unit.tools.tool_calls import CONTEXT
from tests.unit.upstream.upstream_setup import PROMPT, final_event, shown_text

SOON = 5.0  # seconds
THOUGHT = "They hold hands. Why? To stay together."


@tool()
async def weather(city: str) -> str:
    """Tell the weather.

    city: where
    """
    return f"In {city} it rains."


BOX = Toolbox([weather])


@both_formats
async def test_text_is_exact_to_the_character(aimock: Aimock, api: str) -> None:
    await aimock.teach(fixture(WORKS))
    events = await ask(aimock, api=api)
    assert isinstance(events[0], Started)
    assert events[0].model == "tiny"
    assert final_event(events) == Finished(TEXT, Usage(3, 5))
    assert shown_text(events) == TEXT
    assert await paths(aimock) == [PATHS[api]]


@both_formats
@pytest.mark.parametrize("size", [1, 7, 10])
async def test_emoji_split_between_deltas_is_joined(aimock: Aimock, api: str, size: int) -> None:
    """Its chunks are counted in UTF-16, so some begin and end inside a character."""
    await aimock.teach(fixture(WORKS, chunkSize=size))
    events = await ask(aimock, api=api)
    assert final_event(events).text == TEXT
    assert "".join(event.text for event in of(TextDelta, events)) == TEXT


@both_formats
async def test_emoji_split_between_fragments_of_a_call_is_joined(aimock: Aimock, api: str) -> None:
    await aimock.teach(fixture({"toolCalls": [_call(0, "Oslo 🦦")]}, chunkSize=1))
    (call,) = of(ToolCall, await ask(aimock, api=api))
    assert call.arguments == '{"city":"Oslo 🦦"}'


async def test_emoji_split_between_pieces_of_reasoning_is_joined(aimock: Aimock) -> None:
    await aimock.teach(fixture({**WORKS, "reasoning": "🦦 or 𝄞?"}, chunkSize=1))
    events = await ask(aimock)
    assert "".join(event.text for event in of(Reasoning, events)).strip() == "🦦 or 𝄞?"


@both_formats
async def test_instructions_and_names_reach_the_model(aimock: Aimock, api: str) -> None:
    await aimock.teach(fixture(WORKS))
    await ask(aimock, api=api)
    (entry,) = await aimock.journal()
    assert entry["body"]["messages"] == [
        {"role": "system", "content": f"Be brief.\n\n{ATTRIBUTION_INSTRUCTIONS}"},
        {"role": "user", "content": with_attribution(PROMPT.messages[0])},
    ]
    assert "authorization" in entry["headers"]


@both_formats
async def test_model_calls_two_tools_and_then_a_third(aimock: Aimock, api: str) -> None:
    paris, oslo, home = (_call(n, city) for n, city in enumerate(("Paris", "Oslo 🦦", "home")))
    await aimock.teach(
        {"match": {"toolCallId": home["id"]}, "response": WORKS},
        {"match": {"toolCallId": oslo["id"]}, "response": {"toolCalls": [home]}},
        fixture({"toolCalls": [paris, oslo]}),
    )
    prompt = replace(PROMPT, tools=BOX.specs)
    called: list[list[str]] = []
    while not called or called[-1]:
        events = await collect(upstream(aimock, api=api), prompt)
        called.append([call.arguments for call in of(ToolCall, events)])
        prompt = await _with_tools_run(prompt, of(ToolCall, events))
    assert called == [['{"city":"Paris"}', '{"city":"Oslo 🦦"}'], ['{"city":"home"}'], []]
    assert final_event(events) == Finished(TEXT, Usage(3, 5))
    messages = (await aimock.journal())[-1]["body"]["messages"]
    told = [message["content"] for message in messages if message["role"] == "tool"]
    assert told == ["In Paris it rains.", "In Oslo 🦦 it rains.", "In home it rains."]


async def test_reasoning_is_told_apart_from_the_text(aimock: Aimock) -> None:
    await aimock.teach(fixture({**WORKS, "reasoning": THOUGHT}))
    events = await ask(aimock)
    assert "".join(event.text for event in of(Reasoning, events)).strip() == THOUGHT
    assert of(Activity, events) == [Activity(Phrase.THINKING), Activity(None)]
    assert shown_text(events) == final_event(events).text == TEXT


async def test_reasoning_in_chat_is_shown_as_activity(aimock: Aimock) -> None:
    await aimock.teach(fixture({**WORKS, "reasoning": THOUGHT}))
    events = await ask(aimock, api="chat")
    assert of(Activity, events) == [Activity(Phrase.THINKING), Activity(None)]
    assert shown_text(events) == final_event(events).text == TEXT


async def test_search_activity_is_shown_until_text_comes(aimock: Aimock) -> None:
    await aimock.teach(fixture({**WORKS, "webSearches": ["otters of Scotland", "kelp 🌿"]}))
    events = await ask(aimock)
    doing = of(Activity, events)
    assert [activity_text(activity) for activity in doing] == [
        "Searching the web: otters of Scotland",
        "Searching the web: kelp 🌿",
        "",
    ]
    assert events.index(doing[-1]) < events.index(of(TextDelta, events)[0])
    assert final_event(events).text == TEXT


@pytest.mark.parametrize(
    ("api", "why"),
    [("responses", "incomplete"), ("chat", "max_output_tokens")],  # of the first it says no more
)
async def test_answer_at_the_length_limit_is_marked_as_cut_off(
    aimock: Aimock, api: str, why: str
) -> None:
    await aimock.teach(fixture({**WORKS, "finishReason": "length"}))
    end = final_event(await ask(aimock, api=api))
    assert end == Finished(TEXT, Usage(3, 5), cut_off_reason=why)


@both_formats
async def test_words_come_as_they_are_written(aimock: Aimock, api: str) -> None:
    """The first is there at once, though the whole takes far longer than the test waits."""
    await aimock.teach(fixture(WORKS, chunkSize=1, streamingProfile={"ttft": 50, "tps": 10}))
    answer = upstream(aimock, api=api).answer(PROMPT)
    async with asyncio.timeout(SOON), aclosing(answer) as events:
        first = await anext(event async for event in events if isinstance(event, TextDelta))
    assert first == TextDelta("O")


async def test_server_without_responses_is_asked_in_chat_completions(aimock: Aimock) -> None:
    missing = {"error": {"message": "Not found", "type": "not_found"}, "status": 404}
    await aimock.teach(fixture(missing, 0), fixture(WORKS, 1))
    events = await ask(aimock, api="auto")
    assert final_event(events) == Finished(TEXT, Usage(3, 5))
    assert await paths(aimock) == list(PATHS.values())


async def _with_tools_run(prompt: Prompt, calls: list[ToolCall]) -> Prompt:
    ran = tuple([ToolResult(call, await BOX.run(call, CONTEXT)) for call in calls])
    return replace(prompt, rounds=(*prompt.rounds, ToolRound(None, ran)))


def _call(number: int, city: str) -> JSON:
    return {"id": f"call_{number}", "name": "weather", "arguments": {"city": city}}
