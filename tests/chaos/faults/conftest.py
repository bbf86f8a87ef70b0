"""One fork server for all bots of this package's tests, and empty databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.chaos.crash.bots import ForkServer, open_fork_server
from tests.chaos.crash.conftest import empty, kind
from tests.support.postgres import Server

__all__ = ["empty", "kind"]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def fork_server() -> AsyncIterator[ForkServer]:
    async with open_fork_server("tests.chaos.faults.process") as parent:
        yield parent


@pytest_asyncio.fixture(loop_scope="package")
async def shared_database(postgres: Server) -> AsyncIterator[str]:
    """The URL of an empty database that several replicas can share."""
    async with postgres.fresh() as url:
        yield url
