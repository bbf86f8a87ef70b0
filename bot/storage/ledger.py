"""The budgets all replicas share: slots of a window, each taken for as long as a limit counts.

A limit of `size` calls in `seconds` is `size` slots, each of which is held for `seconds` by whoever
calls: at no moment more than `size` calls lie in the window behind it. PostgreSQL's own clock
decides where there is one, so that replicas need not agree about the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    FromClause,
    ScalarSelect,
    bindparam,
    cast,
    func,
    select,
    update,
)

from bot.storage.claiming import insert
from bot.storage.database import Database
from bot.storage.tables import slots

PATIENCE = 0.25  # seconds; after that a fair share is better than more waiting
SOON = 0.01  # seconds; somebody takes the slot that seems free at this very moment


class Ledger:
    """Shared budgets as one replica sees them."""

    def __init__(
        self,
        database: Database,
        *,
        replica: str,
        now: Callable[[], float] = time.time,
        patience: float = PATIENCE,
    ) -> None:
        self.replica = replica
        self._database = database
        self._now = now
        self._patience = patience

    async def take(self, key: str, size: int, seconds: float) -> float:
        """Take one of `size` slots for `seconds`: 0.0 if that is done, else the seconds until one
        is free. Raises StorageAway."""
        return await self._database.write(
            lambda connection: self._take(connection, key, size, seconds), self._patience
        )

    async def others(self, key: str) -> list[float]:
        """Seconds until each slot is free that other replicas hold, dead ones included; sorted.
        Raises StorageAway."""

        def work(connection: Connection) -> list[float]:
            now = _clock(connection)
            held = select(slots.c.free_at - now).where(
                slots.c.key == key, slots.c.holder != self.replica, ~_free(slots, now)
            )
            return sorted(connection.execute(held, {"now": self._now()}).scalars())

        return await self._database.read(work, self._patience)

    def _take(self, connection: Connection, key: str, size: int, seconds: float) -> float:
        now = _clock(connection)
        taking = (
            update(slots)
            .where(slots.c.key == key, slots.c.slot == _a_free_one(now, key, size))
            .values(holder=self.replica, free_at=now + seconds, seconds=seconds)
        )
        at = {"now": self._now()}
        if connection.execute(taking, at).rowcount:
            return 0.0
        if _add_missing(connection, key, size) and connection.execute(taking, at).rowcount:
            return 0.0
        ours = (slots.c.key == key, slots.c.slot < size)
        wait = select(func.min(slots.c.free_at) - now).where(*ours)
        return max(SOON, float(connection.execute(wait, at).scalar_one()))


def _clock(connection: Connection) -> ColumnElement[Any]:
    """Seconds since the epoch: the server's, or ours where the file is on our own machine."""
    if connection.dialect.name == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()), Double)
    return bindparam("now", type_=Double)


def _a_free_one(now: ColumnElement[Any], key: str, size: int) -> ScalarSelect[int]:
    """One that nobody takes at this very moment, so that nobody waits for anybody."""
    one = slots.alias()
    return (
        select(one.c.slot)
        .where(one.c.key == key, one.c.slot < size, _free(one, now))
        .order_by(one.c.slot)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )


def _free(slots: FromClause, now: ColumnElement[Any]) -> ColumnElement[bool]:
    """Its time is over; or it would last longer than it was taken for: the clock was set back."""
    return (slots.c.free_at <= now) | (slots.c.free_at > now + slots.c.seconds)


def _add_missing(connection: Connection, key: str, size: int) -> int:
    """See that all slots of the budget are there; how many were not."""
    there = set(
        connection.execute(
            select(slots.c.slot).where(slots.c.key == key, slots.c.slot < size)
        ).scalars()
    )
    missing = [
        {"key": key, "slot": slot, "free_at": 0.0, "seconds": 0.0}
        for slot in range(size)
        if slot not in there
    ]
    if missing:
        connection.execute(insert(connection, slots).values(missing).on_conflict_do_nothing())
    return len(missing)
