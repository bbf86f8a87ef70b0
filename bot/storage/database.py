"""The database: opened once, checked at start, asked by readiness."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
        """Raise StorageError unless the database takes writes."""
        begin = "BEGIN IMMEDIATE" if self.engine.dialect.name == "sqlite" else "BEGIN READ WRITE"
        try:
            async with self.engine.connect() as connection:
                raw = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await raw.execute(text(begin))
                await raw.execute(text("CREATE TABLE writable_check (n INTEGER)"))
                await raw.execute(text("ROLLBACK"))
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(_unusable(self.place, error)) from error

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


def _unusable(place: str, error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or error).splitlines()[0]
    return (
        f"The database {place} can't be written ({cause}); make its folder writable for this user, "
        "or set DATABASE_URL to another place."
    )
