"""Transactions on a SQLite file, with one thread that writes and one that reads.

A transaction runs as a whole in its thread. So it costs one thread switch rather than one per
statement, and cancelling its caller can't interrupt it. It takes less than half the time of
aiosqlite, which switches for each statement.
"""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, NullPool, StaticPool, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import StorageError, StorageUnavailable
from bot.storage.engine.deadline import TransactionDeadline, TransactionMode, driver_message

T = TypeVar("T")

_BEGIN_OPTION = "begin"  # the execution option that names a transaction's first statement

# WAL: reader and writer do not block each other. NORMAL: commits survive a crash of the process; a
# power failure may lose the last ones (https://sqlite.org/pragma.html). secure_delete: deleted text
# is overwritten.
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON")

TRUNCATE_TIMEOUT_SECONDS = 0.2  # to wait for other readers

_DISK_ERRORS = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
"""Mostly a full disk: without room for the log's index SQLite reports an I/O error."""


class SqliteFile:
    """An open file. Transactions that write take the file's write lock when they begin."""

    repair_hint = (
        "see that its folder is there, that this user may write it and all files named like the "
        "database, and that its disk has room"
    )

    def __init__(self, url: URL) -> None:
        self.path = url.database or ":memory:"
        self._engine = create_engine(
            url.set(drivername="sqlite+pysqlite", database=self.path),
            poolclass=NullPool if self.path != ":memory:" else StaticPool,
            connect_args={"check_same_thread": False},
            hide_parameters=True,  # they contain what people wrote
        )
        event.listen(self._engine, "connect", _configure_connection)
        event.listen(self._engine, "begin", _begin)
        self._writer = _ConnectionThread(self._engine, "BEGIN IMMEDIATE")
        self._reader = (
            _ConnectionThread(self._engine, "BEGIN") if self.path != ":memory:" else self._writer
        )
        self._use_writer_only = False

    async def run(
        self, work: Callable[[Connection], T], *, timeout_seconds: float, mode: TransactionMode
    ) -> T:
        """Run `work` in one transaction. Raises StorageUnavailable within `timeout_seconds`,
        StorageError for values that can't be stored."""
        deadline = TransactionDeadline(timeout_seconds)
        reads = mode is TransactionMode.READ and not self._use_writer_only
        thread = self._reader if reads else self._writer
        try:
            async with asyncio.timeout(timeout_seconds):
                result = await asyncio.wrap_future(thread.transact(deadline, work))
        except TimeoutError as error:
            deadline.abandon()
            raise deadline.unavailable_error() from error
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._after_failure(error)
            # Also a failed commit is rolled back.
            raise StorageUnavailable(driver_message(error)) from error
        except UnicodeError as error:
            raise StorageError(driver_message(error)) from error
        except asyncio.CancelledError:
            deadline.abandon()
            raise
        self._use_writer_only = self._use_writer_only and mode is TransactionMode.READ
        return result

    def _after_failure(self, error: Exception) -> None:
        """Connections of one process share the state of a broken file, for example that it could
        only be opened for reading. Until a write succeeds, only the writing connection is used."""
        if not _is_locked(error):
            self._use_writer_only = True
            self._reader.disconnect()

    async def check_writable(self, timeout_seconds: float) -> None:
        """Write within a transaction and roll it back. Raises StorageUnavailable."""
        try:
            await asyncio.to_thread(_try_to_write, self.path, timeout_seconds)
        except sqlite3.Error as error:
            raise StorageUnavailable(driver_message(error)) from error

    async def purge_deleted(self) -> None:
        """Checkpoint and truncate the write-ahead log, which still contains deleted text.

        Errors are ignored, including that of another process that is reading; the next call tries
        again.
        """
        with suppress(SQLAlchemyError, sqlite3.Error, OSError):
            await asyncio.wrap_future(self._writer.truncate_wal())

    def is_transient(self, error: BaseException | None) -> bool:
        """Whether a retry with the same settings may succeed."""
        return error is not None and (_is_locked(error) or _result_code(error) in _DISK_ERRORS)

    @asynccontextmanager
    async def listening(self, on_notice: Callable[[str], None]) -> AsyncIterator[None]:
        """SQLite has no notifications: processes that share the file poll."""
        del on_notice
        yield

    async def close(self) -> None:
        """Let the running transactions finish, and close the file."""
        for thread in {self._reader, self._writer}:
            thread.disconnect()
            await asyncio.to_thread(thread.shutdown)


class _ConnectionThread:
    """A thread with a connection of its own. If a connection that worked before fails, it is
    replaced, and the transaction is retried once."""

    def __init__(self, engine: Engine, begin: str) -> None:
        self._engine = engine.execution_options(**{_BEGIN_OPTION: begin})
        self._executor = ThreadPoolExecutor(1, "database")
        self._connection: Connection | None = None

    def transact(self, deadline: TransactionDeadline, work: Callable[[Connection], T]) -> Future[T]:
        return self._executor.submit(self._transact, deadline, work)

    def truncate_wal(self) -> Future[None]:
        """Truncate the write-ahead log, outside of any transaction."""
        return self._executor.submit(self._truncate_wal)

    def disconnect(self) -> None:
        """Close the connection; the next transaction opens a new one."""
        self._executor.submit(self._disconnect)

    def shutdown(self) -> None:
        """Return when all submitted work is done."""
        self._executor.shutdown()

    def _transact(self, deadline: TransactionDeadline, work: Callable[[Connection], T]) -> T:
        used_before = self._connection is not None
        try:
            return self._transact_once(deadline, work)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._disconnect()
            if deadline.committing or not used_before or _is_locked(error):
                raise
            return self._transact_once(deadline, work)

    def _transact_once(self, deadline: TransactionDeadline, work: Callable[[Connection], T]) -> T:
        connection = self._connection = self._connection or self._engine.connect()
        _wait_for_locks(connection, deadline.remaining_seconds)
        with connection.begin():
            result = work(connection)
            deadline.mark_committing()
        return result

    def _truncate_wal(self) -> None:
        connection = self._connection = self._connection or self._engine.connect()
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout={int(TRUNCATE_TIMEOUT_SECONDS * 1000)}")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _configure_connection(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver begins no transactions of its own
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options()[_BEGIN_OPTION])


def _wait_for_locks(connection: Connection, seconds: float) -> None:
    """Wait for the write lock of other processes as long as the caller waits."""
    driver: Any = connection.connection.driver_connection
    driver.execute(
        f"PRAGMA busy_timeout={int(seconds * 900)}"
    )  # a little less, so the error says why


def _try_to_write(path: str, timeout_seconds: float) -> None:
    """Use a connection of its own without our pragmas: the file may belong to another program."""
    with closing(
        sqlite3.connect(path, timeout=timeout_seconds, isolation_level=None)
    ) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE writable_check (n INTEGER)")
        connection.execute("ROLLBACK")
    _restrict_permissions(path)


def _restrict_permissions(path: str) -> None:
    """Remove the permissions of others from the database's files, which contain what people wrote.
    Those of the group stay: they may be intended. Files of another user can't be changed."""
    for file in (Path(path + ending) for ending in ("", "-wal", "-shm", "-journal")):
        with suppress(OSError):
            file.chmod(stat.S_IMODE(file.stat().st_mode) & ~stat.S_IRWXO)


def _is_locked(error: BaseException) -> bool:
    return _result_code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _result_code(error: BaseException) -> int:
    """SQLite's primary result code (https://sqlite.org/rescode.html)."""
    code: int = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0)
    return code & 0xFF
