from __future__ import annotations

import asyncio

from bot.turn.answering.concurrency import ConcurrencyLimiter


class SlotHolder:
    """Takes a slot and holds it until `release` is set; `positions` are those it was told."""

    def __init__(self, limiter: ConcurrencyLimiter) -> None:
        self.limiter = limiter
        self.positions: list[int] = []
        self.acquired = asyncio.Event()
        self.release = asyncio.Event()
        self.task = asyncio.create_task(self.hold())

    async def hold(self) -> None:
        async with self.limiter.slot(self.positions.append):
            self.acquired.set()
            await self.release.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_free_slot_is_taken_without_a_position() -> None:
    holder = SlotHolder(ConcurrencyLimiter(1))
    await holder.acquired.wait()
    holder.release.set()
    await holder.task
    assert holder.positions == []
    assert holder.limiter.in_use == 0


async def test_slots_are_given_in_order_and_positions_reported() -> None:
    limiter = ConcurrencyLimiter(1)
    first, second, third = SlotHolder(limiter), SlotHolder(limiter), SlotHolder(limiter)
    await settle()
    assert (second.positions, third.positions) == ([0], [1])
    first.release.set()
    await second.acquired.wait()
    await settle()
    assert third.positions == [1, 0]
    assert not third.acquired.is_set()
    second.release.set()
    third.release.set()
    await asyncio.gather(first.task, second.task, third.task)
    assert (limiter.in_use, limiter.waiting_count) == (0, 0)


async def test_cancelled_waiter_leaves_the_queue() -> None:
    limiter = ConcurrencyLimiter(1)
    first, second, third = SlotHolder(limiter), SlotHolder(limiter), SlotHolder(limiter)
    await settle()
    second.task.cancel()
    await settle()
    assert third.positions == [1, 0]
    first.release.set()
    await third.acquired.wait()
    third.release.set()
    await asyncio.gather(first.task, third.task)
    assert limiter.in_use == 0


async def test_slot_granted_to_a_cancelled_waiter_is_passed_on() -> None:
    limiter = ConcurrencyLimiter(1)
    first, second, third = SlotHolder(limiter), SlotHolder(limiter), SlotHolder(limiter)
    await settle()
    first.release.set()
    await first.task
    second.task.cancel()
    await asyncio.wait_for(third.acquired.wait(), 1)
    third.release.set()
    await third.task
    await settle()
    assert limiter.in_use == 0
