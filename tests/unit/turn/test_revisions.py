"""Questions are deleted or edited while they are answered; a real database, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.storage.turn_ids import all_turn_ids
from bot.turn.revisions import Revisions
from bot.turn.state.answer_state import AnswerState
from bot.turn.supervisor import Verdict
from bot.values import REMOVED_DRAFT, Place, Question, message_key
from tests.support.words import EN
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import Model, open_runner
from tests.unit.turn.replica_setup import FakeAnswers, Replica, ReplicaSetup, until

ROOT = "900.000001"


def asked(ts: str = ROOT, text: str = "Why?", user: str = "U1") -> Question:
    """A question in the one thread there is, as Slack's events name it."""
    keys = (message_key("T1", "C1", ts),)
    return Question(f"t{ts}", keys, Place("T1", "C1", "channel", ROOT), user, text, ts)


def revisions(replica: Replica) -> Revisions:
    return Revisions(replica.store, replica.supervisor)


@asynccontextmanager
async def answering(
    path: Path, slack: FakeSlack, model: Model, *names: str, slots: int = 10
) -> AsyncIterator[tuple[ReplicaSetup, list[Replica]]]:
    """Replicas that answer for real."""
    async with (
        open_runner(slack, model, slots) as one,
        open_runner(slack, model, slots) as other,
        ReplicaSetup(path) as setup,
    ):
        both = zip(names, (one, other), strict=False)
        yield setup, [await setup.replica(name, made) for name, made in both]


@pytest.mark.parametrize("after", [0.02, 0.5, 3.0], ids=["at once", "asking", "streaming"])
async def test_deleted_question_leaves_no_message_and_cancels_its_response(
    tmp_path: Path, after: float
) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with answering(tmp_path, slack, model, "a") as (_, [a]):
        await a.supervisor.submit(asked())
        await asyncio.sleep(after)
        await revisions(a).on_message_deleted("T1", "C1", ROOT)
        await until(lambda: not a.supervisor.running_count)
        assert slack.messages == {}
        assert model.closed == len(model.requests)
        record = await a.store.get_turn(f"t{ROOT}")
        assert record
        assert (record.draft, record.messages) == (REMOVED_DRAFT, ())
        assert await a.store.receive_commands() == []
        assert a.count("bot_answers_total", outcome="stopped") == 1


