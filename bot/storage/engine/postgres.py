"""PostgreSQL, for several replicas. A transaction is the same plain function as with SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import StorageError
from bot.storage.engine.deadline import TransactionDeadline, TransactionMode, driver_message
from bot.storage.engine.notifications import NotificationListener

T = TypeVar("T")

POOL_SIZE = 5  # of a replica; one more listens. PostgreSQL allows 100 in all by default
TRANSACTION_RETRY_SECONDS = 0.05  # seconds between two tries of a transaction
DISPOSE_TIMEOUT_SECONDS = 2.0  # seconds for what was given up on to end, at the end of the process

# Classes of SQLSTATE in which another try ends the same way: wrong data, password, database,
# statement (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_INVALID_DATA_CLASS = "22"
_READ_ONLY_SQLSTATES = frozenset(
    {"25006"}
)  # read_only_sql_transaction: the server is a standby now
_PERMANENT_CLASSES = (_INVALID_DATA_CLASS, "28", "3D", "42")


class PostgresServer:
    """A server, and our few connections to it."""

    repair_hint = "see that the server runs and this user may create tables"

    def __init__(self, url: URL, timeout_seconds: float) -> None:
        self._engine = create_async_engine(
            _asyncpg_url(url),
            hide_parameters=True,  # they hold what people wrote
            pool_size=POOL_SIZE + 1,
            max_overflow=0,
            pool_timeout=timeout_seconds,
            connect_args={
                "timeout": timeout_seconds,
                # The server ends what we have given up on, also if our word does not reach it.
                "server_settings": {
                    "statement_timeout": _milliseconds(timeout_seconds),
                    "idle_in_transaction_session_timeout": _milliseconds(5 * timeout_seconds),
                },
            },
        )
        event.listen(self._engine.sync_engine, "handle_error", _disconnect_if_read_only)
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(
        self, work: Callable[[Connection], T], *, timeout_seconds: float, mode: TransactionMode
    ) -> T:
        """Do `work` in one transaction, again if that may help. Raises StorageUnavailable within
        `timeout_seconds` seconds, StorageError for what no database takes."""
        attempt = TransactionDeadline(timeout_seconds)
        task = asyncio.create_task(self._transact_with_retries(attempt, work, mode))
        self._tasks.add(task)
        task.add_done_callback(self._forget_task)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await asyncio.shield(task)
        except TimeoutError as error:
            task.cancel()  # and not awaited: breaking off may take as long again
            raise attempt.unavailable_error() from attempt.last_error or error
        except (SQLAlchemyError, OSError) as error:
            if _sqlstate(error).startswith(_INVALID_DATA_CLASS):
                raise StorageError(driver_message(error)) from error
            raise attempt.unavailable_error(error) from error
        except asyncio.CancelledError:
            if not attempt.committing:
                task.cancel()
            raise

    async def _transact_with_retries(
        self, deadline: TransactionDeadline, work: Callable[[Connection], T], mode: TransactionMode
    ) -> T:
        """Servers restart, connections break, transactions stand in each other's way."""
        while True:
            try:
                return await self._transact(deadline, work, mode)
            except (SQLAlchemyError, OSError) as error:
                if deadline.committing or _is_permanent(error):
                    raise
                deadline.last_error = error
            await asyncio.sleep(TRANSACTION_RETRY_SECONDS)

    async def _transact(
        self, deadline: TransactionDeadline, work: Callable[[Connection], T], mode: TransactionMode
    ) -> T:
        engine = self._engine if mode is TransactionMode.WRITE else self._autocommit
        async with engine.connect() as connection, connection.begin():
            result = await connection.run_sync(work)
            deadline.mark_committing()
        return result

    def _forget_task(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it, or has given up

    async def check_writable(self, timeout_seconds: float) -> None:
        """Make a table and drop it. Raises StorageUnavailable."""
        await self.run(_try_to_write, timeout_seconds=timeout_seconds, mode=TransactionMode.WRITE)

    def is_transient(self, error: BaseException | None) -> bool:
        """Whether what failed may succeed later, with the same settings."""
        return not _is_permanent(error)

    @asynccontextmanager
    async def listening(self, on_notice: Callable[[str], None]) -> AsyncIterator[None]:
        """While it lasts, call `on_notice` with the notices of all replicas, our own included."""
        async with NotificationListener(self._autocommit, on_notice):
            yield

    async def purge_deleted(self) -> None:
        """Nothing is to be done: the server's log is the server's."""

    async def close(self) -> None:
        """Let what runs finish, within reason, and close all connections."""
        if self._tasks:
            _, unended = await asyncio.wait(self._tasks, timeout=DISPOSE_TIMEOUT_SECONDS)
            for task in unended:
                task.cancel()
        with suppress(TimeoutError):  # a server that hangs does not say goodbye
            async with asyncio.timeout(DISPOSE_TIMEOUT_SECONDS):
                await self._engine.dispose()


def _disconnect_if_read_only(context: ExceptionContext) -> None:
    """Take a server that is only read any more for one that is gone, so that all connections to
    it are replaced: after a fail-over they lead to the old one, and the address to the new one."""
    if _sqlstate(context.sqlalchemy_exception) in _READ_ONLY_SQLSTATES:
        context.is_disconnect = True


def _asyncpg_url(url: URL) -> URL:
    """Its name for what libpq calls `sslmode`, as hosts of PostgreSQL give it out
    (https://magicstack.github.io/asyncpg/current/api/index.html#connection)."""
    query = dict(url.query)
    if mode := query.pop("sslmode", None):
        query.setdefault("ssl", mode)
    return url.set(query=query)


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))


def _try_to_write(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE writable_check (n INTEGER)"))
    connection.execute(text("DROP TABLE writable_check"))


def _is_permanent(error: BaseException | None) -> bool:
    return _sqlstate(error).startswith(_PERMANENT_CLASSES)


def _sqlstate(error: BaseException | None) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
