"""A TCP proxy before a server that can hold bytes back, or reset its connections.

Bytes that are held back wait in buffers, as packets are sent again until a cut network is restored.
So what a client sent before it gave up arrives late all the same, unless it reset the connection.
A client that connects during a cut gets through afterwards, if it is still there.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

CHUNK = 65536


def _nothing() -> None:
    """Do nothing."""


class FaultyProxy:
    """Forwards everything between its own `port` and the server's, except during a fault."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.resend_seconds = 0.0  # from the end of a cut until held bytes are sent
        self._to = port
        self._forth, self._back = asyncio.Event(), asyncio.Event()
        self.is_cut = asyncio.Event()
        self._refuses = False
        self._word, self._then = b"", _nothing
        self._clients: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.restore()

    def cut(self) -> None:
        """Hold back everything in both directions."""
        self._forth.clear()
        self._back.clear()
        self.is_cut.set()

    def mute(self) -> None:
        """Hold back what the server sends; what clients send arrives."""
        self._back.clear()

    def reset(self) -> None:
        """Reset all connections and accept none."""
        self._refuses = True
        self._reset_all()

    def restore(self) -> None:
        """End the fault: send what was held back, and forward everything from now on."""
        self.is_cut.clear()
        self._refuses = False
        self._forth.set()
        self._back.set()

    def on_sending(self, word: bytes, then: Callable[[], None]) -> None:
        """Call `then` once, just before bytes with this word are forwarded to the server."""
        self._word, self._then = word, then

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect one client to the server."""
        task = asyncio.current_task()
        assert task
        self._clients.add(task)
        self._writers.add(writer)
        try:
            if self._refuses:
                reset(writer)
            else:
                await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # whoever it was is gone, or the test is over
        finally:
            self._writers.discard(writer)
            self._clients.discard(task)
            writer.close()

    async def close(self) -> None:
        """Reset everything, and end the tasks."""
        self._reset_all()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _connect(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        first = await self._read_until_restored(client)
        if first is None:
            return
        server, forth = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers.add(forth)
        forth.write(first)
        try:
            await asyncio.gather(
                self._carry(client, forth, self._forth), self._carry(server, back, self._back)
            )
        finally:
            self._writers.discard(forth)
            forth.close()

    async def _read_until_restored(self, client: asyncio.StreamReader) -> bytes | None:
        """What a client sends before it is connected; None if it left before it could be."""
        sent = b""
        while not self._forth.is_set():
            healing = asyncio.create_task(self._forth.wait())
            reading = asyncio.create_task(client.read(CHUNK))
            try:
                await asyncio.wait({healing, reading}, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    if not (data := reading.result()):
                        return None
                    sent += data
            finally:
                healing.cancel()
                reading.cancel()
                await asyncio.wait({healing, reading})
        return sent

    async def _carry(
        self, source: asyncio.StreamReader, drain: asyncio.StreamWriter, direction: asyncio.Event
    ) -> None:
        """Carry one direction to its end."""
        with suppress(ConnectionError):
            while data := await source.read(CHUNK):
                if self._word and direction is self._forth and self._word in data:
                    self._word = b""
                    self._then()
                await self._wait_restored(direction)
                if source.exception():
                    break  # it was reset meanwhile
                drain.write(data)
                await drain.drain()
        await self._wait_restored(direction)
        if source.exception():
            reset(drain)
        elif not drain.is_closing():
            drain.write_eof()

    async def _wait_restored(self, direction: asyncio.Event) -> None:
        """Wait until bytes of this direction may be sent."""
        while not direction.is_set():
            await direction.wait()
            await asyncio.sleep(self.resend_seconds)

    def _reset_all(self) -> None:
        for writer in tuple(self._writers):
            reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """Reset a connection; what was not sent yet is lost."""
    raw: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):  # it may be closed already
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def faulty_proxy(port: int) -> AsyncIterator[FaultyProxy]:
    """A proxy on a free port, before the server at `port`."""
    proxy = FaultyProxy(port)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
