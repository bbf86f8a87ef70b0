"""One fork server for all bots of this package's tests, and empty databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chaos.crash.bots import ForkServer, open_fork_server
from tests.chaos.crash.databases import KINDS, POSTGRESQL, Databases, databases


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def fork_server() -> AsyncIterator[ForkServer]:
    async with open_fork_server() as parent:
        yield parent


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of database."""
    return str(request.param)


@pytest.fixture
def empty(kind: str, request: pytest.FixtureRequest) -> Databases:
    """Makes databases of that kind."""
    return databases(request.getfixturevalue("postgres") if kind == POSTGRESQL else None)
