"""Notifications between replicas by PostgreSQL's LISTEN and NOTIFY. With SQLite replicas poll."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from bot.background import wait_until

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)

NOTIFY_CHANNEL = "bot_turns"
ALL_REPLICAS = ""  # in place of the name of one replica
RECONNECT_SECONDS = 0.5  # seconds until a lost connection is opened again
LIVENESS_CHECK_SECONDS = 5.0  # seconds between two checks of the connection


def notify(connection: Connection, replica: str = ALL_REPLICAS) -> None:
    """Notify a replica, or all, when this transaction is committed. Does nothing with SQLite."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(NOTIFY_CHANNEL, replica)))


class NotificationListener:
    """Receives notifications while it is open, and reconnects when its connection is lost.

    `on_notice` is called with the name of the notified replica or ALL_REPLICAS. It is also called
    with ALL_REPLICAS after each connect, because notifications may have been missed before.
    """

    def __init__(self, engine: AsyncEngine, on_notice: Callable[[str], None]) -> None:
        import asyncpg  # type: ignore[import-untyped]  # untyped; the extra `postgres`

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
        self._task = asyncio.create_task(self._listen_forever(), name="database notifications")
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
            with suppress(*self._connection_errors):  # other transactions report that
                async with self._engine.connect() as connection:
                    try:
                        await self._listen_until_lost(connection)
                    finally:
                        await (
                            connection.invalidate()
                        )  # it listens, so it must not return to the pool
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_until_lost(self, connection: AsyncConnection) -> None:
        """Return when the connection is lost, or when its server has become read-only: after a
        fail-over, notifications are sent on another server. Raises if a check fails."""
        driver: Any = (await connection.get_raw_connection()).driver_connection
        lost = asyncio.Event()
        driver.add_termination_listener(lambda _: lost.set())
        await driver.add_listener(NOTIFY_CHANNEL, self._on_notification)
        self._on_notice(ALL_REPLICAS)
        read_only = False
        while not (lost.is_set() or read_only):
            await wait_until(lost, asyncio.get_running_loop().time() + LIVENESS_CHECK_SECONDS)
            async with asyncio.timeout(LIVENESS_CHECK_SECONDS):
                setting = await connection.execute(text("SHOW transaction_read_only"))
            read_only = setting.scalar() == "on"

    def _on_notification(self, connection: object, pid: int, channel: str, payload: object) -> None:
        del connection, pid, channel
        self._on_notice(str(payload))
