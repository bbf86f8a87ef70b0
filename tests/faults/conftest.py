"""One warm parent for all bots of this room's tests, and empty databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.crash.bots import Nursery, nursery
from tests.crash.conftest import empty, kind
from tests.postgres import Server

__all__ = ["empty", "kind"]


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def bots() -> AsyncIterator[Nursery]:
    async with nursery("tests.faults.process") as parent:
        yield parent


@pytest_asyncio.fixture(loop_scope="package")
async def shared(postgres: Server) -> AsyncIterator[str]:
    """The URL of an empty database that several replicas can share."""
    async with postgres.fresh() as url:
        yield url
