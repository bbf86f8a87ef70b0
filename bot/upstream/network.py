"""Bytes over TCP and TLS for httpx, at a third of what its own way costs each chunk of a stream.

httpx reads through anyio, which stops and starts listening to the socket around every read, sets
up a time limit for it, and takes each chunk into 256 KiB of fresh memory. Streams of many small
chunks are all we do here, so a socket listens on, into memory that all share, and a reader waits
on nothing but a future. TLS stays anyio's: asyncio's own holds 256 KiB for every connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

import anyio
import httpcore
import httpx
from anyio.abc import ByteStream
from anyio.streams.tls import TLSAttribute, TLSStream

T = TypeVar("T")

BUFFER_BYTES = 65_536  # as many as httpcore asks for at once
PLENTY = 4 * BUFFER_BYTES  # unread bytes from which on the sender has to wait
HIGHEST_PORT = 65_535
STAGGER_SECONDS = 0.25  # RFC 8305: between attempts at several addresses of a host


def over_plain_sockets(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Make a client that has just been opened read this way, proxies included; return it."""
    network = Network()
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.AsyncHTTPTransport):
            # httpx hands no network to httpcore, which takes one; hence its version is fixed.
            transport._pool._network_backend = network
    return client


class Network(httpcore.AsyncNetworkBackend):
    """Makes the connections of one event loop."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(BUFFER_BYTES))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect; raises httpcore's ConnectError, ConnectTimeout and UnsupportedProtocol."""
        if not 0 <= port <= HIGHEST_PORT:
            raise httpcore.UnsupportedProtocol(f"there is no port {port}")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, line = await loop.create_connection(
                    lambda: Line(loop, self._buffer),
                    host,
                    port,
                    local_addr=(local_address, 0) if local_address else None,
                    happy_eyeballs_delay=STAGGER_SECONDS,
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for option in socket_options or ():
            line.transport.get_extra_info("socket").setsockopt(*option)
        return Stream(line, line)

    async def sleep(self, seconds: float) -> None:
        """Wait before another attempt."""
        await asyncio.sleep(seconds)


class Line(asyncio.BufferedProtocol, ByteStream):
    """A TCP connection. What comes is read into `buffer`, which connections of a loop share."""

    transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop, buffer: memoryview) -> None:
        self._loop = loop
        self._buffer = buffer
        self._came: deque[bytes] = deque()
        self._unread = 0
        self._reader: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._over: Exception | None = None  # why no more comes

    @property
    def is_readable(self) -> bool:
        """Whether a read would not wait: on a line that should be silent, a sign of its end."""
        return bool(self._came or self._over)

    async def receive(self, max_bytes: int = BUFFER_BYTES) -> bytes:
        """Return what came next, at most BUFFER_BYTES; raises anyio's errors."""
        while not self._came:
            if self._over is not None:
                raise self._over
            self._reader = self._loop.create_future()
            await self._reader
        chunk = self._came.popleft()
        if self._unread > PLENTY >= self._unread - len(chunk):
            self.transport.resume_reading()
        self._unread -= len(chunk)
        return chunk

    async def send(self, item: bytes) -> None:
        """Return when these bytes are on their way or wait for hardly anything before them."""
        if self._over is not None:
            raise anyio.BrokenResourceError from self._over
        self.transport.write(item)
        if self._drained is not None:
            await asyncio.shield(self._drained)

    async def send_eof(self) -> None:
        """Say that no more will be sent."""
        self.transport.write_eof()

    async def aclose(self) -> None:
        """End the connection at once."""
        self.transport.abort()
        await asyncio.sleep(0)  # the socket is closed in the loop's next round

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._came.append(bytes(self._buffer[:nbytes]))
        if self._unread <= PLENTY < self._unread + nbytes:
            self.transport.pause_reading()
        self._unread += nbytes
        _wake(self._reader)

    def eof_received(self) -> bool:
        self._over = anyio.EndOfStream()
        _wake(self._reader)
        return True  # whoever reads will close

    def connection_lost(self, exc: Exception | None) -> None:
        error = anyio.BrokenResourceError() if exc else anyio.ClosedResourceError()
        error.__cause__ = exc
        self._over = self._over or error
        _wake(self._reader)
        self.resume_writing()

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        _wake(self._drained)
        self._drained = None


class Stream(httpcore.AsyncNetworkStream):
    """A connection as httpcore sees it: `stream` is the line itself, or TLS over it."""

    def __init__(self, line: Line, stream: ByteStream) -> None:
        self.line = line
        self._stream = stream

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
    ) -> bytes:
        """Return what came next, b"" at the end; raises httpcore's ReadError and ReadTimeout."""
        try:
            return await _within(timeout, self._stream.receive(max_bytes))
        except anyio.EndOfStream:
            return b""
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise httpcore.ReadError(repr(error.__cause__ or error)) from error

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
    ) -> None:
        """Send; raises httpcore's WriteError and WriteTimeout."""
        try:
            await _within(timeout, self._stream.send(buffer))
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise httpcore.WriteError(repr(error.__cause__ or error)) from error

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
    ) -> httpcore.AsyncNetworkStream:
        """Go on encrypted; raises httpcore's ConnectError and ConnectTimeout."""
        wrapping = TLSStream.wrap(
            self._stream,
            ssl_context=ssl_context,
            hostname=server_hostname,
            standard_compatible=False,  # servers hang up without a farewell
            server_side=False,
        )
        try:
            return Stream(self.line, await _within(timeout, wrapping))
        except TimeoutError as error:
            await self.aclose()
            raise httpcore.ConnectTimeout(str(error)) from error
        except (anyio.BrokenResourceError, anyio.EndOfStream, ssl.SSLError) as error:
            await self.aclose()
            raise httpcore.ConnectError(str(error)) from error

    async def aclose(self) -> None:
        """End the connection."""
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks of a connection; None for anything else."""
        if info == "ssl_object":
            return self._stream.extra(TLSAttribute.ssl_object, None)
        if info == "is_readable":
            return self.line.is_readable
        return None


async def _within(seconds: float | None, waiting: Awaitable[T]) -> T:
    """Await it for so many seconds; raises TimeoutError."""
    if seconds is None:
        return await waiting
    async with asyncio.timeout(seconds):
        return await waiting


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
