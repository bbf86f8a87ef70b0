"""The checkpoint of one turn: what it journals and what waits for the journal; virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.errors import LeaseLost
from bot.storage.records import Change, ShownMessage
from bot.turn.durability.checkpoint import (
    JOURNAL_WAIT_EPHEMERAL_SECONDS,
    JOURNAL_WAIT_FINAL_SECONDS,
    JOURNAL_WAIT_LAYOUT_SECONDS,
    LAYOUT_IN_FLIGHT,
)
from bot.turn.durability.crash_limit import CRASH_CLEAR_SECONDS, MAX_CRASH_CLEAR_FENCE
from bot.values import Draft, Phase
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import Model, answer_setup, question

STANDS = (ShownMessage("1.0", "C0"),)
END = Draft(Phase.DONE, "All of it.")


async def test_checkpoint_keeps_the_end_over_messages_recorded_later() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        turn = setup.turn(question())
        turn.checkpoint.record_messages(STANDS, "Half")
        await turn.checkpoint.record_end(END)
        turn.checkpoint.record_messages((*STANDS, ShownMessage("2.0", "C0")), "Half of")
        await setup.journal.wait_written()
        known = setup.journalled()
        assert known.draft == END
        assert known.messages
        assert [one.ts for one in known.messages] == ["1.0", "2.0"]


async def test_checkpoint_journals_messages_only_when_they_change() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        turn = setup.turn(question())
        for text in ("One", "One two"):
            turn.checkpoint.record_messages(STANDS, text)
            await setup.journal.wait_written()
    assert [change.messages for change in setup.changes] == [STANDS, None]


async def test_checkpoint_drops_the_cursor_of_an_earlier_response() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        known: dict[str, Any] = {"response_id": "resp_1", "cursor": "4 0 0 3"}
        turn = setup.turn(question(), draft=Draft(Phase.STREAMING, "One"), **known)
        turn.checkpoint.response_started("resp_2", resumable=True)
        await setup.journal.wait_written()
        assert (setup.journalled().response_id, setup.journalled().cursor) == ("resp_2", "")
        turn.checkpoint.checkpoint_text("One two", "6 0 0 7")
        turn.checkpoint.record_messages(STANDS, "One two")
        await setup.journal.wait_written()
        assert setup.journalled().cursor == "6 0 0 7"
        turn.checkpoint.tool_round_started()
        turn.checkpoint.checkpoint_text("One two three", "2 0 0 13")
        turn.checkpoint.record_messages(STANDS, "One two three")
        await setup.journal.wait_written()
        assert (setup.journalled().response_id, setup.journalled().cursor) == ("", "")


async def test_layout_change_is_journalled_until_the_messages_are_recorded() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        turn = setup.turn(question(), messages=STANDS)
        for _ in range(2):
            await turn.checkpoint.before_layout_change()
            assert setup.journalled().messages == (*STANDS, LAYOUT_IN_FLIGHT)
        assert turn.checkpoint.messages == STANDS
        turn.checkpoint.record_messages(STANDS, "One")
        await setup.journal.wait_written()
        assert setup.journalled().messages == STANDS


async def test_layout_change_waits_for_a_slow_database_but_not_a_failing_one() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        turn = setup.turn(question(), messages=STANDS)
        setup.write_seconds = 2.0
        assert await turn.checkpoint.before_layout_change()
        assert setup.journalled().messages == (*STANDS, LAYOUT_IN_FLIGHT)
        setup.database_unavailable = True
        took = []
        for _ in range(3):
            began = now()
            assert not await turn.checkpoint.before_layout_change()
            took.append(now() - began)
        assert took == pytest.approx(
            [JOURNAL_WAIT_LAYOUT_SECONDS, JOURNAL_WAIT_FINAL_SECONDS, JOURNAL_WAIT_FINAL_SECONDS]
        )
        setup.database_unavailable, setup.write_seconds = False, 0.0
        await setup.journal.wait_written()
        assert await turn.checkpoint.before_layout_change()


@pytest.mark.parametrize(
    ("fence", "tries"), [(MAX_CRASH_CLEAR_FENCE, 0), (MAX_CRASH_CLEAR_FENCE + 1, None)]
)
async def test_checkpoint_resets_the_crash_count_for_a_limited_number_of_owners(
    fence: int, tries: int | None
) -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        turn = setup.turn(question(), draft=END, fence=fence, crash_count=4)
        turn.checkpoint.display_started()
        for _ in range(5):
            turn.checkpoint.on_heartbeat()
            await asyncio.sleep(CRASH_CLEAR_SECONDS / 4)
        await turn.checkpoint.record_end(END)
        assert setup.journalled().crash_count == tries


async def test_checkpoint_journals_nothing_after_close_and_release() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        over, left = setup.turn(question(1)), setup.turn(question(2))
        await over.checkpoint.close(END)
        over.checkpoint.record_messages(STANDS, "All of it.")
        left.checkpoint.released = True
        left.checkpoint.record_messages(STANDS, "Half")
        left.checkpoint.response_started("resp_1", resumable=True)
        await setup.journal.wait_written()
    assert setup.changes == [Change("turn1", 1, END, closed=True)]


async def test_unverifiable_send_waits_for_the_journal_for_a_limited_time() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        turn = setup.turn(question())
        await turn.checkpoint.before_unverifiable_send()
        assert (setup.journalled().send_unverifiable, now()) == (True, 0)
        setup.database_unavailable = True
        await turn.checkpoint.before_unverifiable_send()
        assert now() == JOURNAL_WAIT_EPHEMERAL_SECONDS


async def test_checkpoint_raises_lease_lost_to_a_waiting_turn() -> None:
    async with answer_setup(FakeSlack(), Model()) as setup:
        setup.lost.add("turn0")
        with pytest.raises(LeaseLost):
            await setup.turn(question()).checkpoint.record_end(END)
