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

from bot.errors import StorageAway, StorageError
from bot.storage.engine.deadline import Attempt, Way, describe

T = TypeVar("T")

_BEGIN = "begin"  # the execution option that names a transaction's first statement

# WAL: reader and writer do not wait for each other. NORMAL: what is committed survives the death
# of the process; a power cut may take the last moments (https://sqlite.org/pragma.html). Deleted
# text is overwritten, not only forgotten.
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON")

READERS_SECONDS = 0.2  # that the emptying of the log waits for others who read

_OF_THE_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
"""It is full, most often; an index of the log that finds no room is an I/O error too."""


class SqliteFile:
    """An open file. Every transaction that writes takes the file's write lock when it begins."""

    mend = (
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
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writer = _Thread(self._engine, "BEGIN IMMEDIATE")
        self._reader = _Thread(self._engine, "BEGIN") if self.path != ":memory:" else self._writer
        self._broken = False

    async def run(self, work: Callable[[Connection], T], *, patience: float, way: Way) -> T:
        """Do `work` in one transaction. Raises StorageAway within `patience` seconds, StorageError
        for what no database takes."""
        attempt = Attempt(patience)
        reads = way is Way.READS and not self._broken
        thread = self._reader if reads else self._writer
        try:
            async with asyncio.timeout(patience):
                result = await asyncio.wrap_future(thread.transact(attempt, work))
        except TimeoutError as error:
            attempt.abandon()
            raise attempt.away() from error
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._note(error)
            raise StorageAway(describe(error)) from error  # rolled back, a failed commit as well
        except UnicodeError as error:
            raise StorageError(describe(error)) from error
        except asyncio.CancelledError:
            attempt.abandon()
            raise
        self._broken = self._broken and way is Way.READS
        return result

    def _note(self, error: Exception) -> None:
        """Connections of one process share what is wrong with a file, for example that it could
        only be opened for reading: until a write succeeds, the one that writes is the only one."""
        if not _is_locked(error):
            self._broken = True
            self._reader.disconnect()

    async def check_writable(self, patience: float) -> None:
        """Take the write lock and change something, then leave the file as it was. Raises
        StorageAway."""
        try:
            await asyncio.to_thread(_try_to_write, self.path, patience)
        except sqlite3.Error as error:
            raise StorageAway(describe(error)) from error

    async def forget_deleted(self) -> None:
        """Write the log into the file, where deleted text is overwritten, and empty it.

        While another process reads it can't be emptied; that is tried again the next time.
        """
        with suppress(SQLAlchemyError, sqlite3.Error, OSError):
            await asyncio.wrap_future(self._writer.checkpoint())

    def may_pass(self, error: BaseException | None) -> bool:
        """Whether what failed may succeed later, with the same settings."""
        return error is not None and (_is_locked(error) or _code(error) in _OF_THE_DISK)

    @asynccontextmanager
    async def listening(self, heard: Callable[[str], None]) -> AsyncIterator[None]:
        """Nothing is ever heard: whoever shares the file has to look."""
        del heard
        yield

    async def close(self) -> None:
        """Let the transaction that runs finish, and close the file."""
        for thread in {self._reader, self._writer}:
            thread.disconnect()
            await asyncio.to_thread(thread.end)


class _Thread:
    """A thread with a connection of its own. One that was good and then fails is replaced at once,
    and the transaction done with the new one."""

    def __init__(self, engine: Engine, begin: str) -> None:
        self._engine = engine.execution_options(**{_BEGIN: begin})
        self._executor = ThreadPoolExecutor(1, "database")
        self._connection: Connection | None = None

    def transact(self, attempt: Attempt, work: Callable[[Connection], T]) -> Future[T]:
        return self._executor.submit(self._transact, attempt, work)

    def checkpoint(self) -> Future[None]:
        """Empty the log, outside of any transaction."""
        return self._executor.submit(self._checkpoint)

    def disconnect(self) -> None:
        """Close the connection; the next transaction takes a new one."""
        self._executor.submit(self._disconnect)

    def end(self) -> None:
        """Wait for everything that was asked for."""
        self._executor.shutdown()

    def _transact(self, attempt: Attempt, work: Callable[[Connection], T]) -> T:
        used_before = self._connection is not None
        try:
            return self._transact_once(attempt, work)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._disconnect()
            if attempt.committing or not used_before or _is_locked(error):
                raise
            return self._transact_once(attempt, work)

    def _transact_once(self, attempt: Attempt, work: Callable[[Connection], T]) -> T:
        connection = self._connection = self._connection or self._engine.connect()
        _wait_for_locks(connection, attempt.left)
        with connection.begin():
            result = work(connection)
            attempt.commits()
        return result

    def _checkpoint(self) -> None:
        connection = self._connection = self._connection or self._engine.connect()
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA busy_timeout={int(READERS_SECONDS * 1000)}")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin when we say so
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options()[_BEGIN])


def _wait_for_locks(connection: Connection, seconds: float) -> None:
    """Another process may hold the write lock: wait for it as long as the caller does."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout={int(seconds * 900)}")  # a little less: to say what it was


def _try_to_write(path: str, patience: float) -> None:
    """On a connection of its own, which leaves the file as it is: it may be somebody else's."""
    with closing(sqlite3.connect(path, timeout=patience, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE writable_check (n INTEGER)")
        connection.execute("ROLLBACK")
    _close_to_others(path)


def _close_to_others(path: str) -> None:
    """Take the rights of everybody from the database's files: they hold what people wrote. Those
    of a group stay, which somebody gave it on purpose; what is not ours we can't change."""
    for file in (Path(path + ending) for ending in ("", "-wal", "-shm", "-journal")):
        with suppress(OSError):
            file.chmod(stat.S_IMODE(file.stat().st_mode) & ~stat.S_IRWXO)


def _is_locked(error: BaseException) -> bool:
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _code(error: BaseException) -> int:
    """SQLite's result code without its details (https://sqlite.org/rescode.html)."""
    code: int = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0)
    return code & 0xFF