async def test_deleted_question_is_ended_in_another_replica(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with answering(tmp_path, slack, model, "a", "b") as (_, [a, b]):
        await a.supervisor.submit(asked())
        await until(lambda: slack.messages)
        await revisions(b).on_message_deleted("T1", "C1", ROOT)
        await until(lambda: not a.supervisor.running_count, timeout_seconds=5)
        assert slack.messages == {}


async def test_deletion_survives_the_death_of_the_owner(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with (
        open_runner(slack, model) as one,
        open_runner(slack, model) as other,
        ReplicaSetup(tmp_path) as st,
    ):
        a = await st.replica("a", one, running=False)
        await a.supervisor.heartbeat()
        await a.supervisor.submit(asked())
        journalling = asyncio.create_task(a.running.journal.run())
        await until(lambda: slack.messages)
        await asyncio.sleep(1)
        b = await st.replica("b", other)
        await revisions(b).on_message_deleted("T1", "C1", ROOT)
        assert await a.store.receive_commands()  # read, and not acted on: it dies now
        await a.die()
        journalling.cancel()
        await until(lambda: b.supervisor.running_count)
        await until(lambda: not b.supervisor.running_count)
        assert slack.messages == {}


async def test_deleted_question_that_waits_is_never_answered(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answering(tmp_path, slack, model, "a") as (_, [a]):
        await a.supervisor.submit(asked())
        await until(lambda: model.requests)
        await a.supervisor.submit(asked("901.0", "And then?"))
        await until(lambda: len(slack.messages) == 2)
        await revisions(a).on_message_deleted("T1", "C1", "901.0")
        await until(lambda: not a.supervisor.running_count)
        assert [message.markdown for message in slack.messages.values()] == ["One two three."]
        assert len(model.requests) == 1


async def test_deleted_question_without_a_slot_is_never_answered(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with answering(tmp_path, slack, model, "a", slots=1) as (_, [a]):
        await a.supervisor.submit(asked())
        other = replace(asked("2.0"), place=Place("T1", "C1", "channel", "2.0"))
        await a.supervisor.submit(other)
        await until(lambda: len(slack.messages) == 2)
        await revisions(a).on_message_deleted("T1", "C1", "2.0")
        await until(lambda: a.supervisor.running_count == 1)
        [left] = slack.messages.values()
        assert left.thread_ts == ROOT


async def test_ended_answer_stays_when_its_question_is_deleted(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answering(tmp_path, slack, model, "a") as (_, [a]):
        await a.supervisor.submit(asked())
        await until(lambda: not a.supervisor.running_count)
        await revisions(a).on_message_deleted("T1", "C1", ROOT)
        await asyncio.sleep(5)
        assert [message.markdown for message in slack.messages.values()] == ["One two three."]


async def test_answer_to_another_message_stays_when_one_is_deleted(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answering(tmp_path, slack, model, "a") as (_, [a]):
        await a.supervisor.submit(asked("901.0"))
        await until(lambda: slack.messages)
        await revisions(a).on_message_deleted("T1", "C1", ROOT)
        await revisions(a).on_message_deleted("T1", "C2", "901.0")
        await until(lambda: not a.supervisor.running_count)
        assert [message.markdown for message in slack.messages.values()] == ["One two three."]


async def test_question_delivered_after_its_deletion_is_not_answered(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model()
    async with answering(tmp_path, slack, model, "a") as (_, [a]):
        await revisions(a).on_message_deleted("T1", "C1", ROOT, asked())
        kept = await a.store.get_turn(asked().id)
        assert kept is not None
        assert kept.question.text == ""
        assert not await a.supervisor.submit(asked())
        await asyncio.sleep(5)
        assert slack.calls == []
        assert model.requests == []


async def test_deletion_removes_the_answer_while_the_database_is_unavailable(
    tmp_path: Path,
) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with answering(tmp_path, slack, model, "a") as (_, [a]):
        await a.supervisor.submit(asked())
        await until(lambda: slack.messages)
        a.database.unavailable = True
        await revisions(a).on_message_deleted("T1", "C1", ROOT)
        await until(lambda: model.closed)
        a.database.unavailable = False
        await until(lambda: not a.supervisor.running_count)
        assert slack.messages == {}


async def test_answer_in_a_deleted_thread_ends_without_a_message(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    slack.deleted_roots.add(ROOT)
    async with answering(tmp_path, slack, model, "a") as (_, [a]):
        await a.supervisor.submit(asked())
        await until(lambda: not a.supervisor.running_count, timeout_seconds=5)
        assert slack.messages == {}
        record = await a.store.get_turn(f"t{ROOT}")
        assert record
        assert record.draft == REMOVED_DRAFT
        assert model.closed == len(model.requests)


async def test_misplaced_message_is_deleted_after_a_crash(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    slack.deleted_roots.add(ROOT)
    slack.fault = lambda call: 500 if call.method == "chat.delete" else None
    async with (
        open_runner(slack, model) as one,
        open_runner(slack, model) as other,
        ReplicaSetup(tmp_path) as st,
    ):
        a = await st.replica("a", one, running=False)  # nothing of it is journalled
        await a.supervisor.heartbeat()
        await a.supervisor.submit(asked())
        await until(lambda: slack.messages)
        await a.die()
        slack.fault = lambda call: None
        b = await st.replica("b", other)
        await until(lambda: b.supervisor.running_count)
        await until(lambda: not b.supervisor.running_count)
        assert slack.messages == {}
        assert slack.count("chat.postMessage") == 1


async def test_edited_question_is_asked_once_in_place_of_the_running_answer(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        answers = FakeAnswers()
        a = await setup.replica("a", answers)
        await a.supervisor.submit(asked())
        edit = asked(text="Why not?")
        turn = await revisions(a).next_turn_id(edit)
        assert turn == f"t{ROOT}-2"
        verdicts = [await revisions(a).ask_edited(edit, turn) for _ in range(2)]
        assert verdicts == [Verdict.DONE, Verdict.ALREADY_DONE]
        await until(lambda: len(answers.asked) == 2)
        assert answers.stopped == ["stopped by U1"]
        assert answers.texts == ["Why?", "Why not?"]
        assert await revisions(a).next_turn_id(edit) == f"t{ROOT}-3"
        answers.may_end.set()
        await until(lambda: not a.supervisor.running_count)


async def test_edited_question_that_waits_is_asked_once_with_its_edit(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(pause=3)
    async with answering(tmp_path, slack, model, "a") as (_, [a]):
        await a.supervisor.submit(asked())
        await a.supervisor.submit(asked("901.0", "And then?"))
        await until(lambda: len(slack.messages) == 2)
        edit = asked("901.0", "And before?")
        slack.edit("901.0", edit.text)
        assert await revisions(a).next_turn_id(edit) is None
        assert await revisions(a).ask_edited(edit, f"{edit.id}-2") is Verdict.DONE
        await until(lambda: not a.supervisor.running_count)
        inputs = [str(each["input"]) for each in model.requests]
        assert ["And before?" in each for each in inputs] == [False, True]
        assert not any("And then?" in each for each in inputs)


async def test_edit_that_adds_a_mention_is_asked_as_a_new_question(
    tmp_path: Path,
) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers(may_end=True))
        edit = asked()
        turn = await revisions(a).next_turn_id(edit)
        assert turn == edit.id
        assert await revisions(a).ask_edited(edit, turn) is Verdict.DONE
        assert not await a.supervisor.submit(edit)  # Slack's own event for it comes late


async def test_deletion_removes_also_the_answer_to_an_edit(tmp_path: Path) -> None:
    slack, model = FakeSlack(), Model(ends=False)
    async with answering(tmp_path, slack, model, "a") as (_, [a]):
        await a.supervisor.submit(asked())
        edit = asked(text="Why not?")
        await revisions(a).ask_edited(edit, f"{edit.id}-2")
        await until(lambda: len(model.requests) == 2)
        await revisions(a).on_message_deleted("T1", "C1", ROOT)
        await until(lambda: not a.supervisor.running_count)
        assert all("Why not" not in m.turn for m in slack.messages.values())
        assert {m.turn for m in slack.messages.values()} <= {f"t{ROOT}"}


async def test_revisions_report_storage_unavailable(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers())
        a.database.unavailable = True
        assert await revisions(a).ask_edited(asked(), f"t{ROOT}-2") is Verdict.STORAGE_UNAVAILABLE
        a.database.unavailable = False


def test_all_turn_ids_names_every_turn_of_a_question() -> None:
    assert all_turn_ids("abc-7")[:3] == ("abc", "abc-2", "abc-3")
    assert all_turn_ids("abc") == all_turn_ids("abc-7")


def test_removed_draft_differs_from_the_end_of_a_stop() -> None:
    machine = AnswerState("t1", EN)
    assert machine.stop("U1") != REMOVED_DRAFT
    assert machine.remove() == REMOVED_DRAFT
