from __future__ import annotations

import asyncio

from bot.turn.concurrency import ConcurrencyLimiter


class Guest:
    """Takes a seat, says so, and leaves when told."""

    def __init__(self, seats: ConcurrencyLimiter) -> None:
        self.seats = seats
        self.told: list[int] = []
        self.seated = asyncio.Event()
        self.leave = asyncio.Event()
        self.task = asyncio.create_task(self.stay())

    async def stay(self) -> None:
        async with self.seats.slot(self.told.append):
            self.seated.set()
            await self.leave.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_free_slot_is_taken_without_a_position() -> None:
    guest = Guest(ConcurrencyLimiter(1))
    await guest.seated.wait()
    guest.leave.set()
    await guest.task
    assert guest.told == []
    assert guest.seats.in_use == 0


async def test_slots_are_given_in_order_and_positions_reported() -> None:
    seats = ConcurrencyLimiter(1)
    first, second, third = Guest(seats), Guest(seats), Guest(seats)
    await settle()
    assert (second.told, third.told) == ([0], [1])
    first.leave.set()
    await second.seated.wait()
    await settle()
    assert third.told == [1, 0]
    assert not third.seated.is_set()
    second.leave.set()
    third.leave.set()
    await asyncio.gather(first.task, second.task, third.task)
    assert (seats.in_use, seats.waiting_count) == (0, 0)


async def test_cancelled_waiter_leaves_the_queue() -> None:
    seats = ConcurrencyLimiter(1)
    first, second, third = Guest(seats), Guest(seats), Guest(seats)
    await settle()
    second.task.cancel()
    await settle()
    assert third.told == [1, 0]
    first.leave.set()
    await third.seated.wait()
    third.leave.set()
    await asyncio.gather(first.task, third.task)
    assert seats.in_use == 0


async def test_slot_granted_to_a_cancelled_waiter_is_passed_on() -> None:
    seats = ConcurrencyLimiter(1)
    first, second, third = Guest(seats), Guest(seats), Guest(seats)
    await settle()
    first.leave.set()
    await first.task
    second.task.cancel()
    await asyncio.wait_for(third.seated.wait(), 1)
    third.leave.set()
    await third.task
    await settle()
    assert seats.in_use == 0
