"""One aimock for all tests, each of which finds it empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from bot.upstream.client import open_http
from tests.interop.aimock import Aimock, running
from tests.unit.upstream.upstream_setup import config


@pytest.fixture(scope="package")
def aimock_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server's address; it is started once, and ends with the last of these tests."""
    with running(tmp_path_factory.mktemp("aimock")) as url:
        yield url


@pytest_asyncio.fixture
async def aimock(aimock_url: str) -> AsyncIterator[Aimock]:
    """The server, with nothing taught and nothing asked yet."""
    async with open_http(config(aimock_url)) as http:
        server = Aimock(aimock_url, http)
        await server.forget()
        yield server
