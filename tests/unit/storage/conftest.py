"""A new database for every test, and any number of replicas on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.storage.engine.database import Database, open_database
from bot.storage.store import Store
from tests.support.postgres import Server

PATIENCE = 20.0  # seconds; a busy machine is no failure

Stores = Callable[..., Awaitable[Store]]


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/bot.db"
        return
    server: Server = request.getfixturevalue("postgres")
    async with server.fresh() as url:
        yield url


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """An open database with all its tables."""
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        await database.migrate()
        yield database


@pytest_asyncio.fixture
async def stores(url: str, database: Database) -> AsyncIterator[Stores]:
    """A replica by its name, each with connections of its own to the same database."""
    async with AsyncExitStack() as stack:

        async def store(replica: str, **given: Any) -> Store:
            own = await stack.enter_async_context(open_database(url, timeout_seconds=PATIENCE))
            return await stack.enter_async_context(Store(own, replica=replica, **given))

        yield store
