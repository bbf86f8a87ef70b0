"""The network before a server, as far as TCP shows it: held up, muted, or reset.

What is held up waits in buffers, as the packets of a network that is cut are sent again until it
is well. So what somebody sent and then gave up on arrives all the same, and late, unless they
reset the connection: then it is gone. Whoever connects while it is cut gets through afterwards, if
they are still there.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

CHUNK = 65536


def _nothing() -> None:
    """Nobody waits for a word."""


class Wire:
    """Passes everything on between its own `port` and the one given, unless told otherwise."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.late = 0.0  # seconds from the end of a cut until what was held up is sent again
        self._to = port
        self._forth, self._back = asyncio.Event(), asyncio.Event()
        self.is_cut = asyncio.Event()
        self._refuses = False
        self._word, self._then = b"", _nothing
        self._meetings: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.heal()

    def cut(self) -> None:
        """Hold up everything, both ways."""
        self._forth.clear()
        self._back.clear()
        self.is_cut.set()

    def mute(self) -> None:
        """Hold up what comes back; what is sent arrives."""
        self._back.clear()

    def reset(self) -> None:
        """Break off all connections and take none."""
        self._refuses = True
        self._break_off()

    def heal(self) -> None:
        """Pass on what was held up, and everything from now on."""
        self.is_cut.clear()
        self._refuses = False
        self._forth.set()
        self._back.set()

    def at(self, word: bytes, then: Callable[[], None]) -> None:
        """Do something once, at the moment this word is about to be passed on to the server."""
        self._word, self._then = word, then

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Stand between one client and the server."""
        task = asyncio.current_task()
        assert task
        self._meetings.add(task)
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
            self._meetings.discard(task)
            writer.close()

    async def close(self) -> None:
        """Break off everything."""
        self._break_off()
        for task in self._meetings:
            task.cancel()
        await asyncio.gather(*self._meetings, return_exceptions=True)

    async def _connect(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        first = await self._waited(client)
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

    async def _waited(self, client: asyncio.StreamReader) -> bytes | None:
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
        self, source: asyncio.StreamReader, drain: asyncio.StreamWriter, way: asyncio.Event
    ) -> None:
        """Carry one direction to its end."""
        with suppress(ConnectionError):
            while data := await source.read(CHUNK):
                if self._word and way is self._forth and self._word in data:
                    self._word = b""
                    self._then()
                await self._passes(way)
                if source.exception():
                    break  # it was reset meanwhile
                drain.write(data)
                await drain.drain()
        await self._passes(way)
        if source.exception():
            reset(drain)
        elif not drain.is_closing():
            drain.write_eof()

    async def _passes(self, way: asyncio.Event) -> None:
        """Wait until what was sent is sent again, if it has to be."""
        while not way.is_set():
            await way.wait()
            await asyncio.sleep(self.late)

    def _break_off(self) -> None:
        for writer in tuple(self._writers):
            reset(writer)


def reset(writer: asyncio.StreamWriter) -> None:
    """Break off a connection, and forget what was not sent yet."""
    raw: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):  # it may be closed already
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def wire(port: int) -> AsyncIterator[Wire]:
    """Listen on a port of its own, before the one given."""
    between = Wire(port)
    server = await asyncio.start_server(between.meet, "127.0.0.1", 0)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        await between.close()
        await server.wait_closed()
