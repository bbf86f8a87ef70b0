"""Slack's own Stop in a thread ends the answer that is being written there."""

from __future__ import annotations

from pathlib import Path

from bot.turn.supervisor import Verdict
from bot.turn.thread_stop import stop_thread
from bot.values import Phase, Place
from tests.unit.turn.replica_setup import FakeAnswers, ReplicaSetup, question, until


async def test_thread_stop_reaches_the_answer_on_any_replica(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        b = await setup.replica("b", FakeAnswers())
        asked = question("q1")
        await a.supervisor.submit(asked)
        await until(lambda: answers.asked == ["q1"])

        async def press(place: Place, user: str) -> Verdict:
            return await stop_thread(b.store, b.supervisor.stop, place, user)

        assert await press(asked.place, "U404") is Verdict.NOT_ASKER
        assert await press(Place("T1", "D404", "dm", "1.0"), asked.user) is Verdict.ALREADY_DONE
        assert await press(Place("T1", "D404", "dm"), asked.user) is Verdict.ALREADY_DONE
        assert await press(asked.place, asked.user) is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        record = await b.store.get_turn("q1")
        assert record
        assert record.draft.phase is Phase.STOPPED
        assert await press(asked.place, asked.user) is Verdict.ALREADY_DONE


async def test_thread_stop_reports_storage_unavailable(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers())
        a.database.unavailable = True
        place = question("q1").place
        verdict = await stop_thread(a.store, a.supervisor.stop, place, "U1")
        assert verdict is Verdict.STORAGE_UNAVAILABLE
        a.database.unavailable = False
