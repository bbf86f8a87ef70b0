"""The network between a bot and Slack, as a cable that can be frozen, torn and mended.

What passes is TCP as it is: a frozen wire stays connected and carries nothing, either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Wire:
    """One connection through the cable."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.is_socket = False  # it carries a WebSocket
        self.stands = True  # neither end has let go
        self._ends = (near, far)
        self._frozen = False

    def freeze(self) -> None:
        """Carry nothing any more, and tell nobody."""
        self._frozen = True

    def tear(self) -> None:
        """Break it off, as a router that was switched off and on again does."""
        for end in self._ends:
            end.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes until one end is closed."""
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                self.is_socket = self.is_socket or data.startswith(b"GET /socket")
                if not self._frozen:
                    writer.write(data)
        self.stands = False
        if not self._frozen:
            writer.close()


class Cable:
    """Listens on a free port and carries everything to Slack."""

    def __init__(self, slack: str) -> None:
        self._slack = urlsplit(slack)
        self._wires: list[Wire] = []
        self._carrying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def api_url(self) -> str:
        """What a bot at this end takes for https://slack.com/api/."""
        return f"http://127.0.0.1:{self._port}/api/"

    @property
    def sockets(self) -> list[Wire]:
        """The wires that carry WebSockets, oldest first."""
        return [wire for wire in self._wires if wire.is_socket and wire.stands]

    async def mend(self) -> None:
        """Let connections through (again)."""
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Tear every wire and let none through."""
        if self._server is not None:
            self._server.close()
        for wire in self._wires:
            wire.tear()
        if self._carrying:
            await asyncio.wait(self._carrying)
        self._wires.clear()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(
            self._slack.hostname, self._slack.port
        )
        wire = Wire(writer, far_writer)
        self._wires.append(wire)
        for way in (wire.carry(reader, far_writer), wire.carry(far_reader, writer)):
            task = asyncio.create_task(way)
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)


@asynccontextmanager
async def cable(slack: str) -> AsyncIterator[Cable]:
    """A cable to the Slack at that address."""
    joined = Cable(slack)
    await joined.mend()
    try:
        yield joined
    finally:
        await joined.cut()
