"""Which answers mention their asker: those that took long and were not stopped."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from bot.errors import Stopped
from bot.storage.records import ShownMessage
from bot.turn.answering.mentions import mention_phrase
from bot.values import REMOVED_DRAFT, Draft, Phase
from bot.words import Phrase
from tests.support.words import english
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import AnswerSetup, Model, answer_setup, question

NOTIFY_AFTER_SECONDS = 45.0
MENTION = english(Phrase.ANSWER_IS_HERE, user="U1")


def mentions(setup: AnswerSetup) -> list[str]:
    return [m.text for m in setup.slack.messages.values() if m.text.startswith("<@U1>")]


@pytest.mark.parametrize(("pause", "is_mentioned"), [(20.0, True), (10.0, False)])
async def test_asker_is_mentioned_if_the_answer_took_long(pause: float, is_mentioned: bool) -> None:
    async with answer_setup(FakeSlack(), Model(pause=pause)) as setup:
        setup.runner.notify_after_seconds = NOTIFY_AFTER_SECONDS
        assert await setup.answer(question()) is Phase.DONE
        assert mentions(setup) == [MENTION] * is_mentioned
        assert setup.journalled().mentioned is (True if is_mentioned else None)
        answer, *_ = setup.slack.messages.values()
        assert answer.markdown == "One two three."
        assert setup.journalled().messages == (ShownMessage(answer.ts, "C0"),)


async def test_zero_seconds_mention_nobody() -> None:
    async with answer_setup(FakeSlack(), Model(pause=60)) as setup:
        await setup.answer(question())
        assert mentions(setup) == []


@pytest.mark.parametrize(("asked_seconds_ago", "is_mentioned"), [(43.0, True), (10.0, False)])
async def test_time_before_a_takeover_counts(asked_seconds_ago: float, is_mentioned: bool) -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        setup.runner.notify_after_seconds = NOTIFY_AFTER_SECONDS
        await setup.answer(question(), fence=2, asked_at=time.time() - asked_seconds_ago)
        assert mentions(setup) == [MENTION] * is_mentioned


async def test_clock_that_was_set_back_does_not_shorten_the_time() -> None:
    async with answer_setup(FakeSlack(), Model(pause=20)) as setup:
        setup.runner.notify_after_seconds = NOTIFY_AFTER_SECONDS
        await setup.answer(question(), fence=2, asked_at=time.time() + 3600)
        assert mentions(setup) == [MENTION]


async def test_next_owner_of_a_finished_answer_mentions_its_asker_once() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        setup.runner.notify_after_seconds = NOTIFY_AFTER_SECONDS
        known = {
            "draft": Draft(Phase.DONE, "Because."),
            "asked_at": time.time() - 60,
            "certain": False,
        }
        await setup.answer(question(), **known)
        [answer] = setup.journalled().messages or ()
        known["messages"] = (answer,)
        await setup.answer(question(), fence=2, mentioned=True, **known)
        await setup.answer(question(), fence=3, mentioned=False, **known)
        assert mentions(setup) == [MENTION]


async def test_answer_that_its_asker_stopped_mentions_nobody() -> None:
    async with answer_setup(FakeSlack(), Model(pause=50)) as setup:
        setup.runner.notify_after_seconds = NOTIFY_AFTER_SECONDS
        turn = setup.turn(question())
        answering = asyncio.create_task(setup.runner.answer(turn))
        await asyncio.sleep(70)
        turn.stop(Stopped("U1"))
        assert await answering is Phase.STOPPED
        assert mentions(setup) == []


async def test_bot_that_asks_is_not_mentioned() -> None:
    async with answer_setup(FakeSlack(), Model(pause=50)) as setup:
        setup.runner.notify_after_seconds = NOTIFY_AFTER_SECONDS
        await setup.answer(replace(question(), bot="B2"))
        assert mentions(setup) == []


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.is_final])
def test_mention_says_how_the_answer_ended(phase: Phase) -> None:
    expected = {
        Phase.DONE: Phrase.ANSWER_IS_HERE,
        Phase.CUT_OFF: Phrase.ANSWER_IS_HERE,
        Phase.FAILED: Phrase.ANSWER_NOT_FINISHED,
        Phase.INTERRUPTED: Phrase.ANSWER_NOT_FINISHED,
        Phase.STOPPED: None,
    }
    assert mention_phrase(Draft(phase, "Because.")) == expected[phase]
    assert mention_phrase(REMOVED_DRAFT) is None
