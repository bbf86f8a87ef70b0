"""A TCP proxy in front of a server, which keeps what its clients send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class RecordingProxy:
    """Forwards all connections to the server at `server`; `url` is the same address behind it."""

    def __init__(self, server: str) -> None:
        self.url = server
        self._server = urlsplit(server)
        self._sent: list[bytearray] = []  # by connection

    @property
    def requests(self) -> list[str]:
        """The POST requests that were sent, as text; in the order of their connections."""
        whole = (bytes(sent).decode(errors="replace") for sent in self._sent)
        return [part for sent in whole for part in sent.split("POST /")[1:]]

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        sent = bytearray()
        self._sent.append(sent)
        far_reader, far_writer = await asyncio.open_connection(
            self._server.hostname, self._server.port
        )
        await asyncio.gather(_copy(reader, far_writer, sent), _copy(far_reader, writer))


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray | None = None
) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            if kept is not None:
                kept += data
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def recording(url: str) -> AsyncIterator[RecordingProxy]:
    """A proxy on a free port in front of the server at `url`, while the block runs."""
    proxy = RecordingProxy(url)
    server = await asyncio.start_server(proxy.forward, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxy.url = urlsplit(url)._replace(netloc=f"127.0.0.1:{port}").geturl()
    try:
        yield proxy
    finally:
        server.close()
