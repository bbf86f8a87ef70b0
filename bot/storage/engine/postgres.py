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
from bot.storage.engine.deadline import Attempt, Way, describe
from bot.storage.engine.notifications import Listener

T = TypeVar("T")

CONNECTIONS = 5  # of a replica; one more listens. PostgreSQL allows 100 in all by default
AGAIN = 0.05  # seconds between two tries of a transaction
LAST_WORDS = 2.0  # seconds for what was given up on to end, at the end of the process

# Classes of SQLSTATE in which another try ends the same way: wrong data, password, database,
# statement (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_WRONG_DATA = "22"
_READ_ONLY = frozenset({"25006"})  # read_only_sql_transaction: the server is a standby now
_HOPELESS = (_WRONG_DATA, "28", "3D", "42")


class PostgresServer:
    """A server, and our few connections to it."""

    mend = "see that the server runs and this user may create tables"

    def __init__(self, url: URL, patience: float) -> None:
        self._engine = create_async_engine(
            _for_asyncpg(url),
            hide_parameters=True,  # they hold what people wrote
            pool_size=CONNECTIONS + 1,
            max_overflow=0,
            pool_timeout=patience,
            connect_args={
                "timeout": patience,
                # The server ends what we have given up on, also if our word does not reach it.
                "server_settings": {
                    "statement_timeout": _milliseconds(patience),
                    "idle_in_transaction_session_timeout": _milliseconds(5 * patience),
                },
            },
        )
        event.listen(self._engine.sync_engine, "handle_error", _lead_on)
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[[Connection], T], *, patience: float, way: Way) -> T:
        """Do `work` in one transaction, again if that may help. Raises StorageAway within
        `patience` seconds, StorageError for what no database takes."""
        attempt = Attempt(patience)
        task = asyncio.create_task(self._until_done(attempt, work, way))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(task)
        except TimeoutError as error:
            task.cancel()  # and not awaited: breaking off may take as long again
            raise attempt.away() from attempt.problem or error
        except (SQLAlchemyError, OSError) as error:
            if _sqlstate(error).startswith(_WRONG_DATA):
                raise StorageError(describe(error)) from error
            raise attempt.away(error) from error
        except asyncio.CancelledError:
            if not attempt.committing:
                task.cancel()
            raise

    async def _until_done(self, attempt: Attempt, work: Callable[[Connection], T], way: Way) -> T:
        """Servers restart, connections break, transactions stand in each other's way."""
        while True:
            try:
                return await self._transact(attempt, work, way)
            except (SQLAlchemyError, OSError) as error:
                if attempt.committing or _is_hopeless(error):
                    raise
                attempt.problem = error
            await asyncio.sleep(AGAIN)

    async def _transact(self, attempt: Attempt, work: Callable[[Connection], T], way: Way) -> T:
        engine = self._engine if way is Way.WRITES else self._autocommit
        async with engine.connect() as connection, connection.begin():
            result = await connection.run_sync(work)
            attempt.commits()
        return result

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it, or has given up

    async def check_writable(self, patience: float) -> None:
        """Make a table and drop it. Raises StorageAway."""
        await self.run(_try_to_write, patience=patience, way=Way.WRITES)

    def may_pass(self, error: BaseException | None) -> bool:
        """Whether what failed may succeed later, with the same settings."""
        return not _is_hopeless(error)

    @asynccontextmanager
    async def listening(self, heard: Callable[[str], None]) -> AsyncIterator[None]:
        """While it lasts, `heard` is called with every notice of any replica, our own included."""
        async with Listener(self._autocommit, heard):
            yield

    async def forget_deleted(self) -> None:
        """Nothing is to be done: the server's log is the server's."""

    async def close(self) -> None:
        """Let what runs finish, within reason, and close all connections."""
        if self._tasks:
            _, unended = await asyncio.wait(self._tasks, timeout=LAST_WORDS)
            for task in unended:
                task.cancel()
        with suppress(TimeoutError):  # a server that hangs does not say goodbye
            async with asyncio.timeout(LAST_WORDS):
                await self._engine.dispose()


def _lead_on(context: ExceptionContext) -> None:
    """Take a server that is only read any more for one that is gone, so that all connections to
    it are replaced: after a fail-over they lead to the old one, and the address to the new one."""
    if _sqlstate(context.sqlalchemy_exception) in _READ_ONLY:
        context.is_disconnect = True


def _for_asyncpg(url: URL) -> URL:
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


def _is_hopeless(error: BaseException | None) -> bool:
    return _sqlstate(error).startswith(_HOPELESS)


def _sqlstate(error: BaseException | None) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
