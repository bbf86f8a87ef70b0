"""The open database: transactions, the checks at start, and readiness.

A transaction is a plain function of a connection, the same for SQLite and PostgreSQL. How it is run
differs: sqlite.py and postgres.py.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import StorageError, StorageUnavailable
from bot.storage.engine.deadline import DEFAULT_TIMEOUT_SECONDS, TransactionMode
from bot.storage.engine.sqlite import SqliteFile
from bot.storage.process_locks import ProcessLocks

if TYPE_CHECKING:
    from bot.storage.engine.postgres import PostgresServer

log = logging.getLogger(__name__)

T = TypeVar("T")

READINESS_TIMEOUT_SECONDS = 0.8  # less than the second that Kubernetes waits by default
MIGRATION_TIMEOUT_SECONDS = 60.0  # another replica may be migrating

# What drivers raise for invalid parts of a URL.
INVALID_URL_ERRORS = (TypeError, ValueError, OverflowError)
INVALID_URL_MESSAGE = (
    "DATABASE_URL can't be used: check its form, its port and what follows the ?, and install the "
    "extra `postgres` for PostgreSQL."
)


class Database:
    """An open database. Made by `open_database`.

    `timeout_seconds` is how long a method waits by default. Log only `display_url`: the URL may
    contain a password.
    """

    def __init__(self, url: URL, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        self.timeout_seconds = timeout_seconds
        self.display_url = url.render_as_string(hide_password=True)
        self.dialect = url.get_backend_name()
        self._engine = _engine(url, timeout_seconds)
        self._is_writable = True
        self.process_locks = ProcessLocks(url.database if self._is_file(url) else None)

    async def read(
        self, work: Callable[[Connection], T], timeout_seconds: float | None = None
    ) -> T:
        """Return the result of `work`, which must not write. Raises StorageUnavailable within the
        timeout, StorageError for values that no database accepts."""
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
        """Run `work` in one transaction; it may be called again if an attempt fails.

        Raises StorageUnavailable within the timeout; nothing is written then, unless it is
        CommitUnknown. StorageError: the values can never be written. Cancellation rolls back,
        unless the commit has begun. `autocommit`: the statements need no common transaction, which
        saves two round trips to a server. `best_effort`: a failure does not make `is_ready` false,
        because the timeout was short.
        """
        mode = TransactionMode.AUTOCOMMIT if autocommit else TransactionMode.WRITE
        try:
            result = await self._engine.run(
                work, timeout_seconds=timeout_seconds or self.timeout_seconds, mode=mode
            )
        except StorageUnavailable as error:
            if not best_effort:
                self._record_write_health(False, str(error))
            raise
        self._record_write_health(True)
        return result

    def listening(self, on_notice: Callable[[str], None]) -> AbstractAsyncContextManager[None]:
        """Call `on_notice` with each notification while the context is open; never with SQLite.
        "" stands for all replicas (notifications.ALL_REPLICAS)."""
        return self._engine.listening(on_notice)

    async def check_writable(self) -> None:
        """Write something and undo it. Raises StorageUnavailable if a retry may help, StorageError
        if an operator has to act; the message says what to do."""
        with self._errors_explained():
            await self._engine.check_writable(self.timeout_seconds)

    async def migrate(self) -> None:
        """Migrate the tables to the newest revision; concurrent processes wait for each other.

        Raises as `check_writable` does.
        """
        from bot.storage import migrating  # slow to import, and `bot ask` needs no Alembic

        with self._errors_explained():
            await self._engine.run(
                migrating.upgrade,
                timeout_seconds=MIGRATION_TIMEOUT_SECONDS,
                mode=TransactionMode.WRITE,
            )

    async def is_ready(self) -> bool:
        """Whether the database answers a query now, and the last write succeeded."""
        try:
            await self.read(_probe, READINESS_TIMEOUT_SECONDS)
        except StorageUnavailable:
            return False
        return self._is_writable

    async def purge_deleted(self) -> None:
        """Remove deleted text from SQLite's write-ahead log, by truncating it.

        Does nothing while another connection reads; the next call tries again. With PostgreSQL the
        server's log and vacuum settings decide.
        """
        await self._engine.purge_deleted()

    async def close(self) -> None:
        """Close all connections, after the transactions that are running."""
        await self._engine.close()

    def _is_file(self, url: URL) -> bool:
        return self.dialect == "sqlite" and url.database not in {None, "", ":memory:"}

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        """Turn errors at start into messages that say what to do."""
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
            log.info("database writes work again")
        elif not is_writable and self._is_writable:
            log.warning(
                "database write failed, new questions are refused until one works: %s", problem
            )
        self._is_writable = is_writable


def _engine(url: URL, timeout_seconds: float) -> SqliteFile | PostgresServer:
    if url.get_backend_name() == "sqlite":
        return SqliteFile(url)
    from bot.storage.engine.postgres import PostgresServer  # takes 8 MB more of SQLAlchemy

    return PostgresServer(url, timeout_seconds)


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
    """A query that has to read the database."""
    catalog = "sqlite_master" if connection.dialect.name == "sqlite" else "pg_catalog.pg_class"
    connection.execute(text(f"SELECT 1 FROM {catalog} LIMIT 1")).all()
