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

from bot.errors import StorageError, StorageUnavailable
from bot.storage.engine.deadline import DEFAULT_TIMEOUT_SECONDS, TransactionMode
from bot.storage.engine.postgres import PostgresServer
from bot.storage.engine.sqlite import SqliteFile
from bot.storage.process_locks import ProcessLocks

log = logging.getLogger(__name__)

T = TypeVar("T")

READINESS_TIMEOUT_SECONDS = 0.8  # seconds; Kubernetes waits for one
MIGRATION_TIMEOUT_SECONDS = 60.0  # seconds; another replica may be at it

INVALID_URL_ERRORS = (
    TypeError,
    ValueError,
    OverflowError,
)  # what drivers say to parts of a URL that are none
INVALID_URL_MESSAGE = (
    "DATABASE_URL can't be used: check its form, its port and what follows the ?, and install the "
    "extra `postgres` for PostgreSQL."
)


class Database:
    """An open database. The URL may hold a password: only `display_url` is ever shown.

    `timeout_seconds` is how many seconds a caller waits for it who does not say otherwise.
    """

    def __init__(self, url: URL, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        self.timeout_seconds = timeout_seconds
        self.display_url = url.render_as_string(hide_password=True)
        self.dialect = url.get_backend_name()
        self._engine: SqliteFile | PostgresServer = (
            SqliteFile(url) if self.dialect == "sqlite" else PostgresServer(url, timeout_seconds)
        )
        self._is_writable = True
        self.process_locks = ProcessLocks(url.database if self._is_file(url) else None)

    async def read(
        self, work: Callable[[Connection], T], timeout_seconds: float | None = None
    ) -> T:
        """What `work` finds. Raises StorageUnavailable within `timeout_seconds` seconds."""
        return await self._engine.run(
            work, timeout_seconds=timeout_seconds or self.timeout_seconds, mode=TransactionMode.READ
        )

    async def write(
        self,
        work: Callable[[Connection], T],
        timeout_seconds: float | None = None,
        *,
        autocommit: bool = False,
        best_effort: bool = False,
    ) -> T:
        """Do `work` in one transaction, and possibly again after it failed.

        Raises StorageUnavailable within `timeout_seconds` seconds: nothing is written then, unless
        it is CommitUnknown. The same goes for being cancelled: a commit that has begun is finished.
        `autocommit`: its statements need no transaction around them, which saves a server two
        answers. `best_effort`: that it failed says nothing of the database, for its caller was in a
        hurry.
        """
        way = TransactionMode.AUTOCOMMIT if autocommit else TransactionMode.WRITE
        try:
            result = await self._engine.run(
                work, timeout_seconds=timeout_seconds or self.timeout_seconds, mode=way
            )
        except StorageUnavailable as error:
            if not best_effort:
                self._record_write_health(False, str(error))
            raise
        self._record_write_health(True)
        return result

    def listening(self, on_notice: Callable[[str], None]) -> AbstractAsyncContextManager[None]:
        """While it lasts, `on_notice` is called with every notice; SQLite has none."""
        return self._engine.listening(on_notice)

    async def check_writable(self) -> None:
        """See that the database takes writes; leaves nothing behind.

        Raises StorageUnavailable when it may do so later, StorageError when somebody has to mend
        it.
        """
        with self._errors_explained():
            await self._engine.check_writable(self.timeout_seconds)

    async def migrate(self) -> None:
        """Bring the tables to the newest form; one process at a time, the others wait for it.

        Raises StorageUnavailable and StorageError as `check_writable` does.
        """
        from bot.storage import migrating  # Alembic is slow to import, and not for `bot ask`

        with self._errors_explained():
            await self._engine.run(
                migrating.upgrade,
                timeout_seconds=MIGRATION_TIMEOUT_SECONDS,
                mode=TransactionMode.WRITE,
            )

    async def is_ready(self) -> bool:
        """Whether the database answers right now, and took the last thing it was given."""
        try:
            await self.read(_probe, READINESS_TIMEOUT_SECONDS)
        except StorageUnavailable:
            return False
        return self._is_writable

    async def purge_deleted(self) -> None:
        """See that what was deleted stands in no file of ours any more.

        SQLite's log holds it until it is truncated. What a server keeps of it, in its own log and
        until it vacuums, is the server's. While others read, it is left for the next time.
        """
        await self._engine.purge_deleted()

    async def close(self) -> None:
        """End all connections."""
        await self._engine.close()

    def _is_file(self, url: URL) -> bool:
        return self.dialect == "sqlite" and url.database not in {None, "", ":memory:"}

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """At start, what goes wrong is said with what to do about it."""
        try:
            yield
        except StorageUnavailable as error:
            raise self._startup_error(error) from error
        except INVALID_URL_ERRORS as error:
            raise StorageError(INVALID_URL_MESSAGE) from error

    def _startup_error(self, error: StorageUnavailable) -> StorageError:
        kind = StorageUnavailable if self._engine.is_transient(error.__cause__) else StorageError
        return kind(
            f"The database {self.display_url} can't be written ({error}); "
            f"{self._engine.repair_hint}, or set DATABASE_URL to another place."
        )

    def _record_write_health(self, is_writable: bool, problem: str = "") -> None:
        if is_writable and not self._is_writable:
            log.info("the database takes writes again")
        elif not is_writable and self._is_writable:
            log.warning("the database does not take writes: %s", problem)
        self._is_writable = is_writable


@asynccontextmanager
async def open_database(
    url: str, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
) -> AsyncIterator[Database]:
    """Open the database at `url`. Raises StorageError when the URL or its driver is unusable."""
    try:
        database = Database(make_url(url), timeout_seconds)
    except (ArgumentError, ModuleNotFoundError, *INVALID_URL_ERRORS) as error:
        raise StorageError(INVALID_URL_MESSAGE) from error
    try:
        yield database
    finally:
        await database.close()


def _probe(connection: Connection) -> None:
    """Something that is not answered from memory alone."""
    catalog = "sqlite_master" if connection.dialect.name == "sqlite" else "pg_catalog.pg_class"
    connection.execute(text(f"SELECT 1 FROM {catalog} LIMIT 1")).all()
