"""An answer whose model thinks aloud, in virtual time."""

from __future__ import annotations

import asyncio

from bot.turn.state.reasoning_line import MIN_LINE_SECONDS
from bot.values import Phase
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import ThinkingModel, answer_setup, question

MINUTE = tuple(f"This is the thought number {n}. " for n in range(120))


async def test_thinking_is_shown_until_the_answer_begins() -> None:
    slack, model = FakeSlack(), ThinkingModel(pause=5.0, thoughts=("**Plan**\n\n", "I look. "))
    async with answer_setup(slack, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(9)
        [message] = slack.thread("900.1")
        assert (message.markdown, message.state) == ("", "Thinking: Plan")
        assert await answering is Phase.DONE
    assert (message.markdown, message.state) == ("One two three.", "")


async def test_thinking_for_a_minute_costs_few_edits_and_delays_no_text() -> None:
    words = tuple("word " for _ in range(200))
    slack = FakeSlack()
    model = ThinkingModel(words, pause=0.5, thoughts=MINUTE, ends=False)
    async with answer_setup(slack, model) as setup:
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(60)
        assert 60 / MIN_LINE_SECONDS / 2 < slack.count("chat.update") <= 60 / MIN_LINE_SECONDS + 1
        [message] = slack.thread("900.1")
        assert "Thinking: This is the thought number" in message.state
        await asyncio.sleep(1)  # the first word comes after 60.5 seconds
        assert message.markdown == "word"
        answering.cancel()
        await answering


async def test_thinking_that_is_switched_off_costs_no_edit() -> None:
    slack, model = FakeSlack(), ThinkingModel(pause=0.5, thoughts=MINUTE)
    async with answer_setup(slack, model) as setup:
        setup.runner.show_reasoning = False
        answering = asyncio.create_task(setup.answer(question()))
        await asyncio.sleep(60)
        assert slack.count("chat.update") <= 1
        assert await answering is Phase.DONE
