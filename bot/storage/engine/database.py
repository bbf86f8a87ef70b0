"""The database: opened once, checked and migrated at start, asked by readiness.

One implementation for SQLite and PostgreSQL: a transaction is a plain function of a connection,
and only sqlite.py and postgres.py know how it is run.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import StorageAway, StorageError
from bot.storage.engine.deadline import PATIENCE, Way
from bot.storage.engine.postgres import PostgresServer
from bot.storage.engine.sqlite import SqliteFile
from bot.storage.process_locks import Presence

log = logging.getLogger(__name__)

T = TypeVar("T")

READINESS_PATIENCE = 0.8  # seconds; Kubernetes waits for one
MIGRATION_PATIENCE = 60.0  # seconds; another replica may be at it

MISUSED = (TypeError, ValueError, OverflowError)  # what drivers say to parts of a URL that are none
WRONG_URL = (
    "DATABASE_URL can't be used: check its form, its port and what follows the ?, and install the "
    "extra `postgres` for PostgreSQL."
)


class Database:
    """An open database. The URL may hold a password: only `place` is ever shown.

    `patience` is how many seconds a caller waits for it who does not say otherwise.
    """

    def __init__(self, url: URL, patience: float = PATIENCE) -> None:
        self.patience = patience
        self.place = url.render_as_string(hide_password=True)
        self.dialect = url.get_backend_name()
        self._engine: SqliteFile | PostgresServer = (
            SqliteFile(url) if self.dialect == "sqlite" else PostgresServer(url, patience)
        )
        self._takes_writes = True
        self.presence = Presence(url.database if self._is_file(url) else None)

    async def read(self, work: Callable[[Connection], T], patience: float | None = None) -> T:
        """What `work` finds. Raises StorageAway within `patience` seconds."""
        return await self._engine.run(work, patience=patience or self.patience, way=Way.READS)

    async def write(
        self,
        work: Callable[[Connection], T],
        patience: float | None = None,
        *,
        alone: bool = False,
        quiet: bool = False,
    ) -> T:
        """Do `work` in one transaction, and possibly again after it failed.

        Raises StorageAway within `patience` seconds: nothing is written then, unless it is
        StorageInDoubt. The same goes for being cancelled: a commit that has begun is finished.
        `alone`: its statements need no transaction around them, which saves a server two answers.
        `quiet`: that it failed says nothing of the database, for its caller was in a hurry.
        """
        way = Way.WRITES_ALONE if alone else Way.WRITES
        try:
            result = await self._engine.run(work, patience=patience or self.patience, way=way)
        except StorageAway as error:
            if not quiet:
                self._note(False, str(error))
            raise
        self._note(True)
        return result

    def listening(self, heard: Callable[[str], None]) -> AbstractAsyncContextManager[None]:
        """While it lasts, `heard` is called with every notice; SQLite has none."""
        return self._engine.listening(heard)

    async def check_writable(self) -> None:
        """See that the database takes writes; leaves nothing behind.

        Raises StorageAway when it may do so later, StorageError when somebody has to mend it.
        """
        with self._explained():
            await self._engine.check_writable(self.patience)

    async def migrate(self) -> None:
        """Bring the tables to the newest form; one process at a time, the others wait for it.

        Raises StorageAway and StorageError as `check_writable` does.
        """
        from bot.storage import migrating  # Alembic is slow to import, and not for `bot ask`

        with self._explained():
            await self._engine.run(migrating.upgrade, patience=MIGRATION_PATIENCE, way=Way.WRITES)

    async def answers(self) -> bool:
        """Whether the database answers right now, and took the last thing it was given."""
        try:
            await self.read(_look, READINESS_PATIENCE)
        except StorageAway:
            return False
        return self._takes_writes

    async def forget_deleted(self) -> None:
        """See that what was deleted stands in no file of ours any more.

        SQLite's log holds it until it is truncated. What a server keeps of it, in its own log and
        until it vacuums, is the server's. While others read, it is left for the next time.
        """
        await self._engine.forget_deleted()

    async def close(self) -> None:
        """End all connections."""
        await self._engine.close()

    def _is_file(self, url: URL) -> bool:
        return self.dialect == "sqlite" and url.database not in {None, "", ":memory:"}

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """At start, what goes wrong is said with what to do about it."""
        try:
            yield
        except StorageAway as error:
            raise self._unusable(error) from error
        except MISUSED as error:
            raise StorageError(WRONG_URL) from error

    def _unusable(self, error: StorageAway) -> StorageError:
        kind = StorageAway if self._engine.may_pass(error.__cause__) else StorageError
        return kind(
            f"The database {self.place} can't be written ({error}); {self._engine.mend}, "
            "or set DATABASE_URL to another place."
        )

    def _note(self, well: bool, problem: str = "") -> None:
        if well and not self._takes_writes:
            log.info("the database takes writes again")
        elif not well and self._takes_writes:
            log.warning("the database does not take writes: %s", problem)
        self._takes_writes = well


@asynccontextmanager
async def open_database(url: str, *, patience: float = PATIENCE) -> AsyncIterator[Database]:
    """Open the database at `url`. Raises StorageError when the URL or its driver is unusable."""
    try:
        database = Database(make_url(url), patience)
    except (ArgumentError, ModuleNotFoundError, *MISUSED) as error:
        raise StorageError(WRONG_URL) from error
    try:
        yield database
    finally:
        await database.close()


def _look(connection: Connection) -> None:
    """Something that is not answered from memory alone."""
    catalog = "sqlite_master" if connection.dialect.name == "sqlite" else "pg_catalog.pg_class"
    connection.execute(text(f"SELECT 1 FROM {catalog} LIMIT 1")).all()
