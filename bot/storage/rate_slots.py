"""Rate limits that all replicas share.

A limit of N calls per T seconds is kept as N slots. A call acquires a slot and holds it for T
seconds, so any window of T seconds contains at most N calls. Time is that of the PostgreSQL server,
so replicas' clocks need not agree; with SQLite it is the machine's time since boot.
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

SLOT_TIMEOUT_SECONDS = 0.25  # then the caller falls back to its share of the limit
MIN_WAIT_SECONDS = 0.01  # when a slot looks free, but another replica is acquiring it

_KEY, _ME = bindparam("of", type_=Text), bindparam("me", type_=Text)
_SIZE = bindparam("size", type_=Integer)
_SECONDS = bindparam("lasting", type_=Double)


class SlotHold(NamedTuple):
    """A slot held by another replica. `holder_is_alive`: that replica is registered."""

    seconds_until_free: float
    holder_is_alive: bool


class SharedRateSlots:
    """The shared slots as one replica uses them.

    `timeout_seconds` is how long a method waits for the database by default.
    """

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
        """Acquire one of the `size` slots of `key` for `seconds`. Return 0.0 on success, otherwise
        the seconds until a slot is free. Raises StorageUnavailable within the timeout."""

        def work(connection: Connection) -> float:
            return _acquire(connection, self._values(of=key, size=size, lasting=seconds))

        timeout_seconds = timeout_seconds or self._timeout_seconds
        return await self._database.write(work, timeout_seconds, autocommit=True, best_effort=True)

    async def held_by_others(
        self, key: str, timeout_seconds: float | None = None
    ) -> list[SlotHold]:
        """The slots of `key` that other replicas hold, dead ones included, soonest free first.
        Raises StorageUnavailable within the timeout."""

        def work(connection: Connection) -> list[SlotHold]:
            found = connection.execute(
                _held_by_others_statement(connection.dialect.name), self._values(of=key)
            )
            return sorted(SlotHold(seconds, bool(is_alive)) for seconds, is_alive in found)

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
    return max(MIN_WAIT_SECONDS, wait or 0.0)  # None: the slots were just pruned


def clock_expression(dialect: str) -> ColumnElement[Any]:
    """The clock of the slots: the PostgreSQL server's in seconds since the epoch, or the parameter
    `now` with SQLite, where the caller binds `since_boot()`."""
    if dialect == "postgresql":
        return cast(func.extract("epoch", func.clock_timestamp()), Double)
    return bindparam("now", type_=Double)


def _is_free(slots: FromClause, now: ColumnElement[Any]) -> ColumnElement[bool]:
    """Its time is over, or longer than it was acquired for: then the clock restarted."""
    return (slots.c.free_at <= now) | (slots.c.free_at > now + slots.c.seconds)


@cache
def _acquire_statement(dialect: str) -> Update:
    """Acquire the first free slot, skipping those that other transactions are acquiring."""
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
    is_alive = exists().where(replicas.c.id == slots.c.holder)
    return select(slots.c.free_at - now, is_alive).where(
        slots.c.key == _KEY, slots.c.holder != _ME, ~_is_free(slots, now)
    )


def _add_missing(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Insert the slots of the limit that are missing, as free; whether any was."""
    slot, size = slots.c.slot, values["size"]
    existing = select(slot).where(slots.c.key == _KEY, slot < _SIZE)
    missing = set(range(size)) - set(connection.execute(existing, values).scalars())
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
