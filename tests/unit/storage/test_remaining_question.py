"""A new turn for what remains of a question when messages of it are deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bot.storage.records import Change, Claim, TurnCommand, TurnRecord
from bot.storage.store import Store
from bot.values import REMOVED_DRAFT, Question, message_key
from tests.unit.storage.conftest import Stores
from tests.unit.storage.questions import DONE, close_turn, question
from tests.unit.storage.sync_replicas import REPLICAS, SyncReplicas

MESSAGES = tuple(f"{number}.0" for number in range(1, 6))
MESSAGE, REPLICA = st.sampled_from(MESSAGES), st.sampled_from(REPLICAS)
SOME = st.integers(0, 7)
EXAMPLES = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,  # a busy machine is no failure
    suppress_health_check=list(HealthCheck),
)


def key(ts: str) -> str:
    return message_key("T1", "C1", ts)


def asked(ts: str) -> Question:
    """The question of a message; each has an author of its own."""
    return replace(question(f"q{ts}", key(ts), text=f"<{ts}>", ts=ts), user=f"U{ts}")


class DeletionMachine(RuleBasedStateMachine):
    """Messages of one thread are asked, joined, answered and deleted; replicas die and take over.

    `answered` are those whose answer has its end.
    """

    replicas: SyncReplicas

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()
        self.deleted: set[str] = set()
        self.answered: list[str] = []

    @initialize()
    def clear_database(self) -> None:
        """Every example begins with an empty database."""
        self.replicas.clear()

    def unfinished(self) -> list[TurnRecord]:
        store = self.replicas.stores["one"]
        found = self.replicas.run_together(
            *(store.get_unfinished_turns(owner) for owner in (None, *REPLICAS))
        )
        return [record for records in found for record in records]

    def some(self, number: int, *, removed: bool) -> TurnRecord | None:
        """One of the turns that somebody owns."""
        owned = [one for one in self.unfinished() if one.owner]
        found = [one for one in owned if (one.draft == REMOVED_DRAFT) is removed]
        return found[number % len(found)] if found else None

    def journal(self, record: TurnRecord, change: Change) -> None:
        assert record.owner
        assert not self.replicas.run(self.replicas.stores[record.owner].write_changes([change]))

    @rule(replica=REPLICA, ts=MESSAGE)
    def ask(self, replica: str, ts: str) -> None:
        """A message is delivered, perhaps not for the first time."""
        claim = self.replicas.run(self.replicas.stores[replica].claim(asked(ts), "thread"))
        assert (claim is Claim.DUPLICATE) == (ts in self.asked | self.deleted)
        self.asked.add(ts)

    @rule(replica=REPLICA, ts=MESSAGE)
    def delete(self, replica: str, ts: str) -> None:
        """A message is deleted, as a replica hears, perhaps not for the first time."""
        store = self.replicas.stores[replica]
        self.replicas.run(store.claim(asked(ts), None, REMOVED_DRAFT))
        self.replicas.run(store.request_removal(key(ts), ts))
        self.deleted.add(ts)

    @rule(first=MESSAGE, second=MESSAGE)
    def delete_at_once(self, first: str, second: str) -> None:
        """Two replicas hear of deletions at the same moment."""
        one, two, _ = self.replicas.stores.values()
        self.replicas.run_together(
            one.request_removal(key(first), first), two.request_removal(key(second), second)
        )
        self.deleted |= {first, second} & self.asked

    @rule(replica=REPLICA, twice=st.booleans())
    def carry_out_commands(self, replica: str, twice: bool) -> None:
        """A replica carries out its commands, one at a time; it may not hear at first that
        this was written."""
        store = self.replicas.stores[replica]
        owned = {
            one.question.id: one for one in self.replicas.run(store.get_unfinished_turns(replica))
        }
        for command in self.replicas.run(store.receive_commands()):
            record = owned[command.turn]
            gone = frozenset([command.user])
            for _ in range(1 + twice):
                self.journal(
                    record, Change(command.turn, record.fence, REMOVED_DRAFT, deleted_messages=gone)
                )

    @rule(number=SOME)
    def begin(self, number: int) -> None:
        """A turn that waits begins, if it can."""
        record = self.some(number, removed=False)
        if record and record.owner:
            store = self.replicas.stores[record.owner]
            self.replicas.run(store.promote(record.question.id, record.fence))

    @rule(number=SOME)
    def answer(self, number: int) -> None:
        """An answer comes to its end."""
        record = self.some(number, removed=False)
        if record and not record.waiting:
            self.journal(record, Change(record.question.id, record.fence, DONE, closed=True))
            self.answered += record.question.messages

    @rule(number=SOME)
    def finish_removal(self, number: int) -> None:
        """The messages of an answer are deleted."""
        record = self.some(number, removed=True)
        if record:
            self.journal(
                record, Change(record.question.id, record.fence, REMOVED_DRAFT, closed=True)
            )

    @rule(replica=REPLICA, number=SOME)
    def take_over(self, replica: str, number: int) -> None:
        """A replica takes over a turn without an owner or of another replica."""
        found = self.unfinished()
        if found:
            record = found[number % len(found)]
            store = self.replicas.stores[replica]
            taken = store.take_over(record.question.id, record.fence, count_crash=False)
            assert self.replicas.run(taken)

    @invariant()
    def every_question_is_answered_once(self) -> None:
        """What was asked and not deleted is answered, or is going to be; nothing is twice."""
        going_on = [one.question for one in self.unfinished() if one.draft != REMOVED_DRAFT]
        messages = [*self.answered, *(ts for one in going_on for ts in one.messages)]
        assert len(messages) == len(set(messages))
        assert set(messages) >= self.asked - self.deleted
        for one in going_on:
            assert one.text == "\n\n".join(f"<{ts}>" for ts in _as_joined(one))
            assert [(said.user, said.ts) for said in one.words] == [
                (f"U{ts}", ts) for ts in _as_joined(one)
            ]
            assert one.user in {said.user for said in one.words}

    def teardown(self) -> None:
        """Once all commands are carried out, no turn answers a deleted message."""
        if not self.asked:
            return
        for _ in MESSAGES:
            for number, _ in enumerate(self.unfinished()):
                self.take_over("one", number)
            self.carry_out_commands("one", twice=False)
        self.every_question_is_answered_once()
        going_on = [one.question for one in self.unfinished() if one.draft != REMOVED_DRAFT]
        assert self.deleted.isdisjoint(ts for one in going_on for ts in one.messages)


def _as_joined(one: Question) -> list[str]:
    """The messages of a question in the order in which they were joined."""
    return [said.ts or "" for said in one.words]


@pytest.mark.slow
def test_remaining_questions_are_neither_lost_nor_answered_twice_under_any_sequence(
    url: str,
) -> None:
    given = SyncReplicas(url)

    class MachineHere(DeletionMachine):
        replicas = given

    try:
        run_state_machine_as_test(MachineHere, settings=EXAMPLES)
    finally:
        given.close()


async def joined(store: Store, *messages: str) -> None:
    """One question of several messages, live, after an answer that has ended."""
    await store.claim(question("above"), "thread")
    for ts in messages:
        await store.claim(asked(ts), "thread")
    await close_turn(store, "above")
    assert await store.promote(f"q{messages[0]}", 1)


async def test_remaining_question_waits_for_the_removed_answer_and_has_no_owner(
    stores: Stores,
) -> None:
    store = await stores("one")
    await joined(store, "1.0", "2.0", "3.0")
    assert await store.request_removal(key("1.0"), "1.0") == ["q1.0"]
    assert await store.receive_commands() == [TurnCommand("q1.0", "1.0", "remove")]
    await store.write_changes(
        [Change("q1.0", 1, REMOVED_DRAFT, deleted_messages=frozenset(["1.0"]))]
    )
    [rest] = await store.get_unfinished_turns(None)
    assert (rest.question.id, rest.waiting) == ("q1.0-2", True)
    assert (rest.question.user, rest.question.messages) == ("U2.0", ("2.0", "3.0"))
    assert rest.question.text == "<2.0>\n\n<3.0>"
    taken = await store.take_over("q1.0-2", 1, count_crash=False)
    assert taken
    assert await store.promote("q1.0-2", 2) is None
    await store.write_changes([Change("q1.0", 1, REMOVED_DRAFT, closed=True)])
    assert await store.promote("q1.0-2", 2)


async def test_remaining_question_is_merged_into_a_waiting_turn(
    stores: Stores,
) -> None:
    store = await stores("one")
    await joined(store, "1.0", "2.0")
    await store.claim(asked("3.0"), "thread")
    await store.write_changes(
        [Change("q1.0", 1, REMOVED_DRAFT, deleted_messages=frozenset(["1.0"]))]
    )
    record = await store.get_turn("q3.0")
    assert record
    assert record.question.messages == ("2.0", "3.0")
    assert await store.request_removal(key("2.0"), "2.0") == ["q3.0"]


async def test_remaining_question_takes_no_id_of_an_offered_retry(stores: Stores) -> None:
    store = await stores("one")
    await joined(store, "1.0", "2.0")
    edit = replace(asked("2.0"), id="q1.0-2", keys=("turn:q1.0-2",))
    assert await store.claim(edit, None) is Claim.CLAIMED
    await store.write_changes(
        [Change("q1.0", 1, REMOVED_DRAFT, deleted_messages=frozenset(["1.0"]))]
    )
    rest = await store.get_turn("q1.0-3")
    assert rest
    assert rest.question.messages == ("2.0",)


async def test_remaining_question_is_asked_once_after_an_unconfirmed_commit(
    stores: Stores,
) -> None:
    store = await stores("one")
    await joined(store, "1.0", "2.0")
    for _ in range(2):
        await store.write_changes(
            [Change("q1.0", 1, REMOVED_DRAFT, deleted_messages=frozenset(["1.0"]))]
        )
        assert (
            await store.request_removal(key("1.0"), "1.0") == []
        )  # Slack tells twice of some deletions
    [rest] = await store.get_unfinished_turns(None)
    assert rest.question.messages == ("2.0",)
    assert await store.request_removal(key("2.0"), "2.0") == ["q1.0-2"]


async def test_remaining_question_needs_a_message_that_was_not_deleted(stores: Stores) -> None:
    store = await stores("one")
    await joined(store, "1.0", "2.0")
    for ts in ("1.0", "2.0"):
        assert await store.request_removal(key(ts), ts) == ["q1.0"]
    await store.write_changes(
        [Change("q1.0", 1, REMOVED_DRAFT, deleted_messages=frozenset(["1.0"]))]
    )
    assert await store.get_unfinished_turns(None) == []


async def test_write_with_an_old_fence_creates_no_remaining_question(stores: Stores) -> None:
    store, other = await stores("one"), await stores("two")
    await joined(store, "1.0", "2.0")
    assert await other.take_over("q1.0", 1, count_crash=True)
    assert await store.write_changes(
        [Change("q1.0", 1, REMOVED_DRAFT, deleted_messages=frozenset(["1.0"]))]
    ) == {"q1.0"}
    assert await store.get_unfinished_turns(None) == []


async def test_turn_that_ends_while_it_waits_is_merged_with_no_question(
    stores: Stores,
) -> None:
    store = await stores("one")
    await store.claim(asked("1.0"), "thread")
    await store.claim(asked("2.0"), "thread")
    await store.write_changes([Change("q2.0", 1, REMOVED_DRAFT)])
    assert await store.claim(asked("3.0"), "thread") is Claim.QUEUED
    record = await store.get_turn("q2.0")
    assert record
    assert record.question.messages == ("2.0",)


async def test_question_is_stored_as_it_was_read_from_slack(stores: Stores) -> None:
    store = await stores("one")
    await joined(store, "1.0", "2.0")
    record = await store.get_turn("q1.0")
    assert record
    words = [replace(said, text=said.text + "\0!") for said in record.question.words]
    shown = replace(record.question, said=tuple(words), text="<1.0>\0!\n\n<2.0>\0!")
    await store.write_changes([Change("q1.0", 1, question=shown)])
    record = await store.get_turn("q1.0")
    assert record
    assert [said.text for said in record.question.words] == ["<1.0>!", "<2.0>!"]
