"""A database of its own for every test, and any number of replicas on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from bot.storage.database import open_database
from bot.storage.store import Store

Stores = Callable[..., Awaitable[Store]]


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    return f"sqlite+aiosqlite:///{tmp_path}/bot.db"


@pytest_asyncio.fixture
async def stores(url: str) -> AsyncIterator[Stores]:
    """A replica by its name, each with connections of its own to the same database."""
    async with AsyncExitStack() as stack:

        async def store(replica: str, **given: object) -> Store:
            database = await stack.enter_async_context(open_database(url))
            await database.migrate()
            return await stack.enter_async_context(Store(database, replica=replica, **given))  # type: ignore[arg-type]  # any of Store's own

        yield store
