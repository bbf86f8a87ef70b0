"""One live answer a thread, whoever writes it; in virtual time, over a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.turn.answer_state import WAITING_STATUS
from bot.values import Phase, Place
from tests.support.virtual_time import now
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.stage import Answers, Stage, question, until
from tests.unit.turn.way import Model, rooms


async def test_what_is_asked_meanwhile_waits_and_is_answered_as_one_question(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        assert await a.turns.submit(question("q1", "First?"))
        assert await a.turns.submit(question("q2", "Second?", ts="2.0"))
        assert await a.turns.submit(question("q3", "Third?", ts="3.0", user="U2"))
        assert not await a.turns.submit(question("q3", "Third?", ts="3.0", user="U2"))
        await until(lambda: answers.asked == ["q1"])
        assert a.turns.running_count == 2
        answers.go.set()
        await until(lambda: not a.turns.running_count)
        assert answers.texts == ["First?", "Second?\n\nThird?"]


async def test_the_next_answer_begins_as_soon_as_the_one_above_has_ended(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        await a.turns.submit(question("q1"))
        await a.turns.submit(question("q2", ts="2.0"))
        await asyncio.sleep(0.6)  # out of step with whoever looks from time to time
        answers.go.set()
        before = now()
        await until(lambda: "q2" in answers.asked)
        assert now() - before < 0.2


async def test_a_thread_is_kept_in_order_across_replicas(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        first, second = Answers(), Answers(go=True)
        a = await stage.replica("a", first)
        b = await stage.replica("b", second)
        await a.turns.submit(question("q1"))
        await b.turns.submit(question("q2", "Second?", ts="2.0"))
        await a.turns.submit(question("q3", "Third?", ts="3.0"))
        await until(lambda: now() > 5)
        assert (first.asked, second.asked) == (["q1"], [])
        first.go.set()
        await until(lambda: not a.turns.running_count)
        ended = now()
        await until(lambda: second.asked == ["q2"])
        assert now() - ended < 1
        await until(lambda: not b.turns.running_count)
        assert second.texts == ["Second?\n\nThird?"]
        assert first.asked == ["q1"]


async def test_other_threads_and_commands_wait_for_nobody(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        elsewhere = replace(question("q2"), place=Place("T1", "C1", "channel", "9.0"))
        command = replace(question("q3"), place=Place("T1", "C1", "command"), ts=None)
        for asked in (question("q1"), elsewhere, command, question("q4", "")):
            await a.turns.submit(asked)
        await until(lambda: sorted(answers.asked) == ["q1", "q2", "q3", "q4"])


async def test_its_asker_ends_the_answer_above_by_a_stop_and_that_asks_nothing(
    tmp_path: Path,
) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        await a.turns.submit(question("q1"))
        await until(lambda: answers.asked == ["q1"])
        assert await a.turns.submit(question("q2", "Stop!", ts="2.0"))
        assert not await a.turns.submit(question("q2", "Stop!", ts="2.0"))
        await until(lambda: not a.turns.running_count)
        assert answers.stopped == ["stopped by U1"]
        assert answers.asked == ["q1"]
        record = await a.store.get_turn("q2")
        assert record
        assert (record.owner, record.draft.phase) == (None, Phase.DONE)


@pytest.mark.parametrize("text", ["stop, how do otters sleep?", "停止服务怎么做", "Stop 3 of them"])
async def test_a_question_that_begins_with_a_stop_waits_whole_and_stops_nothing(
    tmp_path: Path, text: str
) -> None:
    async with Stage(tmp_path) as stage:
        first, second = Answers(), Answers(go=True)
        a = await stage.replica("a", first)
        b = await stage.replica("b", second)
        await a.turns.submit(question("q1"))
        await until(lambda: first.asked == ["q1"])
        await b.turns.submit(question("q2", text, ts="2.0"))
        await until(lambda: now() > 3)
        assert (first.stopped, second.asked) == ([], [])
        first.go.set()
        await until(lambda: second.texts == [text])
        assert first.stopped == []


async def test_a_stop_reaches_the_answer_of_another_replica(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        first = Answers()
        a = await stage.replica("a", first)
        b = await stage.replica("b", Answers())
        await a.turns.submit(question("q1"))
        await until(lambda: first.asked == ["q1"])
        await b.turns.submit(question("q2", "请停止 谢谢", ts="2.0"))
        await until(lambda: first.stopped == ["stopped by U1"])
        assert not b.turns.running_count


async def test_a_stop_with_a_file_is_no_stop(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        await a.turns.submit(question("q1"))
        await until(lambda: answers.asked == ["q1"])
        shown = replace(question("q2", "stop", ts="2.0"), unreadable=("sign.png (PNG)",))
        await a.turns.submit(shown)
        await until(lambda: now() > 3)
        assert answers.stopped == []
        answers.go.set()
        await until(lambda: answers.texts == ["hello", "stop"])


async def test_anybody_may_stop_what_a_bot_asked(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        await a.turns.submit(replace(question("q1", user="B9"), bot="B9"))
        await until(lambda: answers.asked == ["q1"])
        await a.turns.submit(question("q2", "stop", ts="2.0", user="U7"))
        await until(lambda: answers.stopped == ["stopped by U7"])


async def test_a_stop_of_somebody_else_or_with_nothing_above_is_a_question(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answers = Answers()
        a = await stage.replica("a", answers)
        await a.turns.submit(question("q1", "stop words in English?"))
        await until(lambda: answers.texts == ["stop words in English?"])
        await a.turns.submit(question("q2", "stop", ts="2.0", user="U2"))
        await until(lambda: now() > 3)
        assert answers.stopped == []
        answers.go.set()
        await until(lambda: not a.turns.running_count)
        assert answers.texts == ["stop words in English?", "stop"]


async def test_a_waiting_turn_of_a_dead_replica_keeps_its_place(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        first, second = Answers(), Answers(go=True)
        a = await stage.replica("a", first)
        dead = await stage.replica("dead", Answers(), running=False)
        await a.turns.submit(question("q1"))
        await dead.turns.submit(question("q2", "Second?", ts="2.0"))
        b = await stage.replica("b", second)
        await until(lambda: a.turns.running_count + b.turns.running_count == 2)
        assert second.asked == []
        first.go.set()
        await until(lambda: not a.turns.running_count + b.turns.running_count)
        record = await a.store.get_turn("q2")
        assert record
        assert (record.crash_count, record.draft.phase) == (0, Phase.DONE)


async def test_the_reader_sees_that_it_waits_and_then_the_answer_in_the_same_message(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model()
    async with rooms(slack, model) as runner, Stage(tmp_path) as stage:
        a = await stage.replica("a", runner)
        await a.turns.submit(question("q1", "First?"))
        await a.turns.submit(question("q2", "Second?", ts="2.0"))
        await until(lambda: len(slack.messages) == 2)
        first, second = sorted(slack.messages.values(), key=lambda message: message.turn)
        assert second.state == WAITING_STATUS
        await a.turns.submit(question("q3", "Third?", ts="3.0"))
        await until(lambda: not a.turns.running_count)
        assert [first.markdown, second.markdown] == ["One two three."] * 2
        assert len(slack.messages) == 2
        assert model.asked[1]["input"][-1]["content"] == (
            "From person U1:\n> Second?\n> \n> Third?"
        )
