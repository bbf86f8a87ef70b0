"""A TCP proxy before the database that loses a response on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Between:
    """Forwards all bytes. When a client sends `swallow`, it reaches the server, but no response
    comes back, and the connection is closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.port = 0
        self.swallow = b""
        self.swallowed = asyncio.Event()

    async def meet(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Connect one client to the server."""
        server, forth = await asyncio.open_connection("127.0.0.1", self._port)
        cut = asyncio.Event()
        passing = [
            asyncio.create_task(self._forth(client, forth, cut)),
            asyncio.create_task(_pass(server, back, cut)),
        ]
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        for task in passing:
            task.cancel()
        await asyncio.wait(passing)
        for writer in (back, forth):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _forth(
        self, source: asyncio.StreamReader, drain: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await source.read(65536):
            if self.swallow and self.swallow in data:
                cut.set()
                self.swallow = b""
                drain.write(data)
                await drain.drain()
                self.swallowed.set()
                return
            drain.write(data)


async def _pass(
    source: asyncio.StreamReader, drain: asyncio.StreamWriter, cut: asyncio.Event
) -> None:
    while data := await source.read(65536):
        if not cut.is_set():
            drain.write(data)


@asynccontextmanager
async def between(port: int) -> AsyncIterator[Between]:
    """Run a proxy before the server at `port`."""
    middle = Between(port)
    server = await asyncio.start_server(middle.meet, "127.0.0.1", 0)
    middle.port = server.sockets[0].getsockname()[1]
    async with server:
        yield middle
