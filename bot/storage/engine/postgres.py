"""Transactions on a PostgreSQL server, which several replicas may share."""

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

POOL_SIZE = 5  # of a replica, and one more that listens; PostgreSQL allows 100 by default
TRANSACTION_RETRY_SECONDS = 0.05  # seconds between two attempts
DISPOSE_TIMEOUT_SECONDS = 2.0  # for abandoned transactions to end when the process closes

# Classes of SQLSTATE that a retry can't help: invalid data, password, database, statement
# (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_INVALID_DATA_CLASS = "22"
_READ_ONLY_SQLSTATES = frozenset(
    {"25006"}
)  # read_only_sql_transaction: the server is a standby now
_PERMANENT_CLASSES = (_INVALID_DATA_CLASS, "28", "3D", "42")


class PostgresServer:
    """A server, and the connections of this process to it."""

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
                # The server ends abandoned work, also if a cancellation does not reach it.
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
        """Run `work` in one transaction, and retry it after transient errors. Raises
        StorageUnavailable within `timeout_seconds`, StorageError for values that can't be stored.
        """
        deadline = TransactionDeadline(timeout_seconds)
        task = asyncio.create_task(self._transact_with_retries(deadline, work, mode))
        self._tasks.add(task)
        task.add_done_callback(self._forget_task)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await asyncio.shield(task)
        except TimeoutError as error:
            task.cancel()  # not awaited: cancelling may take as long again
            raise deadline.unavailable_error() from deadline.last_error or error
        except (SQLAlchemyError, OSError) as error:
            if _sqlstate(error).startswith(_INVALID_DATA_CLASS):
                raise StorageError(driver_message(error)) from error
            raise deadline.unavailable_error(error) from error
        except asyncio.CancelledError:
            if not deadline.committing:
                task.cancel()
            raise

    async def _transact_with_retries(
        self, deadline: TransactionDeadline, work: Callable[[Connection], T], mode: TransactionMode
    ) -> T:
        """Retry after restarts, lost connections, deadlocks and serialization failures."""
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
            task.exception()  # mark it as retrieved: the caller has it or gave up

    async def check_writable(self, timeout_seconds: float) -> None:
        """Create a table and drop it. Raises as `run` does."""
        await self.run(_try_to_write, timeout_seconds=timeout_seconds, mode=TransactionMode.WRITE)

    def is_transient(self, error: BaseException | None) -> bool:
        """Whether a retry with the same settings may succeed."""
        return not _is_permanent(error)

    @asynccontextmanager
    async def listening(self, on_notice: Callable[[str], None]) -> AsyncIterator[None]:
        """Call `on_notice` with the notifications of all replicas, our own included."""
        async with NotificationListener(self._autocommit, on_notice):
            yield

    async def purge_deleted(self) -> None:
        """Does nothing: the server manages its log."""

    async def close(self) -> None:
        """Let running transactions finish within DISPOSE_TIMEOUT_SECONDS; close all connections."""
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=DISPOSE_TIMEOUT_SECONDS)
            for task in unfinished:
                task.cancel()
        with suppress(TimeoutError):  # the server may hang
            async with asyncio.timeout(DISPOSE_TIMEOUT_SECONDS):
                await self._engine.dispose()


def _disconnect_if_read_only(context: ExceptionContext) -> None:
    """Treat a read-only server as disconnected, so that all its connections are replaced: after a
    fail-over they still lead to the old primary, while the address leads to the new one."""
    if _sqlstate(context.sqlalchemy_exception) in _READ_ONLY_SQLSTATES:
        context.is_disconnect = True


def _asyncpg_url(url: URL) -> URL:
    """Rename libpq's parameter `sslmode`, common in URLs of hosted servers, to asyncpg's `ssl`
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
