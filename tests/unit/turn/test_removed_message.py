"""One of several messages of a question is deleted; a real database, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.storage.turn_ids import all_turn_ids
from bot.turn.supervisor import Verdict
from bot.values import REMOVED_DRAFT, Phase
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import BackgroundModel, FakeSlackRunner, Model, open_runner
from tests.unit.turn.replica_setup import Replica, ReplicaSetup, until
from tests.unit.turn.test_revisions import ROOT, asked, revisions

A, B, C = "901.000001", "902.000001", "903.000001"
WORDS = {A: "Alpha?", B: "Beta?", C: "Gamma?"}
WHOLE = "One two three."


@dataclass
class ThreadSetup:
    """A thread whose first question is answered, and one question of several messages that is."""

    slack: FakeSlack
    model: Model
    replicas: ReplicaSetup
    runners: list[FakeSlackRunner]
    a: Replica
    turn: str = f"t{A}"

    async def submit(self, *messages: str, ends: bool = True) -> None:
        """Ask these while the answer above is written; return when they are asked as one."""
        await self.a.supervisor.submit(asked())
        await until(lambda: self.model.requests)
        for ts in messages:
            await self.a.supervisor.submit(asked(ts, WORDS[ts], f"U{ts[:3]}"))
        await until(lambda: self.model.closed)
        self.model.ends = ends
        await until(lambda: len(self.model.requests) == 2)

    async def delete(self, *messages: str, at: Replica | None = None) -> None:
        for ts in messages:
            del self.slack.people["C1", ts]
            await revisions(at or self.a).on_message_deleted("T1", "C1", ts)

    def prompts(self) -> list[str]:
        """What the model was asked about the several messages, each time."""
        return [str(one["input"][-len(WORDS) :]) for one in self.model.requests[1:]]

    async def answered_messages(self) -> list[str]:
        """The messages that have an answer, each as often as it has one."""
        turns = [turn for ts in (ROOT, *WORDS) for turn in all_turn_ids(f"t{ts}")]
        found = await self.a.store.get_turns(turns)
        done = [one.question for one in found if one.draft.phase is Phase.DONE]
        return sorted(ts for one in done for ts in one.messages)

    def texts_by_turn(self) -> dict[str, str]:
        """What stands of answers, by turn."""
        return {one.turn: one.markdown for one in self.slack.messages.values()}


@asynccontextmanager
async def thread_setup(
    path: Path, *, running: bool = True, model: Model | None = None
) -> AsyncIterator[ThreadSetup]:
    slack, model = FakeSlack(), model or Model()
    async with (
        open_runner(slack, model) as one,
        open_runner(slack, model) as two,
        ReplicaSetup(path) as setup,
    ):
        a = await setup.replica("a", one, running=running)
        yield ThreadSetup(slack, model, setup, [one, two], a)


async def _answered(of: ThreadSetup, *replicas: Replica) -> None:
    """Return when nothing is left to be done."""
    await asyncio.sleep(1)
    await until(lambda: not any(one.supervisor.running_count for one in replicas))
    await asyncio.sleep(2)
    assert not any(one.supervisor.running_count for one in replicas)


@pytest.mark.parametrize("deleted", [A, B, C])
async def test_remaining_messages_are_asked_anew_as_one_question_and_answered_once(
    tmp_path: Path, deleted: str
) -> None:
    async with thread_setup(tmp_path) as thread:
        await thread.submit(A, B, C, ends=False)
        thread.model.ends = True
        await thread.delete(deleted)
        await _answered(thread, thread.a)
        [_, prompt] = thread.prompts()
        assert [WORDS[ts] in prompt for ts in WORDS] == [ts != deleted for ts in WORDS]
        assert await thread.answered_messages() == [ROOT, *(ts for ts in WORDS if ts != deleted)]
        assert thread.texts_by_turn() == {f"t{ROOT}": WHOLE, f"{thread.turn}-2": WHOLE}
        record = await thread.a.store.get_turn(thread.turn)
        assert record
        assert record.draft == REMOVED_DRAFT


async def test_deletion_delivered_to_another_replica_reaches_the_owner(tmp_path: Path) -> None:
    async with thread_setup(tmp_path) as thread:
        b = await thread.replicas.replica("b", thread.runners[1])
        await thread.submit(A, B, ends=False)
        thread.model.ends = True
        await thread.delete(A, at=b)
        await _answered(thread, thread.a, b)
        assert thread.texts_by_turn() == {f"t{ROOT}": WHOLE, f"{thread.turn}-2": WHOLE}
        assert "Alpha" not in thread.prompts()[1]


async def test_messages_deleted_one_after_another_leave_the_remaining_question(
    tmp_path: Path,
) -> None:
    async with thread_setup(tmp_path) as thread:
        await thread.submit(A, B, C, ends=False)
        thread.model.ends = True
        await thread.delete(A)
        await thread.delete(C)
        await revisions(thread.a).on_message_deleted("T1", "C1", A)  # Slack tells it twice
        await _answered(thread, thread.a)
        assert list(thread.texts_by_turn().values()) == [WHOLE, WHOLE]
        prompt = thread.prompts()[-1]
        assert [WORDS[ts] in prompt for ts in WORDS] == [False, True, False]
        assert await thread.answered_messages() == [ROOT, B]


async def test_question_whose_messages_were_all_deleted_is_not_asked_anew(tmp_path: Path) -> None:
    async with thread_setup(tmp_path) as thread:
        await thread.submit(A, B, ends=False)
        await thread.delete(A, B)
        await _answered(thread, thread.a)
        assert thread.texts_by_turn() == {f"t{ROOT}": WHOLE}


async def test_ended_answer_to_several_messages_stays_and_nothing_is_asked_anew(
    tmp_path: Path,
) -> None:
    async with thread_setup(tmp_path) as thread:
        await thread.submit(A, B)
        thread.slack.delay = lambda call: 3.0 if call.method == "chat.update" else 0.0
        await until(lambda: thread.model.closed == 2)
        await thread.delete(A)  # while its end is being shown
        thread.slack.delay = lambda call: 0.0
        await _answered(thread, thread.a)
        await thread.delete(B)
        await _answered(thread, thread.a)
        assert len(thread.model.requests) == 2
        assert thread.texts_by_turn() == {f"t{ROOT}": WHOLE, thread.turn: WHOLE}


async def test_remaining_messages_are_asked_anew_when_the_database_is_available_again(
    tmp_path: Path,
) -> None:
    async with thread_setup(tmp_path) as thread:
        await thread.submit(A, B, ends=False)
        thread.model.ends = True
        thread.a.database.unavailable = True
        await thread.delete(A)
        await until(lambda: thread.model.closed == 2)
        thread.a.database.unavailable = False
        await _answered(thread, thread.a)
        assert thread.texts_by_turn() == {f"t{ROOT}": WHOLE, f"{thread.turn}-2": WHOLE}


async def test_message_deleted_while_it_waits_with_others_leaves_them_asked(
    tmp_path: Path,
) -> None:
    async with thread_setup(tmp_path) as thread:
        thread.model.ends = False
        await thread.a.supervisor.submit(asked())
        await until(lambda: thread.model.requests)
        for ts in (A, B):
            await thread.a.supervisor.submit(asked(ts, WORDS[ts]))
        await until(lambda: len(thread.slack.messages) == 2)
        await thread.delete(A)
        await thread.a.supervisor.submit(asked(C, WORDS[C]))
        await asyncio.sleep(3)
        thread.model.ends = True
        assert len(thread.model.requests) == 1
        await thread.a.supervisor.stop(f"t{ROOT}", "U1")
        await _answered(thread, thread.a)
        [prompt] = thread.prompts()
        assert "Alpha" not in prompt
        assert await thread.answered_messages() == [B, C]
        assert sorted(thread.texts_by_turn().values()) == [WHOLE, WHOLE]


async def test_question_asked_while_a_waiting_one_is_being_stopped_is_answered(
    tmp_path: Path,
) -> None:
    async with thread_setup(tmp_path) as thread:
        await thread.a.supervisor.submit(asked())
        await thread.a.supervisor.submit(asked(A, WORDS[A]))
        await until(lambda: len(thread.slack.messages) == 2)
        thread.slack.delay = lambda call: 2.0 if call.method == "chat.update" else 0.0
        await thread.a.supervisor.stop(f"t{A}", "U1")
        await asyncio.sleep(0.5)  # its end is journalled, and not shown
        await thread.a.supervisor.submit(asked(B, WORDS[B]))
        await _answered(thread, thread.a)
        assert thread.texts_by_turn() == {f"t{ROOT}": WHOLE, f"t{A}": "", f"t{B}": WHOLE}


@pytest.mark.parametrize("edited", [A, B])
async def test_edited_message_is_asked_alone_and_leaves_the_others_asked(
    tmp_path: Path, edited: str
) -> None:
    async with thread_setup(tmp_path) as thread:
        await thread.submit(A, B, ends=False)
        thread.model.ends = True
        thread.slack.edit(edited, "Delta?")
        edit = asked(edited, "Delta?", f"U{edited[:3]}")
        turn = f"{thread.turn}-2"
        assert await revisions(thread.a).next_turn_id(edit) == turn
        assert await revisions(thread.a).ask_edited(edit, turn) is Verdict.DONE
        await _answered(thread, thread.a)
        assert await thread.answered_messages() == [ROOT, A, B]
        assert WORDS[edited] not in thread.prompts()[-1]
        assert await revisions(thread.a).ask_edited(edit, turn) is Verdict.ALREADY_DONE


async def test_edited_message_that_waits_with_others_is_asked_once_with_its_edit(
    tmp_path: Path,
) -> None:
    async with thread_setup(tmp_path) as thread:
        await thread.a.supervisor.submit(asked())
        await until(lambda: thread.model.requests)
        for ts in (A, B):
            await thread.a.supervisor.submit(asked(ts, WORDS[ts]))
        thread.slack.edit(B, "Delta?")
        edit = asked(B, "Delta?")
        assert await revisions(thread.a).next_turn_id(edit) is None
        assert await revisions(thread.a).ask_edited(edit, f"{thread.turn}-2") is Verdict.DONE
        await _answered(thread, thread.a)
        assert await thread.answered_messages() == [ROOT, A, B]
        [prompt] = thread.prompts()
        assert [word in prompt for word in ("Alpha", "Beta", "Delta")] == [True, False, True]


Step = Callable[[ThreadSetup], Any]

CUTS: dict[str, Step] = {
    "the deletion is delivered": lambda thread: True,
    "a command is stored": lambda thread: thread.a.store.receive_commands(),
    "what is left has a turn": lambda thread: thread.a.store.get_unfinished_turns(None),
    "the message of the answer is deleted": lambda thread: thread.slack.count("chat.delete", "ok"),
    "the answer that goes is over": lambda thread: thread.a.supervisor.running_count == 0,
}


async def _reached(thread: ThreadSetup, step: Step) -> None:
    """Return when a step is taken; fails where it never is."""
    async with asyncio.timeout(20):
        while True:
            found = step(thread)
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("kind", [Model, BackgroundModel])
async def test_removal_crashed_between_any_two_steps_loses_and_doubles_nothing(
    tmp_path: Path, cut: str, kind: type[Model]
) -> None:
    async with thread_setup(tmp_path, running=False, model=kind()) as thread:
        journalling = asyncio.create_task(thread.a.running.journal.run())
        living = asyncio.create_task(_lives(thread.a))
        await thread.submit(A, B, ends=False)
        await until(lambda: thread.texts_by_turn().get(thread.turn))
        del thread.slack.people["C1", A]
        deleting = asyncio.create_task(revisions(thread.a).on_message_deleted("T1", "C1", A))
        await _reached(thread, CUTS[cut])
        for task in (deleting, living, journalling):
            task.cancel()
        await thread.a.die()
        thread.model.ends = True
        b = await thread.replicas.replica("b", thread.runners[1])
        if cut == "the deletion is delivered" and kind is BackgroundModel:
            await revisions(b).on_message_deleted(
                "T1", "C1", A
            )  # nothing of it was kept: told again
        await until(lambda: b.supervisor.running_count)
        await _answered(thread, b)
        assert "Alpha" not in thread.prompts()[-1]
        assert "Beta" in thread.prompts()[-1]
        assert list(thread.texts_by_turn().values()) == [WHOLE, WHOLE]
        assert await thread.answered_messages() == [ROOT, B]


async def _lives(replica: Replica) -> None:
    """Show that it lives, heed wishes, and let what waits begin; it takes nothing over."""
    while True:
        await replica.supervisor.heartbeat()
        for wish in await replica.store.receive_commands():
            replica.supervisor.remove(wish.turn, wish.user)
        replica.running.wake_waiting()
        await asyncio.sleep(0.1)
