"""Shared rate limits: no window has more calls than the limit, whichever replicas make them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial

import pytest
import pytest_asyncio
from sqlalchemy import Connection, delete, func, select, update

from bot.storage.clock import since_boot
from bot.storage.engine.database import Database, open_database
from bot.storage.rate_slots import MIN_WAIT_SECONDS, SharedRateSlots
from bot.storage.store import Store
from bot.storage.tables import slots
from bot.storage.transactions.pruning import UNUSED_SECONDS
from tests.unit.storage.conftest import PATIENCE, Stores

RateSlots = Callable[..., SharedRateSlots]


@pytest.fixture
def replica_slots(database: Database) -> RateSlots:
    """The slots as a replica uses them, with a timeout for busy machines."""
    return partial(_rate_slots, database)


def _rate_slots(
    database: Database, replica: str, now: Callable[[], float] = since_boot
) -> SharedRateSlots:
    return SharedRateSlots(database, replica=replica, now=now, timeout_seconds=PATIENCE)


async def test_slots_are_acquired_up_to_the_limit(replica_slots: RateSlots) -> None:
    one, two = replica_slots("one"), replica_slots("two")
    assert [await one.acquire("a", 2, 60), await two.acquire("a", 2, 60)] == [0.0, 0.0]
    assert 50 < await one.acquire("a", 2, 60) <= 60
    assert 50 < await two.acquire("a", 2, 60) <= 60
    assert await one.acquire("b", 2, 60) == 0.0, "another key is another budget"


async def test_slots_held_by_others_have_the_seconds_until_they_are_free(
    replica_slots: RateSlots,
) -> None:
    one, two, three = replica_slots("one"), replica_slots("two"), replica_slots("three")
    assert await one.held_by_others("a") == []
    await one.acquire("a", 5, 60)
    await two.acquire("a", 5, 30)
    await three.acquire("b", 5, 60)
    [first, second] = await three.held_by_others("a")
    assert 20 < first.seconds_until_free <= 30
    assert 50 < second.seconds_until_free <= 60
    [only] = await one.held_by_others("a")
    assert 20 < only.seconds_until_free <= 30


async def test_slots_held_by_others_say_whether_the_holder_is_alive(
    replica_slots: RateSlots, stores: Stores
) -> None:
    one, two, three = replica_slots("one"), replica_slots("two"), replica_slots("three")
    await (await stores("two")).heartbeat()
    await one.acquire("a", 5, 30)
    await two.acquire("a", 5, 60)
    assert [held.holder_is_alive for held in await three.held_by_others("a")] == [False, True]
    await (await stores("two")).unregister()
    assert [held.holder_is_alive for held in await three.held_by_others("a")] == [False, False]


async def test_slot_is_free_again_after_its_time(replica_slots: RateSlots) -> None:
    rate_slots = replica_slots("one")
    assert await rate_slots.acquire("a", 1, 0.05) == 0.0
    wait = await rate_slots.acquire("a", 1, 60)
    assert 0.0 < wait <= 0.05
    await asyncio.sleep(wait)  # the server's own clock
    assert await rate_slots.acquire("a", 1, 60) == 0.0
    [held] = await replica_slots("two").held_by_others("a")
    assert held.seconds_until_free == pytest.approx(60, abs=5)


async def test_slots_follow_a_limit_that_grows_or_shrinks(replica_slots: RateSlots) -> None:
    rate_slots = replica_slots("one")
    assert [await rate_slots.acquire("a", 2, 60) for _ in range(2)] == [0.0, 0.0]
    assert [await rate_slots.acquire("a", 4, 60) for _ in range(2)] == [0.0, 0.0]
    assert await rate_slots.acquire("a", 4, 60) > 50
    assert await rate_slots.acquire("a", 1, 60) > 50


async def test_slots_acquired_at_once_never_exceed_the_limit(url: str, database: Database) -> None:
    async with AsyncExitStack() as stack:
        ledgers = [
            _rate_slots(
                await stack.enter_async_context(open_database(url, timeout_seconds=PATIENCE)),
                f"r{n}",
            )
            for n in range(4)
        ]
        waits = await asyncio.gather(*(ledgers[n % 4].acquire("a", 7, 60) for n in range(40)))
    assert waits.count(0.0) == 7
    assert all(wait > 0 for wait in waits if wait != 0.0)


async def test_slots_allow_no_more_calls_than_the_limit_in_any_window(database: Database) -> None:
    window, size = 0.2, 5
    ledgers = [_rate_slots(database, f"r{n}") for n in range(3)]
    taken: list[tuple[float, float]] = []  # before and after each: the slot began in between

    async def call(rate_slots: SharedRateSlots) -> None:
        for _ in range(8):
            before = time.monotonic()
            while wait := await rate_slots.acquire("a", size, window):
                await asyncio.sleep(wait)
                before = time.monotonic()
            taken.append((before, time.monotonic()))

    await asyncio.gather(*map(call, ledgers))

    assert len(taken) == 24
    taken.sort(key=lambda moment: moment[1])
    for start in range(len(taken) - size):
        six = taken[start : start + size + 1]
        assert six[-1][1] - min(before for before, _ in six) >= window


@pytest_asyncio.fixture
async def clock(
    replica_slots: RateSlots,
) -> AsyncIterator[tuple[SharedRateSlots, SharedRateSlots, list[float]]]:
    """Two ledgers that share a clock which is moved by hand."""
    now = [1000.0]
    yield replica_slots("one", lambda: now[0]), replica_slots("two", lambda: now[0]), now


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_slots_are_free_after_the_clock_restarted(
    clock: tuple[SharedRateSlots, SharedRateSlots, list[float]],
) -> None:
    one, two, now = clock
    await one.acquire("a", 1, 60)
    now[0] += 30
    assert await two.acquire("a", 1, 60) == 30
    now[0] -= 3600
    assert await two.held_by_others("a") == []
    assert await two.acquire("a", 1, 60) == 0.0
    assert await one.acquire("a", 1, 60) == 60
    now[0] += 3600
    assert await one.acquire("a", 1, 60) == 0.0


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_slots_on_postgres_use_the_clock_of_the_server(replica_slots: RateSlots) -> None:
    slow, fast = replica_slots("one", lambda: 0.0), replica_slots("two", lambda: 9e9)
    await slow.acquire("a", 1, 60)
    assert 50 < await fast.acquire("a", 1, 60) <= 60
    assert 50 < (await fast.held_by_others("a"))[0].seconds_until_free <= 60


async def test_slots_that_are_unused_are_pruned(database: Database) -> None:
    rate_slots, store = _rate_slots(database, "one"), Store(database, replica="one")
    count = select(func.count()).select_from(slots)
    for seconds in (-UNUSED_SECONDS - 100, 100):  # long ago, or of a clock that began anew since
        assert [await rate_slots.acquire("a", 3, 60) for _ in range(3)] == [0.0] * 3
        await store.prune(0)
        assert await rate_slots.acquire("a", 1, 60) > 50, "they are in use"
        moved = update(slots).values(free_at=slots.c.free_at + seconds)
        await database.write(partial(Connection.execute, statement=moved))
        await store.prune(0)
        assert await database.read(lambda connection: connection.execute(count).scalar()) == 0


async def test_slots_pruned_while_they_are_acquired_are_inserted_again(
    url: str, database: Database, replica_slots: RateSlots
) -> None:
    async with open_database(url, timeout_seconds=PATIENCE) as other:
        emptying = asyncio.create_task(_empty_again_and_again(other))
        try:
            waits = [await replica_slots("one").acquire(f"k{n}", 3, 60) for n in range(200)]
        finally:
            emptying.cancel()
            await asyncio.wait({emptying})
    assert max(waits) <= MIN_WAIT_SECONDS


async def _empty_again_and_again(database: Database) -> None:
    while True:
        await database.write(lambda connection: connection.execute(delete(slots)).rowcount)
