"""A TCP proxy between a bot and Slack whose connections can be frozen, aborted and restored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class ProxiedConnection:
    """One connection through the proxy."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.is_websocket = False  # whether it carries a WebSocket
        self.is_open = True  # neither end has closed it
        self._ends = (near, far)
        self._frozen = False

    def freeze(self) -> None:
        """Stay connected, and carry nothing any more in either direction."""
        self._frozen = True

    def abort(self) -> None:
        """Reset both ends, as a router does that was switched off and on again."""
        for end in self._ends:
            end.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward all bytes until one end is closed."""
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                self.is_websocket = self.is_websocket or data.startswith(b"GET /socket")
                if not self._frozen:
                    writer.write(data)
        self.is_open = False
        if not self._frozen:
            writer.close()


class NetworkProxy:
    """Listens on a free port and forwards everything to Slack."""

    def __init__(self, slack: str) -> None:
        self._slack = urlsplit(slack)
        self._connections: list[ProxiedConnection] = []
        self._carrying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def api_url(self) -> str:
        """The base URL of the Web API for a bot behind the proxy."""
        return f"http://127.0.0.1:{self._port}/api/"

    @property
    def websockets(self) -> list[ProxiedConnection]:
        """The open connections that carry WebSockets, oldest first."""
        return [
            connection
            for connection in self._connections
            if connection.is_websocket and connection.is_open
        ]

    async def listen(self) -> None:
        """Accept connections, always on the same port."""
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Abort every connection and accept none."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.abort()
        if self._carrying:
            await asyncio.wait(self._carrying)
        self._connections.clear()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(
            self._slack.hostname, self._slack.port
        )
        connection = ProxiedConnection(writer, far_writer)
        self._connections.append(connection)
        for direction in (
            connection.carry(reader, far_writer),
            connection.carry(far_reader, writer),
        ):
            task = asyncio.create_task(direction)
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)


@asynccontextmanager
async def network_proxy(slack: str) -> AsyncIterator[NetworkProxy]:
    """A proxy to the Slack at that address."""
    proxy = NetworkProxy(slack)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.cut()
