"""One turn and its journal, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.errors import LeaseLost, Stopped
from bot.storage.records import Change, ShownMessage
from bot.turn.durability.checkpoint import (
    JOURNAL_WAIT_EPHEMERAL_SECONDS,
    JOURNAL_WAIT_FINAL_SECONDS,
    JOURNAL_WAIT_LAYOUT_SECONDS,
    LAYOUT_IN_FLIGHT,
)
from bot.turn.durability.crash_limit import CRASH_CLEAR_SECONDS, MAX_CRASH_CLEAR_FENCE
from bot.turn.turn import Turn
from bot.values import Draft, Phase, Question
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.way import Model, Way, question, runner

STANDS = (ShownMessage("1.0", "C0"),)
END = Draft(Phase.DONE, "All of it.")


async def test_what_is_shown_late_does_not_take_the_place_of_the_end() -> None:
    async with runner(FakeSlack(), Model()) as way:
        turn = way.turn(question())
        turn.checkpoint.record_messages(STANDS, "Half")
        await turn.checkpoint.record_end(END)
        turn.checkpoint.record_messages((*STANDS, ShownMessage("2.0", "C0")), "Half of")
        await way.journal.wait_written()
        known = way.journalled()
        assert known.draft == END
        assert known.messages
        assert [one.ts for one in known.messages] == ["1.0", "2.0"]


async def test_messages_are_journalled_when_they_change_and_not_with_every_edit() -> None:
    async with runner(FakeSlack(), Model()) as way:
        turn = way.turn(question())
        for text in ("One", "One two"):
            turn.checkpoint.record_messages(STANDS, text)
            await way.journal.wait_written()
    assert [change.messages for change in way.changes] == [STANDS, None]


async def test_another_response_has_another_cursor() -> None:
    async with runner(FakeSlack(), Model()) as way:
        known: dict[str, Any] = {"response_id": "resp_1", "cursor": "4 0 0 3"}
        turn = way.turn(question(), draft=Draft(Phase.STREAMING, "One"), **known)
        turn.checkpoint.response_started("resp_2", resumable=True)
        await way.journal.wait_written()
        assert (way.journalled().response_id, way.journalled().cursor) == ("resp_2", "")
        turn.checkpoint.checkpoint_text("One two", "6 0 0 7")
        turn.checkpoint.record_messages(STANDS, "One two")
        await way.journal.wait_written()
        assert way.journalled().cursor == "6 0 0 7"
        turn.checkpoint.tool_round_started()
        turn.checkpoint.checkpoint_text("One two three", "2 0 0 13")
        turn.checkpoint.record_messages(STANDS, "One two three")
        await way.journal.wait_written()
        assert (way.journalled().response_id, way.journalled().cursor) == ("", "")


async def test_change_of_messages_is_journalled_before_it_and_until_slack_was_read_again() -> None:
    async with runner(FakeSlack(), Model()) as way:
        turn = way.turn(question(), messages=STANDS)
        for _ in range(2):
            await turn.checkpoint.before_layout_change()
            assert way.journalled().messages == (*STANDS, LAYOUT_IN_FLIGHT)
        assert turn.checkpoint.messages == STANDS
        turn.checkpoint.record_messages(STANDS, "One")
        await way.journal.wait_written()
        assert way.journalled().messages == STANDS


async def test_new_message_waits_for_a_slow_database_but_not_for_one_that_is_away() -> None:
    async with runner(FakeSlack(), Model()) as way:
        turn = way.turn(question(), messages=STANDS)
        way.slow = 2.0
        assert await turn.checkpoint.before_layout_change()
        assert way.journalled().messages == (*STANDS, LAYOUT_IN_FLIGHT)
        way.away = True
        took = []
        for _ in range(3):
            began = now()
            assert not await turn.checkpoint.before_layout_change()
            took.append(now() - began)
        assert took == pytest.approx(
            [JOURNAL_WAIT_LAYOUT_SECONDS, JOURNAL_WAIT_FINAL_SECONDS, JOURNAL_WAIT_FINAL_SECONDS]
        )
        way.away, way.slow = False, 0.0
        await way.journal.wait_written()
        assert await turn.checkpoint.before_layout_change()


@pytest.mark.parametrize(
    ("fence", "tries"), [(MAX_CRASH_CLEAR_FENCE, 0), (MAX_CRASH_CLEAR_FENCE + 1, None)]
)
async def test_who_lives_on_with_an_end_forgives_earlier_deaths_but_not_for_ever(
    fence: int, tries: int | None
) -> None:
    async with runner(FakeSlack(), Model()) as way:
        turn = way.turn(question(), draft=END, fence=fence, crash_count=4)
        turn.checkpoint.display_started()
        for _ in range(5):
            turn.checkpoint.on_heartbeat()
            await asyncio.sleep(CRASH_CLEAR_SECONDS / 4)
        await turn.checkpoint.record_end(END)
        assert way.journalled().crash_count == tries


async def test_nothing_is_journalled_of_a_turn_that_is_over_or_left() -> None:
    async with runner(FakeSlack(), Model()) as way:
        over, left = way.turn(question(1)), way.turn(question(2))
        await over.checkpoint.close(END)
        over.checkpoint.record_messages(STANDS, "All of it.")
        left.checkpoint.released = True
        left.checkpoint.record_messages(STANDS, "Half")
        left.checkpoint.response_started("resp_1", resumable=True)
        await way.journal.wait_written()
    assert way.changes == [Change("turn1", 1, END, closed=True)]


async def test_a_turn_that_is_left_is_not_held_whoever_else_is() -> None:
    async with runner(FakeSlack(), Model()) as way:
        turn = way.turn(question())
        assert turn.checkpoint.owns_lease()
        turn.checkpoint.released = True
        assert not turn.checkpoint.owns_lease()


async def test_a_private_message_waits_for_the_journal_but_not_for_ever() -> None:
    async with runner(FakeSlack(), Model()) as way:
        turn = way.turn(question())
        await turn.checkpoint.before_unverifiable_send()
        assert (way.journalled().send_unverifiable, now()) == (True, 0)
        way.away = True
        await turn.checkpoint.before_unverifiable_send()
        assert now() == JOURNAL_WAIT_EPHEMERAL_SECONDS


async def test_who_waits_for_the_journal_of_a_turn_that_is_lost_learns_it() -> None:
    async with runner(FakeSlack(), Model()) as way:
        way.lost.add("turn0")
        with pytest.raises(LeaseLost):
            await way.turn(question()).checkpoint.record_end(END)


async def test_an_answer_can_be_stopped_once_and_not_after_its_end() -> None:
    async with runner(FakeSlack(), Model()) as way:
        stopped, ended = way.turn(question(1)), way.turn(question(2))
        assert stopped.stop(Stopped("U1"))
        assert not stopped.stop(Stopped("U1"))
        with pytest.raises(Stopped):
            await stopped.stop_scope.run_until_stopped(asyncio.sleep(10))
        assert now() == 0
        await ended.stop_scope.run_until_stopped(asyncio.sleep(10))
        assert not ended.stop(Stopped("U1"))


async def test_a_turn_that_waits_looks_only_when_it_is_stirred() -> None:
    async with runner(FakeSlack(), Model()) as way:
        looked: list[float] = []
        turn = waiting(way, looked)
        coming = asyncio.create_task(turn.wait_for_thread_slot())
        for _ in range(3):
            await asyncio.sleep(1)
            assert turn.waiting
            turn.wakeup.set()
        assert (await coming).text == "And this?"
        assert looked == [0, 1, 2, 3]
        assert (turn.question.text, turn.waiting) == ("And this?", False)


def waiting(way: Way, looked: list[float]) -> Turn:
    """A turn whose time comes when it looks for the fourth time."""

    async def begin(turn: str, fence: int) -> Question | None:
        looked.append(now())
        return question(text="And this?") if len(looked) == 4 else None

    found = way.turn(question(), waiting=True)
    return Turn(found.record, way.journal, owns_lease=lambda: True, promote=begin)


async def test_two_errors_at_once_are_one() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    async with runner(FakeSlack(), Model()) as way:
        with pytest.raises(ValueError, match="broken"):
            await way.turn(question()).stop_scope.run_until_stopped(fail(), fail())
