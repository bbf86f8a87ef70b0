"""Replicas on one real database, for tests that are not asynchronous themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from sqlalchemy import Connection, delete

from bot.storage.engine.database import Database, open_database
from bot.storage.store import Store
from bot.storage.tables import metadata
from tests.unit.storage.conftest import PATIENCE

T = TypeVar("T")
REPLICAS = ("one", "two", "three")


class SyncReplicas:
    """Real replicas, each with connections of its own, on one database for all examples."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._databases: list[Database] = []
        self.stores: dict[str, Store] = {}
        self.run(self._open(url))

    async def _open(self, url: str) -> None:
        for name in REPLICAS:
            database = await self._stack.enter_async_context(
                open_database(url, timeout_seconds=PATIENCE)
            )
            await database.migrate()
            self._databases.append(database)
            self.stores[name] = Store(database, replica=name)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self._runner.run(work)

    def run_together(self, *works: Coroutine[Any, Any, T]) -> Sequence[T]:
        """Run several at the same time."""

        async def all_of_them() -> Sequence[T]:
            return await asyncio.gather(*works)

        return self.run(all_of_them())

    def clear(self) -> None:
        """Delete all rows."""

        def empty(connection: Connection) -> None:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))

        self.run(self._databases[0].write(empty))

    def close(self) -> None:
        """Close all databases."""
        self.run(self._stack.aclose())
        self._runner.close()
