"""Calls that read messages keep to one limit, in one process and over all replicas."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.ratelimit.read_limit import READ_METHODS, READS_PER_MINUTE
from bot.errors import SlackError, SlackRateLimited, SlackRefused
from bot.slack import Slack
from tests.support.virtual_time import now, run
from tests.unit.delivery.fake_slack import Call, FakeSlack, connect
from tests.unit.delivery.sharing import Replicas

HISTORY, REPLIES = READ_METHODS


async def read(slack: Slack, method: str, *, after: float = 0.0) -> None:
    """Read a channel or a thread; the thread does not exist, which Slack says after counting."""
    await asyncio.sleep(after)
    with suppress(SlackRefused):
        await (slack.history("C1") if method == HISTORY else slack.replies("C1", "1.0"))


def open_slacks(replicas: Replicas, fake: FakeSlack) -> list[Slack]:
    """A client of Slack for each replica, with its read limit."""
    slacks = []
    for slots in replicas.rate_slots:
        delivery = replicas.open_delivery(fake, slots)
        replicas.deliveries.append(delivery)
        slack = connect(fake)
        slack.limit_reads(delivery.read_limit("T1"))
        slacks.append(slack)
    return slacks


def most_in_a_minute(calls: Sequence[Call], method: str) -> int:
    times = [call.at for call in calls if call.method == method]
    return max((sum(0 <= at - first < 60.0 for at in times) for first in times), default=0)


@settings(max_examples=8)  # each writes a slot a call to a database
@given(
    arrivals=st.lists(
        st.tuples(st.floats(0, 90), st.sampled_from(READ_METHODS), st.integers(0, 1)),
        min_size=100,
        max_size=140,
    )
)
def test_reads_of_replicas_keep_to_the_limit_in_any_minute_and_are_all_made(
    arrivals: list[tuple[float, str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    fake = FakeSlack()

    async def play() -> None:
        async with Replicas(tmp_path_factory.mktemp("replicas"), 2) as replicas:
            slacks = open_slacks(replicas, fake)
            reads = [read(slacks[which], method, after=at) for at, method, which in arrivals]
            await asyncio.gather(*reads)

    run(play())
    assert len(fake.calls) == len(arrivals)
    assert all(most_in_a_minute(fake.calls, method) <= READS_PER_MINUTE for method in READ_METHODS)


async def test_reads_keep_to_the_fair_share_while_the_database_is_away(tmp_path: Path) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 2, away=(0, 1000)) as replicas:
        slacks = open_slacks(replicas, fake)
        reading = asyncio.gather(*(read(slack, HISTORY) for slack in slacks for _ in range(40)))
        await asyncio.sleep(50)
        assert READS_PER_MINUTE - 4 <= fake.count(HISTORY) <= READS_PER_MINUTE
        await reading
    assert most_in_a_minute(fake.calls, HISTORY) <= READS_PER_MINUTE


async def test_reads_pause_after_a_429_and_others_are_not_held_up(tmp_path: Path) -> None:
    fake = FakeSlack()
    fake.fault = lambda call: "429:20" if call.method == HISTORY and now() < 10 else None
    async with Replicas(tmp_path, 1) as replicas:
        [slack] = open_slacks(replicas, fake)
        with pytest.raises(SlackRateLimited):
            await slack.history("C1")
        await read(slack, REPLIES)
        assert now() < 1
        await slack.history("C1")
        assert 20 <= now() <= 22
    assert fake.count(HISTORY) == 2


async def test_read_that_must_not_wait_makes_no_call_when_the_limit_is_used_up(
    tmp_path: Path,
) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 2) as replicas:
        first, second = open_slacks(replicas, fake)
        await asyncio.gather(*(read(first, HISTORY) for _ in range(READS_PER_MINUTE)))
        for slack in (first, second):
            with pytest.raises(SlackError):
                await slack.history("C1", wait=False)
        assert fake.count(HISTORY) == READS_PER_MINUTE


async def test_read_that_is_cancelled_while_it_waits_takes_nothing(tmp_path: Path) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 1) as replicas:
        [slack] = open_slacks(replicas, fake)
        reads = asyncio.gather(*(read(slack, HISTORY) for _ in range(READS_PER_MINUTE)))
        await reads
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await slack.history("C1")
        await asyncio.sleep(40)
        await asyncio.gather(*(slack.history("C1", wait=False) for _ in range(READS_PER_MINUTE)))
    assert fake.count(HISTORY) == 2 * READS_PER_MINUTE
