"""SQLite: one file, one writer, a reader beside it.

A transaction is a plain function. It runs whole in one thread, so that it costs one change of
threads and not one a statement, and so that nobody who is cancelled leaves it half done. That
takes less than half the time of a driver that hands over each statement (aiosqlite).
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

# WAL: reader and writer do not wait for each other. NORMAL: what is committed survives the death
# of the process; a power cut may take the last moments (https://sqlite.org/pragma.html). Deleted
# text is overwritten, not only forgotten.
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON")

TRUNCATE_TIMEOUT_SECONDS = 0.2  # that the emptying of the log waits for others who read

_DISK_ERRORS = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
"""It is full, most often; an index of the log that finds no room is an I/O error too."""


class SqliteFile:
    """An open file. Every transaction that writes takes the file's write lock when it begins."""

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
            hide_parameters=True,  # they hold what people wrote
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
        """Do `work` in one transaction. Raises StorageUnavailable within `timeout_seconds` seconds,
        StorageError for what no database takes."""
        attempt = TransactionDeadline(timeout_seconds)
        reads = mode is TransactionMode.READ and not self._use_writer_only
        thread = self._reader if reads else self._writer
        try:
            async with asyncio.timeout(timeout_seconds):
                result = await asyncio.wrap_future(thread.transact(attempt, work))
        except TimeoutError as error:
            attempt.abandon()
            raise attempt.unavailable_error() from error
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._after_failure(error)
            raise StorageUnavailable(
                driver_message(error)
            ) from error  # rolled back, a failed commit as well
        except UnicodeError as error:
            raise StorageError(driver_message(error)) from error
        except asyncio.CancelledError:
            attempt.abandon()
            raise
        self._use_writer_only = self._use_writer_only and mode is TransactionMode.READ
        return result

    def _after_failure(self, error: Exception) -> None:
        """Connections of one process share what is wrong with a file, for example that it could
        only be opened for reading: until a write succeeds, the one that writes is the only one."""
        if not _is_locked(error):
            self._use_writer_only = True
            self._reader.disconnect()

    async def check_writable(self, timeout_seconds: float) -> None:
        """Take the write lock and change something, then leave the file as it was. Raises
        StorageUnavailable."""
        try:
            await asyncio.to_thread(_try_to_write, self.path, timeout_seconds)
        except sqlite3.Error as error:
            raise StorageUnavailable(driver_message(error)) from error

    async def purge_deleted(self) -> None:
        """Write the log into the file, where deleted text is overwritten, and empty it.

        While another process reads it can't be emptied; that is tried again the next time.
        """
        with suppress(SQLAlchemyError, sqlite3.Error, OSError):
            await asyncio.wrap_future(self._writer.truncate_wal())

    def is_transient(self, error: BaseException | None) -> bool:
        """Whether what failed may succeed later, with the same settings."""
        return error is not None and (_is_locked(error) or _result_code(error) in _DISK_ERRORS)

    @asynccontextmanager
    async def listening(self, on_notice: Callable[[str], None]) -> AsyncIterator[None]:
        """Nothing is ever heard: whoever shares the file has to look."""
        del on_notice
        yield

    async def close(self) -> None:
        """Let the transaction that runs finish, and close the file."""
        for thread in {self._reader, self._writer}:
            thread.disconnect()
            await asyncio.to_thread(thread.shutdown)


class _ConnectionThread:
    """A thread with a connection of its own. One that was good and then fails is replaced at once,
    and the transaction done with the new one."""

    def __init__(self, engine: Engine, begin: str) -> None:
        self._engine = engine.execution_options(**{_BEGIN_OPTION: begin})
        self._executor = ThreadPoolExecutor(1, "database")
        self._connection: Connection | None = None

    def transact(self, deadline: TransactionDeadline, work: Callable[[Connection], T]) -> Future[T]:
        return self._executor.submit(self._transact, deadline, work)

    def truncate_wal(self) -> Future[None]:
        """Empty the log, outside of any transaction."""
        return self._executor.submit(self._truncate_wal)

    def disconnect(self) -> None:
        """Close the connection; the next transaction takes a new one."""
        self._executor.submit(self._disconnect)

    def shutdown(self) -> None:
        """Wait for everything that was asked for."""
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
    connection.isolation_level = None  # transactions begin when we say so
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options()[_BEGIN_OPTION])


def _wait_for_locks(connection: Connection, seconds: float) -> None:
    """Another process may hold the write lock: wait for it as long as the caller does."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout={int(seconds * 900)}")  # a little less: to say what it was


def _try_to_write(path: str, timeout_seconds: float) -> None:
    """On a connection of its own, which leaves the file as it is: it may be somebody else's."""
    with closing(
        sqlite3.connect(path, timeout=timeout_seconds, isolation_level=None)
    ) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE writable_check (n INTEGER)")
        connection.execute("ROLLBACK")
    _restrict_permissions(path)


def _restrict_permissions(path: str) -> None:
    """Take the rights of everybody from the database's files: they hold what people wrote. Those
    of a group stay, which somebody gave it on purpose; what is not ours we can't change."""
    for file in (Path(path + ending) for ending in ("", "-wal", "-shm", "-journal")):
        with suppress(OSError):
            file.chmod(stat.S_IMODE(file.stat().st_mode) & ~stat.S_IRWXO)


def _is_locked(error: BaseException) -> bool:
    return _result_code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _result_code(error: BaseException) -> int:
    """SQLite's result code without its details (https://sqlite.org/rescode.html)."""
    code: int = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0)
    return code & 0xFF
