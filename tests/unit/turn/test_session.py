"""Slack's own Stop, pressed in a thread, ends the answer that is being written there."""

from __future__ import annotations

from pathlib import Path

from bot.turn.supervisor import Verdict
from bot.turn.thread_stop import stop_thread
from bot.values import Phase, Place
from tests.unit.turn.stage import Answers, Stage, question, until


async def test_it_reaches_the_answer_whichever_replica_writes_it(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        b = await stage.replica("b", Answers())
        asked = question("q1")
        await a.turns.submit(asked)
        await until(lambda: answers.asked == ["q1"])

        async def press(place: Place, user: str) -> Verdict:
            return await stop_thread(b.store, b.turns.stop, place, user)

        assert await press(asked.place, "U404") is Verdict.NOT_ASKER
        assert await press(Place("T1", "D404", "dm", "1.0"), asked.user) is Verdict.ALREADY_DONE
        assert await press(Place("T1", "D404", "dm"), asked.user) is Verdict.ALREADY_DONE
        assert await press(asked.place, asked.user) is Verdict.DONE
        await until(lambda: not a.turns.running_count)
        record = await b.store.get_turn("q1")
        assert record
        assert record.draft.phase is Phase.STOPPED
        assert await press(asked.place, asked.user) is Verdict.ALREADY_DONE


async def test_without_the_database_nobody_can_tell(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        a = await stage.replica("a", Answers())
        a.database.away = True
        place = question("q1").place
        assert await stop_thread(a.store, a.turns.stop, place, "U1") is Verdict.STORAGE_UNAVAILABLE
        a.database.away = False
