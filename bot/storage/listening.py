"""Notices between replicas: PostgreSQL's LISTEN, on a connection of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger(__name__)

CHANNEL = "bot_turns"
EVERYBODY = ""  # as the name of the replica that is meant
AGAIN = 0.5  # seconds until a connection that fell is opened again
ALIVE = 5.0  # seconds between two looks at whether the connection still stands


def notify(connection: Connection, replica: str = EVERYBODY) -> None:
    """Stir a replica when this transaction is committed; whoever shares a SQLite file looks."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(CHANNEL, replica)))


class Listener:
    """Hears notices while it is open, over as many connections as it takes."""

    def __init__(self, engine: AsyncEngine, heard: Callable[[str], None]) -> None:
        self._engine = engine
        self._heard = heard
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Listener:
        self._task = asyncio.create_task(self._listen(), name="database notices")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear_until_it_falls()
            except (SQLAlchemyError, OSError) as error:
                log.debug("the connection for notices fell: %s", type(error).__name__)
            await asyncio.sleep(AGAIN)

    async def _hear_until_it_falls(self) -> None:
        async with self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            await driver.add_listener(CHANNEL, self._take)
            self._heard(EVERYBODY)  # whatever was said while nobody listened
            while True:
                await asyncio.sleep(ALIVE)
                await driver.execute("SELECT 1", timeout=ALIVE)

    def _take(self, connection: object, pid: int, channel: str, payload: object) -> None:
        del connection, pid, channel
        self._heard(str(payload))
