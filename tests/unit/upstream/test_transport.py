"""The stall guard: silence, no progress, and cancellations that are not its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.upstream.session.transport import (
    HttpReply,
    StallGuard,
    StallLimits,
    StreamStalled,
    read_bounded,
)
from tests.unit.upstream.clock import Clock

LIMITS = StallLimits(idle_seconds=90, progress_seconds=300)


async def forever() -> None:
    """Never return."""
    await asyncio.Event().wait()


async def test_stall_guard_breaks_a_wait_without_a_byte() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
        with pytest.raises(StreamStalled) as caught:
            await stall_guard.wait_for(forever())
    assert clock.time - 1000 == 90
    assert caught.value.code == "silence"
    assert caught.value.retryable


async def test_stall_guard_breaks_waits_without_progress_later() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
        for _ in range(14):
            await stall_guard.wait_for(clock.sleep(20))
        with pytest.raises(StreamStalled):
            await stall_guard.wait_for(forever())
    assert 300 <= clock.time - 1000 <= 320


async def test_stall_guard_lets_an_answer_with_progress_run() -> None:
    clock, steps = Clock(), 0
    async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
        stall_guard.progress_count = lambda: steps
        for _ in range(40):
            await stall_guard.wait_for(clock.sleep(20))
            steps += 1
    assert clock.time - 1000 == 800


async def test_stall_guard_does_not_count_time_outside_of_waits() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
        for _ in range(3):
            await stall_guard.wait_for(asyncio.sleep(0))
            await clock.sleep(500)
        await stall_guard.wait_for(clock.sleep(50))


async def test_stall_guard_passes_a_cancellation_from_outside_on() -> None:
    clock = Clock()

    async def wait() -> None:
        async with StallGuard(
            StallLimits(1e9, 1e9), asyncio.get_running_loop().time, asyncio.sleep
        ) as stall_guard:
            await stall_guard.wait_for(forever())

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert clock.time == 1000


async def test_stall_guard_leaves_its_task_uncancelled() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
        with pytest.raises(StreamStalled):
            await stall_guard.wait_for(forever())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_stall_guard_ignores_cancellations_swallowed_before_it() -> None:
    clock, caught = Clock(), []

    async def wait() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            caught.append("taken")  # and never given back
        async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
            try:
                await stall_guard.wait_for(forever())
            except StreamStalled:
                caught.append("silence")

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await task
    assert caught == ["taken", "silence"]


async def test_stall_guard_passes_a_cancellation_on_after_an_earlier_stall() -> None:
    clock, stalled = Clock(), asyncio.Event()

    async def wait() -> None:
        async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
            with pytest.raises(StreamStalled):
                await stall_guard.wait_for(forever())
            stalled.set()
            await stall_guard.wait_for(forever())

    task = asyncio.create_task(wait())
    await stalled.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


@pytest.mark.parametrize("first", ["cancellation", "stall"])
async def test_stall_guard_yields_to_a_cancellation_at_the_same_moment(first: str) -> None:
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        if now == 0:
            await asyncio.sleep(0)
        now += seconds
        if now >= LIMITS.idle_seconds and first == "cancellation":
            task.cancel()
        elif now >= LIMITS.idle_seconds:
            asyncio.get_running_loop().call_soon(task.cancel)

    async def wait() -> None:
        async with StallGuard(LIMITS, lambda: now, sleep) as stall_guard:
            await stall_guard.wait_for(forever())

    task = asyncio.create_task(wait())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_stall_guard_waits_briefly_after_shorten() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
        stall_guard.shorten(1)
        with pytest.raises(StreamStalled):
            await stall_guard.wait_for(forever())
    assert 1 <= clock.time - 1000 <= 1.2


async def test_stall_guard_leaves_no_timer_behind() -> None:
    clock = Clock()
    before = asyncio.all_tasks()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
        stall_guard.shorten(1)
        await stall_guard.wait_for(asyncio.sleep(0))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


class ConnectionBroke(Exception):
    """The connection broke."""


@pytest.mark.parametrize("how", ["ends", "breaks", "goes on"])
async def test_read_bounded_returns_what_came_within_its_bound(how: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"1234"
        if how == "breaks":
            raise ConnectionBroke
        while how == "goes on":
            yield b"1234"

    async def close() -> None:
        """Do nothing."""

    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as stall_guard:
        body = await read_bounded(
            stall_guard, HttpReply(500, {}, chunks(), close, (ConnectionBroke,)), 21
        )
    assert body == (b"1234" * 6)[: 21 if how == "goes on" else 12]
