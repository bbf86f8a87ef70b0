"""SQLite: one file, one writer, readers beside it.

A transaction is a plain function. It runs whole in one thread, so that it costs one change of
threads and not one a statement, and so that nobody who is cancelled leaves it half done. That
takes less than half the time of a driver that hands over each statement (aiosqlite).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from bot.errors import StorageAway
from bot.storage.attempt import Attempt, Way, describe

T = TypeVar("T")

READERS = 2
_BEGIN = "begin"  # the execution option that names a transaction's first statement

# WAL: readers and the writer do not wait for each other. NORMAL: what is committed survives the
# death of the process; a power cut may take the last moments (https://sqlite.org/pragma.html).
# Deleted text is overwritten, not only forgotten.
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON")


class SqliteFile:
    """An open file. Every transaction that writes takes the file's write lock when it begins."""

    def __init__(self, url: URL) -> None:
        self.path = url.database or ":memory:"
        in_memory = self.path == ":memory:"
        self._engine = create_engine(
            url.set(drivername="sqlite+pysqlite", database=self.path),
            poolclass=QueuePool,
            pool_size=1 if in_memory else 1 + READERS,
            max_overflow=0,
            connect_args={"check_same_thread": False},
        )
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writer = ThreadPoolExecutor(1, "database writer")
        self._readers = self._writer if in_memory else ThreadPoolExecutor(READERS, "database")

    async def run(self, work: Callable[[Connection], T], *, patience: float, way: Way) -> T:
        """Do `work` in one transaction. Raises StorageAway within `patience` seconds."""
        attempt = Attempt(patience)
        thread = self._readers if way is Way.READS else self._writer
        begin = "BEGIN" if way is Way.READS else "BEGIN IMMEDIATE"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(patience):
                return await loop.run_in_executor(thread, self._transact, attempt, begin, work)
        except TimeoutError as error:
            attempt.abandon()
            raise attempt.away() from error
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StorageAway(describe(error)) from error  # rolled back, a failed commit as well
        except asyncio.CancelledError:
            attempt.abandon()
            raise

    def _transact(self, attempt: Attempt, begin: str, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            try:
                _wait_for_locks(connection, attempt.left)
                with connection.execution_options(**{_BEGIN: begin}).begin():
                    result = work(connection)
                    attempt.commits()
            except (SQLAlchemyError, sqlite3.Error, OSError):
                connection.invalidate()  # the next one gets a new one, whatever was wrong
                raise
            return result

    def check_writable(self) -> None:
        """Take the write lock and change something, then leave the file as it was."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE writable_check (n INTEGER)")
            connection.execute("ROLLBACK")

    @asynccontextmanager
    async def listening(self, heard: Callable[[str], None]) -> AsyncIterator[None]:
        """Nothing is ever heard: whoever shares the file has to look."""
        del heard
        yield

    async def close(self) -> None:
        """Let the transaction that runs finish, and close the file."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.shutdown(cancel_futures=True)
        self._readers.shutdown(cancel_futures=True)
        self._engine.dispose()


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin when we say so
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _wait_for_locks(connection: Connection, seconds: float) -> None:
    """Another process may hold the write lock: wait for it as long as the caller does."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout={int(seconds * 900)}")  # a little less: to say what it was
