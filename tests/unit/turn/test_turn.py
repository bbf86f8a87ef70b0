"""A turn waits for its place in the thread, and may be released; in virtual time."""

from __future__ import annotations

import asyncio

from bot.turn.turn import Turn
from bot.values import Question
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import AnswerSetup, Model, answer_setup, question


async def test_released_turn_does_not_own_its_lease() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        turn = setup.turn(question())
        assert turn.checkpoint.owns_lease()
        turn.checkpoint.released = True
        assert not turn.checkpoint.owns_lease()


async def test_waiting_turn_asks_the_database_only_at_a_wakeup() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        looked: list[float] = []
        turn = waiting(setup, looked)
        coming = asyncio.create_task(turn.wait_for_thread_slot())
        for _ in range(3):
            await asyncio.sleep(1)
            assert turn.waiting
            turn.wakeup.set()
        assert (await coming).text == "And this?"
        assert looked == [0, 1, 2, 3]
        assert (turn.question.text, turn.waiting) == ("And this?", False)


def waiting(setup: AnswerSetup, looked: list[float]) -> Turn:
    """A turn whose time comes when it looks for the fourth time."""

    async def begin(turn: str, fence: int) -> Question | None:
        looked.append(now())
        return question(text="And this?") if len(looked) == 4 else None

    found = setup.turn(question(), waiting=True)
    return Turn(found.record, setup.journal, owns_lease=lambda: True, promote=begin)
