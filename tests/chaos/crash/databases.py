"""An empty database for every case, of either kind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from tests.support.postgres import Server

SQLITE, POSTGRESQL = "sqlite", "postgresql"
KINDS = (SQLITE, POSTGRESQL)

Databases = Callable[[str], AbstractAsyncContextManager[str]]
"""Makes an empty database of a kind: its URL, or "" for a file in the case's folder."""


def databases(server: Server | None) -> Databases:
    """Databases of both kinds; without a server, of the first."""

    @asynccontextmanager
    async def empty(kind: str) -> AsyncIterator[str]:
        if kind == SQLITE:
            yield ""
            return
        assert server
        async with server.fresh() as url:
            yield url

    return empty


@contextmanager
def serving(kinds: Collection[str]) -> Iterator[Databases]:
    """Databases of these kinds, for a script: with a server of its own if one is needed."""
    if POSTGRESQL not in kinds:
        yield databases(None)
        return
    server = Server()
    server.start()
    try:
        yield databases(server)
    finally:
        server.remove()
