"""Timers of our own: silence, no progress, and nobody else's cancellation."""

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


async def test_silence_breaks_the_wait() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as watch:
        with pytest.raises(StreamStalled) as caught:
            await watch.wait_for(forever())
    assert clock.time - 1000 == 90
    assert caught.value.code == "silence"
    assert caught.value.retryable


async def test_life_without_progress_breaks_the_wait_later() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as watch:
        for _ in range(14):
            await watch.wait_for(clock.sleep(20))
        with pytest.raises(StreamStalled):
            await watch.wait_for(forever())
    assert 300 <= clock.time - 1000 <= 320


async def test_progress_keeps_an_answer_alive() -> None:
    clock, steps = Clock(), 0
    async with StallGuard(LIMITS, clock.now, clock.sleep) as watch:
        watch.progress_count = lambda: steps
        for _ in range(40):
            await watch.wait_for(clock.sleep(20))
            steps += 1
    assert clock.time - 1000 == 800


async def test_time_spent_elsewhere_does_not_count() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as watch:
        for _ in range(3):
            await watch.wait_for(asyncio.sleep(0))
            await clock.sleep(500)
        await watch.wait_for(clock.sleep(50))


async def test_a_cancellation_from_outside_stays_one() -> None:
    clock = Clock()

    async def wait() -> None:
        async with StallGuard(
            StallLimits(1e9, 1e9), asyncio.get_running_loop().time, asyncio.sleep
        ) as watch:
            await watch.wait_for(forever())

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert clock.time == 1000


async def test_a_broken_wait_leaves_its_task_uncancelled() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as watch:
        with pytest.raises(StreamStalled):
            await watch.wait_for(forever())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_cancellation_taken_earlier_does_not_confuse_the_watch() -> None:
    clock, caught = Clock(), []

    async def wait() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            caught.append("taken")  # and never given back
        async with StallGuard(LIMITS, clock.now, clock.sleep) as watch:
            try:
                await watch.wait_for(forever())
            except StreamStalled:
                caught.append("silence")

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await task
    assert caught == ["taken", "silence"]


async def test_in_a_hurry_the_wait_is_short() -> None:
    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as watch:
        watch.shorten(1)
        with pytest.raises(StreamStalled):
            await watch.wait_for(forever())
    assert 1 <= clock.time - 1000 <= 1.2


async def test_no_timer_is_left_behind() -> None:
    clock = Clock()
    before = asyncio.all_tasks()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as watch:
        watch.shorten(1)
        await watch.wait_for(asyncio.sleep(0))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


class Fell(Exception):
    """The line fell."""


@pytest.mark.parametrize("how", ["ends", "falls", "goes on"])
async def test_a_body_is_read_within_bounds(how: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"1234"
        if how == "falls":
            raise Fell
        while how == "goes on":
            yield b"1234"

    async def close() -> None:
        """Nothing to close."""

    clock = Clock()
    async with StallGuard(LIMITS, clock.now, clock.sleep) as watch:
        body = await read_bounded(watch, HttpReply(500, {}, chunks(), close, (Fell,)), 21)
    assert body == (b"1234" * 6)[: 21 if how == "goes on" else 12]
