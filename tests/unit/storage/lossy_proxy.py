"""A TCP proxy before the database that can lose a response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class LossyProxy:
    """Forwards all bytes. Once a client sends `lose_response_to`, it reaches the server, but no
    response comes back, and the connection is closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.port = 0
        self.lose_response_to = b""
        self.lost = asyncio.Event()

    async def handle(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Connect one client to the server."""
        server, forth = await asyncio.open_connection("127.0.0.1", self._port)
        cut = asyncio.Event()
        passing = [
            asyncio.create_task(self._forward(client, forth, cut)),
            asyncio.create_task(_return(server, back, cut)),
        ]
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        for task in passing:
            task.cancel()
        await asyncio.wait(passing)
        for writer in (back, forth):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _forward(
        self, source: asyncio.StreamReader, drain: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await source.read(65536):
            if self.lose_response_to and self.lose_response_to in data:
                cut.set()
                self.lose_response_to = b""
                drain.write(data)
                await drain.drain()
                self.lost.set()
                return
            drain.write(data)


async def _return(
    source: asyncio.StreamReader, drain: asyncio.StreamWriter, cut: asyncio.Event
) -> None:
    while data := await source.read(65536):
        if not cut.is_set():
            drain.write(data)


@asynccontextmanager
async def lossy_proxy(port: int) -> AsyncIterator[LossyProxy]:
    """Run a proxy before the server at `port`."""
    proxy = LossyProxy(port)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy
