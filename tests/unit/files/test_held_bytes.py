"""The bytes that answers share: in order, within the limit, and none are lost."""

from __future__ import annotations

import asyncio

from bot.files.held_bytes import HeldBytes
from tests.support.virtual_time import run


def test_bytes_are_given_in_the_order_in_which_they_were_asked_for() -> None:
    async def scenario() -> None:
        held = HeldBytes(10)
        order: list[int] = []
        await held.acquire(8)

        async def take(count: int) -> None:
            await held.acquire(count)
            order.append(count)

        waiting = [asyncio.create_task(take(count)) for count in (5, 2, 3)]
        await asyncio.sleep(0)
        assert order == []  # two bytes are free, but five were asked for first
        held.release(8)
        await asyncio.gather(*waiting)
        assert order == [5, 2, 3]
        assert held.free == 0

    run(scenario())


def test_one_who_stops_waiting_holds_up_nobody() -> None:
    async def scenario() -> None:
        held = HeldBytes(10)
        await held.acquire(8)
        large = asyncio.create_task(held.acquire(9))
        small = asyncio.create_task(held.acquire(2))
        await asyncio.sleep(0)
        large.cancel()
        await asyncio.wait_for(small, 1)
        held.release(10)
        assert held.free == 10

    run(scenario())


def test_bytes_come_back_if_their_taker_is_cancelled_as_they_are_given() -> None:
    async def scenario() -> None:
        held = HeldBytes(10)
        await held.acquire(10)
        waiting = asyncio.create_task(held.acquire(4))
        await asyncio.sleep(0)
        held.release(10)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert held.free == 10

    run(scenario())
