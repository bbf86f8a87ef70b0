"""Limits the connections to the server: their number, and the time that each may take.

A socket takes a file descriptor, and a process without descriptors can't reach Slack either. So the
number of connections is limited, and a connection has timeouts for the next request's head, for
its body, and for the whole response. When the limit is reached, a new connection replaces the one
that has been waiting longest for (the rest of) a request. A body in tiny chunks, which is expensive
to parse, ends its connection. aiohttp itself has only a keep-alive timeout, and none for slow
heads, bodies or readers.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_request import BaseRequest

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 256
"""Concurrent connections. Slack waits three seconds for a response (docs/slack.md#acknowledgement),
so even fifty events a second need fewer."""

PIECE_BYTES = 8 * 1024
"""Bytes that are parsed before the overhead of chunks is checked."""

MAX_CHUNK_OVERHEAD_BYTES = 16 * 1024
"""Bytes of chunk headers that one body may have beyond an eighth of its content. Proxies send
chunks of kilobytes, with a dozen bytes around each."""

CLIENT_ERRORS = (HttpProcessingError, web.RequestPayloadError, ConnectionError, TimeoutError)
"""Errors that a client can cause at will."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits for the connections of one server."""

    max_connections: int
    head_seconds: float  # from the connection, or the last response, to the next request's head
    body_seconds: float
    total_seconds: float  # from a request's head to the end of its response


def _max_connections() -> int:
    """A quarter of the file descriptors that this process may open, at most MAX_CONNECTIONS."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        MAX_CONNECTIONS
        if allowed == resource.RLIM_INFINITY
        else max(8, min(MAX_CONNECTIONS, allowed // 4))
    )


# Slack sends each request at once. Proxies keep connections open for about a minute, and open a new
# one if theirs was closed.
DEFAULT_CONNECTION_LIMITS = ConnectionLimits(
    _max_connections(), head_seconds=15.0, body_seconds=5.0, total_seconds=30.0
)


class ConnectionTracker:
    """The connections of one listening socket: waiting for a request, or busy with one."""

    def __init__(self, manager: web.Server, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._manager = manager
        self._waiting: dict[HttpConnection, None] = {}  # for a request or its rest; longest first
        self._busy: set[HttpConnection] = set()

    def new_protocol(self) -> asyncio.Protocol:
        """Make the protocol of the next connection; the factory for `create_server`."""
        return HttpConnection(self._manager, self)

    def try_add(self, connection: HttpConnection) -> bool:
        """Add a new connection, aborting the longest waiting one if the limit is reached.

        False if all connections are busy.
        """
        if len(self._waiting) + len(self._busy) >= self.limits.max_connections:
            if not self._waiting:
                return False
            longest_waiting = next(iter(self._waiting))
            self.remove(longest_waiting)
            longest_waiting.abort()
        self._waiting[connection] = None
        return True

    def request_started(self, connection: HttpConnection) -> None:
        """The head of a request was received: the connection becomes the last one to abort."""
        if connection in self._waiting:
            del self._waiting[connection]
            self._waiting[connection] = None

    def request_received(self, connection: HttpConnection) -> None:
        """A request was received completely: the connection is busy until it is answered."""
        self._waiting.pop(connection, None)
        self._busy.add(connection)

    def request_answered(self, connection: HttpConnection) -> None:
        """A request was answered: the connection waits for the next."""
        self._busy.discard(connection)
        self._waiting[connection] = None

    def remove(self, connection: HttpConnection) -> None:
        """Forget a connection that was closed."""
        self._waiting.pop(connection, None)
        self._busy.discard(connection)


class HttpConnection(web.RequestHandler):
    """One connection, which is aborted after its timeouts."""

    __slots__ = ("_answering", "_body", "_connections", "_overhead", "_socket", "_timer")

    def __init__(self, manager: web.Server, connections: ConnectionTracker) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=connections.limits.head_seconds,
            lingering_time=1.0,  # seconds to read an unwanted body before the connection is closed
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]  # AppRunner passes None, too
        )
        self._connections = connections
        self._socket: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._request_factory = _without_host(self._request_factory)
        self._answering = False
        self._body: StreamReader | None = None  # of the newest request
        self._overhead = 0  # bytes of that body that were not content

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection if there is room, otherwise abort it."""
        super().connection_made(transport)
        self._socket = self.transport
        if self._connections.try_add(self):
            self._restart_timer(self._connections.limits.head_seconds)
        else:
            self.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._connections.remove(self)
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes in pieces, checking the overhead of chunks after each."""
        for start in range(0, len(data) or 1, PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            before = self._body.total_bytes if self._body else 0
            super().data_received(piece)
            self._limit_chunk_overhead(len(piece), before)
            if self._socket is None or self._socket.is_closing():
                return

    def _limit_chunk_overhead(self, received: int, before: int) -> None:
        """Count the bytes of a body that are not content; abort if there are too many.

        `before` is the length of the content before the last `received` bytes.
        """
        newest = self._messages[-1][1] if self._messages else self._body
        if newest is not self._body:
            self._body, self._overhead = newest, 0
        elif newest is not None:
            self._overhead += received - (newest.total_bytes - before)
        if self._body is None or self._body.is_eof():
            self._request_received()
        elif self._overhead > MAX_CHUNK_OVERHEAD_BYTES + self._body.total_bytes // 8:
            log.debug("aborted a connection: its chunks are too small for their overhead")
            self.abort()

    def _request_received(self) -> None:
        if self._answering:
            self._connections.request_received(self)

    def abort(self) -> None:
        """Close the connection at once and drop unsent data."""
        if self._socket is not None:
            self._socket.abort()

    def request_started(self, body: StreamReader) -> None:
        """The head of a request was received: start the timeout of its response."""
        self._answering = True
        self._connections.request_started(self)
        if body.is_eof():
            self._request_received()
        self._restart_timer(self._connections.limits.total_seconds)

    def request_answered(self) -> None:
        """A response was written: start the timeout of the next request's head."""
        self._answering = False
        if self.transport is not None:
            self._connections.request_answered(self)
            self._restart_timer(self._connections.limits.head_seconds)

    def _restart_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self.abort)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Respond to malformed HTTP without details and without versions."""
        response = super().handle_error(request, status, exc, "Bad request\n" if message else None)
        response.headers["Server"] = "bot"
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log an error; those that a client can cause only at DEBUG."""
        if isinstance(kw.get("exc_info"), CLIENT_ERRORS):
            log.debug(*args, **kw)
        else:
            log.error(*args, **kw)


def _without_host(make: Callable[..., BaseRequest] | None) -> Callable[..., BaseRequest]:
    """Make requests without the host in their URL, which is not used here.

    Decoding a punycode host takes milliseconds, and a malformed one would end the connection's task
    with an error.
    """

    def make_request(message: RawRequestMessage, *args: Any) -> BaseRequest:
        if make is None:
            raise RuntimeError("the server is gone")
        if message.url.absolute:
            message = message._replace(url=message.url.relative())
        return make(message, *args)

    return make_request


@web.middleware
async def time_requests(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Middleware that tells the connection when a request starts and when it is answered."""
    connection = request.protocol
    if not isinstance(connection, HttpConnection):
        return await handler(request)
    connection.request_started(request.content)
    try:
        return await handler(request)
    finally:
        connection.request_answered()
