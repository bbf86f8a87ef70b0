"""The budgets all replicas share: slots of a window, each taken for as long as a limit counts.

A limit of `size` calls in `seconds_until_free` is `size` slots, each of which is held for
`seconds_until_free` by whoever calls: at no moment more than `size` calls lie in the window behind
it. PostgreSQL's own clock decides where there is one, so that replicas need not agree about the
time; with a file the machine's, which nobody sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Integer,
    Select,
    Text,
    Update,
    bindparam,
    cast,
    exists,
    func,
    select,
    update,
)

from bot.storage.clock import since_boot
from bot.storage.engine.database import Database
from bot.storage.tables import dialect_insert, replicas, slots

SLOT_TIMEOUT_SECONDS = 0.25  # seconds; after that a fair share is better than more waiting
MIN_WAIT_SECONDS = 0.01  # seconds; somebody takes the slot that seems free at this very moment

_KEY, _ME = bindparam("of", type_=Text), bindparam("me", type_=Text)
_SIZE = bindparam("size", type_=Integer)
_SECONDS = bindparam("lasting", type_=Double)


class SlotHold(NamedTuple):
    """A slot that another replica holds. `holder_is_alive`: it does, as far as is known."""

    seconds_until_free: float  # until it is free
    holder_is_alive: bool


class SharedRateSlots:
    """Shared budgets as one replica sees them."""

    def __init__(
        self,
        database: Database,
        *,
        replica: str,
        now: Callable[[], float] = since_boot,
        timeout_seconds: float = SLOT_TIMEOUT_SECONDS,
    ) -> None:
        self.replica = replica
        self._database = database
        self._now = now
        self._timeout_seconds = timeout_seconds

    async def acquire(
        self, key: str, size: int, seconds: float, timeout_seconds: float | None = None
    ) -> float:
        """Take one of `size` slots for `seconds_until_free`: 0.0 if that is done, else the seconds
        until one is free. Raises StorageUnavailable, within `timeout_seconds` seconds if that is
        given."""

        def work(connection: Connection) -> float:
            return _acquire(connection, self._values(of=key, size=size, lasting=seconds))

        timeout_seconds = timeout_seconds or self._timeout_seconds
        return await self._database.write(work, timeout_seconds, autocommit=True, best_effort=True)

    async def held_by_others(
        self, key: str, timeout_seconds: float | None = None
    ) -> list[SlotHold]:
        """The slots that other replicas hold, dead ones included; the first to be free first.
        Raises StorageUnavailable, within `timeout_seconds` seconds if that is given."""

        def work(connection: Connection) -> list[SlotHold]:
            held = connection.execute(
                _held_by_others_statement(connection.dialect.name), self._values(of=key)
            )
            return sorted(SlotHold(seconds, bool(lives)) for seconds, lives in held)

        return await self._database.read(work, timeout_seconds or self._timeout_seconds)

    def _values(self, **more: Any) -> dict[str, Any]:
        return {"me": self.replica, "now": self._now(), **more}


def _acquire(connection: Connection, values: Mapping[str, Any]) -> float:
    taking = _acquire_statement(connection.dialect.name)
    if connection.execute(taking, values).rowcount:
        return 0.0
    if _add_missing(connection, values) and connection.execute(taking, values).rowcount:
        return 0.0
    wait = connection.execute(_next_free_statement(connection.dialect.name), values).scalar_one()
    return max(MIN_WAIT_SECONDS, wait or 0.0)  # None: they were just deleted


def clock_expression(dialect: str) -> ColumnElement[Any]:
    """Seconds since the epoch as the server counts them, or since the boot of the one machine that
    has the file; these are given as `now`."""
    if dialect == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()), Double)
    return bindparam("now", type_=Double)


def _is_free(slots: FromClause, now: ColumnElement[Any]) -> ColumnElement[bool]:
    """Its time is over; or it would last longer than it was taken for: the clock began anew."""
    return (slots.c.free_at <= now) | (slots.c.free_at > now + slots.c.seconds)


@cache
def _acquire_statement(dialect: str) -> Update:
    """Take the first free slot that nobody else takes at this very moment: nobody waits."""
    now, one = clock_expression(dialect), slots.alias()
    free = (
        select(one.c.slot)
        .where(one.c.key == _KEY, one.c.slot < _SIZE, _is_free(one, now))
        .order_by(one.c.slot)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(slots)
        .where(slots.c.key == _KEY, slots.c.slot == free)
        .values(holder=_ME, free_at=now + _SECONDS, seconds=_SECONDS)
    )


@cache
def _next_free_statement(dialect: str) -> Select[Any]:
    soonest = func.min(slots.c.free_at) - clock_expression(dialect)
    return select(soonest).where(slots.c.key == _KEY, slots.c.slot < _SIZE)


@cache
def _held_by_others_statement(dialect: str) -> Select[Any]:
    now = clock_expression(dialect)
    lives = exists().where(replicas.c.id == slots.c.holder)
    return select(slots.c.free_at - now, lives).where(
        slots.c.key == _KEY, slots.c.holder != _ME, ~_is_free(slots, now)
    )


def _add_missing(connection: Connection, values: Mapping[str, Any]) -> bool:
    """See that all slots of the budget are there, free from now on; whether any was not."""
    slot, size = slots.c.slot, values["size"]
    there = select(slot).where(slots.c.key == _KEY, slot < _SIZE)
    missing = set(range(size)) - set(connection.execute(there, values).scalars())
    if missing:
        now = connection.execute(
            select(clock_expression(connection.dialect.name)), values
        ).scalar_one()
        free = {"key": values["of"], "free_at": now, "seconds": 0.0}
        connection.execute(
            _insert_statement(connection.dialect.name), [free | {"slot": n} for n in missing]
        )
    return bool(missing)


@cache
def _insert_statement(dialect: str) -> Any:
    return dialect_insert(dialect, slots).on_conflict_do_nothing()
