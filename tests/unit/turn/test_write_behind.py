"""The journal in virtual time, with a function in place of the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import StorageUnavailable
from bot.observe import Metrics
from bot.storage.records import Change, ShownMessage
from bot.turn.durability.write_behind import (
    FLUSH_INTERVAL_SECONDS,
    MAX_FLUSH_BACKOFF_SECONDS,
    Journal,
    merge_changes,
)
from bot.values import Draft, Phase
from tests.support.virtual_time import now, run

ONE, TWO = Draft(Phase.STREAMING, "One"), Draft(Phase.STREAMING, "One two")
STANDS = (ShownMessage("1.0", "C1"),)


@dataclass
class FakeDatabase:
    """Keeps what is written, and when; can be unavailable, slow, or reject one turn's changes."""

    written: list[tuple[float, list[Change]]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    reported: list[tuple[str, int]] = field(default_factory=list)
    unavailable: bool = False
    write_seconds: float = 0.0
    rejected_turn: str = ""
    attempts: int = 0
    metrics: Metrics = field(default_factory=Metrics)

    async def write(self, changes: Sequence[Change]) -> set[str]:
        self.attempts += 1
        await asyncio.sleep(self.write_seconds)
        if self.unavailable:
            raise StorageUnavailable("away")
        if any(change.turn == self.rejected_turn for change in changes):
            raise ValueError("no database takes this")
        self.written.append((now(), list(changes)))
        return {change.turn for change in changes} & self.lost

    def gauge(self) -> float:
        value = self.metrics.registry.get_sample_value("bot_journal_lag_seconds")
        assert value is not None
        return value


@asynccontextmanager
async def writing(database: FakeDatabase) -> AsyncIterator[Journal]:
    def on_lost(turn: str, fence: int) -> None:
        database.reported.append((turn, fence))

    journal = Journal(database.write, on_lost, database.metrics, now=now)
    task = asyncio.create_task(journal.run())
    yield journal
    task.cancel()


async def test_journal_writes_one_merged_change_per_turn() -> None:
    database = FakeDatabase()
    async with writing(database) as journal:
        journal.enqueue(Change("a", 1, draft=ONE))
        journal.enqueue(Change("b", 1, response_id="resp_1"))
        journal.enqueue(Change("a", 1, draft=TWO, messages=STANDS))
        await journal.wait_written()
    [(_, changes)] = database.written
    assert changes == [
        Change("a", 1, draft=TWO, messages=STANDS),
        Change("b", 1, response_id="resp_1"),
    ]


async def test_journal_writes_once_per_interval_unless_a_turn_waits() -> None:
    database = FakeDatabase()
    async with writing(database) as journal:
        journal.enqueue(Change("a", 1, irreversible=True))
        await journal.wait_written()
        database.written.clear()
        for n in range(100):
            journal.enqueue(Change("a", 1, draft=Draft(Phase.STREAMING, str(n))))
            await asyncio.sleep(0.01)
        times = [at for at, _ in database.written]
        assert len(times) in (4, 5)
        assert min(b - a for a, b in pairwise(times)) >= 0.99 * FLUSH_INTERVAL_SECONDS
        journal.enqueue(Change("a", 1, draft=ONE, closed=True))
        before = now()
        await journal.wait_written()
        assert now() == before


async def test_journal_keeps_one_change_per_turn_while_the_database_is_unavailable() -> None:
    database = FakeDatabase(unavailable=True)
    async with writing(database) as journal:
        for n in range(100):
            journal.enqueue(Change("a", 1, draft=Draft(Phase.STREAMING, "x" * n)))
            await asyncio.sleep(0.1)
        journal.enqueue(Change("a", 1, response_id="resp_1"))
        journal.enqueue(Change("b", 1, closed=True))
        assert database.attempts < 12
        assert set(journal.pending_turns) == {"a", "b"}
        assert database.gauge() == pytest.approx(now(), abs=0.2)
        database.unavailable = False
        await asyncio.sleep(MAX_FLUSH_BACKOFF_SECONDS + FLUSH_INTERVAL_SECONDS)
    [(_, changes)] = database.written
    longest = Draft(Phase.STREAMING, "x" * 99)
    assert changes == [Change("a", 1, longest, response_id="resp_1"), Change("b", 1, closed=True)]
    assert (journal.pending_turns, database.gauge()) == (set(), 0.0)
    failures = database.metrics.registry.get_sample_value("bot_journal_failures_total")
    assert failures == database.attempts - 1


async def test_wait_written_waits_for_earlier_changes_only() -> None:
    database = FakeDatabase(write_seconds=1.0)
    async with writing(database) as journal:
        journal.enqueue(Change("a", 1, draft=ONE))
        await asyncio.sleep(0.5)
        journal.enqueue(Change("a", 1, draft=TWO))
        await journal.wait_written()
        assert [changes for _, changes in database.written] == [
            [Change("a", 1, draft=ONE)],
            [Change("a", 1, draft=TWO)],
        ]
        assert now() == 2.0


async def test_journal_reports_a_lost_lease_and_drops_its_changes() -> None:
    database = FakeDatabase(lost={"a"}, write_seconds=1.0)
    async with writing(database) as journal:
        journal.enqueue(Change("a", 1, draft=ONE))
        journal.enqueue(Change("b", 1, draft=ONE))
        await asyncio.sleep(0.5)
        journal.enqueue(Change("a", 1, draft=TWO))
        await asyncio.sleep(5)
    assert database.reported == [("a", 1)]
    assert [changes for _, changes in database.written] == [
        [Change("a", 1, draft=ONE), Change("b", 1, draft=ONE)]
    ]


def test_journal_writes_the_others_if_one_change_can_not_be_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        database = FakeDatabase(rejected_turn="b")
        async with writing(database) as journal:
            for turn in "abc":
                journal.enqueue(Change(turn, 1, draft=ONE))
            await journal.wait_written()
        assert [changes[0].turn for _, changes in database.written] == ["a", "c"]

    run(scenario())
    assert "could not be written" in caplog.text


async def test_journal_cancelled_during_a_write_keeps_its_changes() -> None:
    database = FakeDatabase(write_seconds=1.0)
    async with writing(database) as journal:
        journal.enqueue(Change("a", 1, draft=ONE))
        await asyncio.sleep(0.5)
    await asyncio.sleep(0)
    assert set(journal.pending_turns) == {"a"}
    assert await journal.flush()
    assert [changes for _, changes in database.written] == [[Change("a", 1, draft=ONE)]]


changes = st.builds(
    Change,
    st.just("a"),
    st.integers(1, 3),
    draft=st.none() | st.sampled_from([ONE, TWO]),
    response_id=st.none() | st.sampled_from(["", "resp_1"]),
    messages=st.none() | st.sampled_from([(), STANDS]),
    irreversible=st.none() | st.just(True),
    send_unverifiable=st.none() | st.just(True),
    cursor=st.none() | st.sampled_from(["", "4 0 0 3"]),
    crash_count=st.none() | st.just(0),
    closed=st.booleans(),
)


@given(st.lists(changes, min_size=1))
def test_merged_changes_are_the_newest_of_each_field_under_the_newest_fence(
    noted: list[Change],
) -> None:
    whole: Change | None = None
    for change in noted:
        whole = merge_changes(whole, change)
    assert whole
    counting = [change for change in noted if change.fence == max(c.fence for c in noted)]
    for name in (
        "draft",
        "response_id",
        "messages",
        "irreversible",
        "send_unverifiable",
        "cursor",
        "crash_count",
    ):
        given_values = [v for c in counting if (v := getattr(c, name)) is not None]
        assert getattr(whole, name) == (given_values[-1] if given_values else None)
    assert whole.closed == any(change.closed for change in counting)
