"""Notices between replicas: PostgreSQL's LISTEN, on a connection of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)

NOTIFY_CHANNEL = "bot_turns"
ALL_REPLICAS = ""  # as the name of the replica that is meant
RECONNECT_SECONDS = 0.5  # seconds until a connection that fell is opened again
LIVENESS_CHECK_SECONDS = 5.0  # seconds between two looks at whether the connection still stands


def notify(connection: Connection, replica: str = ALL_REPLICAS) -> None:
    """Stir a replica when this transaction is committed; whoever shares a SQLite file looks."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(NOTIFY_CHANNEL, replica)))


class NotificationListener:
    """Hears notices while it is open, over as many connections as that takes.

    With each new connection `on_notice` is called once for everybody: nobody knows what was said
    before.
    """

    def __init__(self, engine: AsyncEngine, on_notice: Callable[[str], None]) -> None:
        import asyncpg  # type: ignore[import-untyped]  # it has no types; an extra, there by now

        self._connection_errors = (
            SQLAlchemyError,
            OSError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
        )
        self._engine = engine
        self._on_notice = on_notice
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> NotificationListener:
        self._task = asyncio.create_task(self._listen_forever(), name="database notices")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _listen_forever(self) -> None:
        while True:
            with suppress(*self._connection_errors):  # readiness and the journal tell of it
                async with self._engine.connect() as connection:
                    try:
                        await self._listen_until_lost(connection)
                    finally:
                        await connection.invalidate()  # it must not go back into the pool
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_until_lost(self, connection: AsyncConnection) -> None:
        """Until the connection falls, at the latest when it is found to be dead, or to lead to a
        server that is only read: after a fail-over the notices are at another one."""
        driver: Any = (await connection.get_raw_connection()).driver_connection
        fallen = asyncio.Event()
        driver.add_termination_listener(lambda _: fallen.set())
        await driver.add_listener(NOTIFY_CHANNEL, self._on_notification)
        self._on_notice(ALL_REPLICAS)
        only_read = False
        while not (fallen.is_set() or only_read):
            with suppress(TimeoutError):
                async with asyncio.timeout(LIVENESS_CHECK_SECONDS):
                    await fallen.wait()
            async with asyncio.timeout(LIVENESS_CHECK_SECONDS):
                look = await connection.execute(text("SHOW transaction_read_only"))
            only_read = look.scalar() == "on"

    def _on_notification(self, connection: object, pid: int, channel: str, payload: object) -> None:
        del connection, pid, channel
        self._on_notice(str(payload))
