"""One running answer a thread, on any replica; a real database, virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.values import Phase, Place, Question
from bot.words import Phrase
from tests.support.virtual_time import now
from tests.support.words import english
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import Model, open_runner
from tests.unit.turn.replica_setup import FakeAnswers, Replica, ReplicaSetup, question, until

FIRST = question("q1")


async def answering_replica(
    setup: ReplicaSetup, answers: FakeAnswers, asked: Question = FIRST
) -> Replica:
    """A replica that is answering a question."""
    replica = await setup.replica("a", answers)
    await replica.supervisor.submit(asked)
    await until(lambda: answers.asked == [asked.id])
    return replica


async def test_questions_asked_during_an_answer_wait_and_are_answered_as_one(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        assert await a.supervisor.submit(question("q1", "First?"))
        assert await a.supervisor.submit(question("q2", "Second?", ts="2.0"))
        assert await a.supervisor.submit(question("q3", "Third?", ts="3.0", user="U2"))
        assert not await a.supervisor.submit(question("q3", "Third?", ts="3.0", user="U2"))
        await until(lambda: answers.asked == ["q1"])
        assert a.supervisor.running_count == 2
        answers.may_end.set()
        await until(lambda: not a.supervisor.running_count)
        assert answers.texts == ["First?", "Second?\n\nThird?"]


async def test_waiting_question_starts_as_soon_as_the_answer_before_it_has_ended(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        await a.supervisor.submit(question("q1"))
        await a.supervisor.submit(question("q2", ts="2.0"))
        await asyncio.sleep(0.6)  # out of step with whoever looks from time to time
        answers.may_end.set()
        before = now()
        await until(lambda: "q2" in answers.asked)
        assert now() - before < 0.2


async def test_thread_is_kept_in_order_across_replicas(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        first, second = FakeAnswers(), FakeAnswers(may_end=True)
        a = await setup.replica("a", first)
        b = await setup.replica("b", second)
        await a.supervisor.submit(question("q1"))
        await b.supervisor.submit(question("q2", "Second?", ts="2.0"))
        await a.supervisor.submit(question("q3", "Third?", ts="3.0"))
        await until(lambda: now() > 5)
        assert (first.asked, second.asked) == (["q1"], [])
        first.may_end.set()
        await until(lambda: not a.supervisor.running_count)
        ended = now()
        await until(lambda: second.asked == ["q2"])
        assert now() - ended < 1
        await until(lambda: not b.supervisor.running_count)
        assert second.texts == ["Second?\n\nThird?"]
        assert first.asked == ["q1"]


async def test_questions_of_other_threads_and_commands_do_not_wait(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        elsewhere = replace(question("q2"), place=Place("T1", "C1", "channel", "9.0"))
        command = replace(question("q3"), place=Place("T1", "C1", "command"), ts=None)
        for asked in (question("q1"), elsewhere, command, question("q4", "")):
            await a.supervisor.submit(asked)
        await until(lambda: sorted(answers.asked) == ["q1", "q2", "q3", "q4"])


async def test_stop_message_of_the_asker_ends_the_answer_and_asks_nothing(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await answering_replica(setup, answers)
        assert await a.supervisor.submit(question("q2", "Stop!", ts="2.0"))
        assert not await a.supervisor.submit(question("q2", "Stop!", ts="2.0"))
        await until(lambda: not a.supervisor.running_count)
        assert answers.stopped == ["stopped by U1"]
        assert answers.asked == ["q1"]
        record = await a.store.get_turn("q2")
        assert record
        assert (record.owner, record.draft.phase) == (None, Phase.DONE)


@pytest.mark.parametrize("text", ["stop, how do otters sleep?", "停止服务怎么做", "Stop 3 of them"])
async def test_question_that_begins_with_stop_waits_and_stops_nothing(
    tmp_path: Path, text: str
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        first, second = FakeAnswers(), FakeAnswers(may_end=True)
        await answering_replica(setup, first)
        b = await setup.replica("b", second)
        await b.supervisor.submit(question("q2", text, ts="2.0"))
        await until(lambda: now() > 3)
        assert (first.stopped, second.asked) == ([], [])
        first.may_end.set()
        await until(lambda: second.texts == [text])
        assert first.stopped == []


async def test_stop_message_reaches_the_answer_of_another_replica(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        first = FakeAnswers()
        await answering_replica(setup, first)
        b = await setup.replica("b", FakeAnswers())
        await b.supervisor.submit(question("q2", "请停止 谢谢", ts="2.0"))
        await until(lambda: first.stopped == ["stopped by U1"])
        assert not b.supervisor.running_count


async def test_stop_message_with_a_file_is_a_question(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await answering_replica(setup, answers)
        shown = replace(question("q2", "stop", ts="2.0"), unreadable=("sign.png (PNG)",))
        await a.supervisor.submit(shown)
        await until(lambda: now() > 3)
        assert answers.stopped == []
        answers.may_end.set()
        await until(lambda: answers.texts == ["hello", "stop"])


async def test_answer_to_a_bot_may_be_stopped_by_anybody(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await answering_replica(setup, answers, replace(question("q1", user="B9"), bot="B9"))
        await a.supervisor.submit(question("q2", "stop", ts="2.0", user="U7"))
        await until(lambda: answers.stopped == ["stopped by U7"])


async def test_stop_message_of_another_person_or_without_an_answer_is_a_question(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        await a.supervisor.submit(question("q1", "stop words in English?"))
        await until(lambda: answers.texts == ["stop words in English?"])
        await a.supervisor.submit(question("q2", "stop", ts="2.0", user="U2"))
        await until(lambda: now() > 3)
        assert answers.stopped == []
        answers.may_end.set()
        await until(lambda: not a.supervisor.running_count)
        assert answers.texts == ["stop words in English?", "stop"]


async def test_waiting_turn_of_a_dead_replica_keeps_its_place(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        first, second = FakeAnswers(), FakeAnswers(may_end=True)
        a = await setup.replica("a", first)
        dead = await setup.replica("dead", FakeAnswers(), running=False)
        await a.supervisor.submit(question("q1"))
        await dead.supervisor.submit(question("q2", "Second?", ts="2.0"))
        b = await setup.replica("b", second)
        await until(lambda: a.supervisor.running_count + b.supervisor.running_count == 2)
        assert second.asked == []
        first.may_end.set()
        await until(lambda: not a.supervisor.running_count + b.supervisor.running_count)
        record = await a.store.get_turn("q2")
        assert record
        assert (record.crash_count, record.draft.phase) == (0, Phase.DONE)


async def test_waiting_question_shows_that_it_waits_and_its_answer_in_one_message(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model()
    async with open_runner(slack, model) as runner, ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", runner)
        await a.supervisor.submit(question("q1", "First?"))
        await a.supervisor.submit(question("q2", "Second?", ts="2.0"))
        await until(lambda: len(slack.messages) == 2)
        first, second = sorted(slack.messages.values(), key=lambda message: message.turn)
        assert second.state == english(Phrase.WAITING_IN_THREAD)
        await a.supervisor.submit(question("q3", "Third?", ts="3.0"))
        await until(lambda: not a.supervisor.running_count)
        assert [first.markdown, second.markdown] == ["One two three."] * 2
        assert len(slack.messages) == 2
        assert model.requests[1]["input"][-1]["content"] == (
            "From person U1:\n> Second?\n> \n> Third?"
        )
