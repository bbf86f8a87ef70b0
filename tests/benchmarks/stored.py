"""What the store of turns takes: one turn, many at once, and with many stored already."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import count

from sqlalchemy import Connection

from bot.observe import Metrics
from bot.storage.engine.database import Database
from bot.storage.rate_slots import SharedRateSlots
from bot.storage.records import Change, ShownMessage
from bot.storage.store import Store
from bot.storage.transactions import claiming, turn_updates
from bot.turn.durability.write_behind import Journal
from bot.values import Draft, Phase, Place, Question

REPLICA = "bench"
TEXT = "Somebody wants to know how this works in some detail. " * 2
ANSWER = "The answer is neither short nor long, as answers are. " * 60
DONE = Draft(Phase.DONE, ANSWER)
BATCH = 500
PATIENCE = 60.0  # seconds

_numbers = count(1)


def question() -> Question:
    """One nobody asked before, in a thread of its own."""
    n = next(_numbers)
    ts = f"{1_800_000_000 + n}.000100"
    keys = (f"message:C{n}:{ts}", f"event:T1:Ev{n:012}")
    return Question(f"{n:012x}", keys, Place("T1", f"C{n}", "channel", ts), "U1", TEXT, ts)


async def fill(database: Database, turns: int) -> None:
    """Store so many turns that are over."""

    def work(connection: Connection) -> None:
        changes = []
        for asked in (question() for _ in range(BATCH)):
            claiming.claim(connection, asked, f"C:{asked.ts}", REPLICA, time.time())
            changes.append(Change(asked.id, 1, DONE, messages=_placeholder(asked), closed=True))
        turn_updates.write_changes(connection, changes, time.time(), store_text=True)

    for _ in range(turns // BATCH):
        await database.write(work, PATIENCE)


async def claims(store: Store, times: int) -> list[float]:
    """Seconds that claims take, one after the other."""
    asked = list(_questions(times))
    seconds = [await _timed(_claim(store, one)) for one in asked]
    await _end(store, asked)
    return seconds


async def slots(ledger: SharedRateSlots, times: int) -> list[float]:
    """Seconds that it takes to be allowed a call of a budget that is hardly used."""
    return [await _timed(lambda: ledger.acquire("T1:C1", 1000, 60.0)) for _ in range(times)]


async def journals(store: Store, times: int) -> list[float]:
    """Seconds that it takes to write down what a live answer shows by now."""
    [asked] = _questions(1)
    await _claim(store, asked)()
    draft = Draft(Phase.STREAMING, ANSWER)
    change = Change(asked.id, 1, draft, messages=_placeholder(asked))
    seconds = [await _timed(lambda: store.write_changes([change])) for _ in range(times)]
    await _end(store, [asked])
    return seconds


async def turns(store: Store, times: int, at_once: int) -> float:
    """How many turns a second go from claim to done, so many at once, as the bot writes them."""
    journal = Journal(store.write_changes, lambda turn, fence: None, Metrics())
    writing = asyncio.create_task(journal.run())
    left = _questions(times)

    async def one_after_the_other() -> None:
        for asked in left:
            await _claim(store, asked)()
            journal.enqueue(Change(asked.id, 1, Draft(Phase.ASKING), messages=_placeholder(asked)))
            journal.enqueue(Change(asked.id, 1, DONE))
            await journal.wait_written()
            journal.enqueue(Change(asked.id, 1, closed=True))

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    await journal.wait_written()
    seconds = time.perf_counter() - began
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    return times / seconds


def _questions(times: int) -> Iterator[Question]:
    return (question() for _ in range(times))


def _claim(store: Store, asked: Question) -> Callable[[], Awaitable[object]]:
    return lambda: store.claim(asked, f"C:{asked.ts}")


async def _end(store: Store, asked: Sequence[Question]) -> None:
    """Nobody shall find these and go on with them."""
    await store.write_changes([Change(one.id, 1, DONE, closed=True) for one in asked])


def _placeholder(asked: Question) -> tuple[ShownMessage, ...]:
    return (ShownMessage(f"{asked.ts}1", asked.place.channel),)


async def _timed(step: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await step()
    return time.perf_counter() - began
