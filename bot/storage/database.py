"""The database: opened once, checked at start, asked by readiness."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import StorageError


class Database:
    """An open database. The URL may hold a password: only `place` is ever shown."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.place = engine.url.render_as_string(hide_password=True)

    async def check_writable(self) -> None:
        """Raise StorageError unless the database takes writes; leaves nothing behind."""
        try:
            if self.engine.dialect.name == "sqlite":
                await asyncio.to_thread(_write_to_file, self.engine.url.database or ":memory:")
            else:
                await self._write_to_server()
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StorageError(_unusable(self.place, error)) from error

    async def _write_to_server(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("CREATE TABLE writable_check (n INTEGER)"))
            await connection.rollback()

    async def answers(self) -> bool:
        """Whether the database answers right now."""
        try:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return False
        return True


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Open the database at `url`. Raises StorageError when the URL or its driver is unusable."""
    try:
        engine = create_async_engine(make_url(url))
    except (ArgumentError, ModuleNotFoundError) as error:
        raise StorageError(
            "DATABASE_URL can't be used: check its form, and install the extra `postgres` "
            "for PostgreSQL."
        ) from error
    try:
        yield Database(engine)
    finally:
        await engine.dispose()


def _write_to_file(path: str) -> None:
    """Without aiosqlite: its thread outlives a connection that could not be opened."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE writable_check (n INTEGER)")
        connection.execute("ROLLBACK")


def _unusable(place: str, error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or error).splitlines()[0]
    return (
        f"The database {place} can't be written ({cause}); make its folder writable for this user, "
        "or set DATABASE_URL to another place."
    )
