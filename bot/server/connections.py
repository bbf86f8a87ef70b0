"""Connections to the server: how many there are, and how long each may say nothing.

A socket costs a descriptor, and a process without descriptors can't reach Slack either. So there
is a most, and every connection has seconds for the head of its next request, for its body, and
for all of the answer. When a new one comes and all are taken, the one that has owed the rest of a
request longest makes room: who is silent never keeps out who speaks. A body in tiny chunks, which
costs far more to take apart than it says, ends its connection. aiohttp has only a keep-alive
timeout, which knows nothing of slow heads, bodies or readers.
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
"""Connections at once. Slack waits three seconds for an answer (docs/slack.md#acknowledgement), so
that even fifty events a second need fewer."""

PIECE_BYTES = 8 * 1024
"""Bytes that are taken apart before anybody looks how far the body has come."""

MAX_CHUNK_OVERHEAD_BYTES = 16 * 1024
"""Bytes which the chunks of one body may cost beyond an eighth of it. Proxies send chunks of
kilobytes, with a dozen bytes around each."""

CLIENT_ERRORS = (HttpProcessingError, web.RequestPayloadError, ConnectionError, TimeoutError)
"""Errors that whoever is connected can cause as often as they like."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bounds of a server's connections, in seconds where they are no number."""

    max_connections: int
    head_seconds: float  # from the connection, or the last answer, to the next request's head
    body_seconds: float
    total_seconds: float  # from a request's head to the end of its answer


def _max_connections() -> int:
    """A quarter of the descriptors this process may have, and not more than we need."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        MAX_CONNECTIONS
        if allowed == resource.RLIM_INFINITY
        else max(8, min(MAX_CONNECTIONS, allowed // 4))
    )


# Slack sends a request at once and whole. Proxies keep connections open for about a minute;
# one that is closed in between is simply made again.
DEFAULT_CONNECTION_LIMITS = ConnectionLimits(
    _max_connections(), head_seconds=15.0, body_seconds=5.0, total_seconds=30.0
)


class ConnectionTracker:
    """The connections of one listening socket."""

    def __init__(self, manager: web.Server, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._manager = manager
        self._waiting: dict[HttpConnection, None] = {}  # for (the rest of) a request; longest first
        self._busy: set[HttpConnection] = set()

    def new_protocol(self) -> asyncio.Protocol:
        """The protocol of the next connection."""
        return HttpConnection(self._manager, self)

    def try_add(self, connection: HttpConnection) -> bool:
        """Count a new connection; False if there is no room for it."""
        if len(self._waiting) + len(self._busy) >= self.limits.max_connections:
            if not self._waiting:
                return False
            silent = next(iter(self._waiting))
            self.remove(silent)
            silent.abort()
        self._waiting[connection] = None
        return True

    def request_started(self, connection: HttpConnection) -> None:
        """A request's head has come; its body may be on its way still."""
        if connection in self._waiting:
            del self._waiting[connection]
            self._waiting[connection] = None  # behind all who have said nothing for longer

    def request_received(self, connection: HttpConnection) -> None:
        """All of a request has come: from now on it is we who owe something."""
        self._waiting.pop(connection, None)
        self._busy.add(connection)

    def request_answered(self, connection: HttpConnection) -> None:
        """A request is answered."""
        self._busy.discard(connection)
        self._waiting[connection] = None

    def remove(self, connection: HttpConnection) -> None:
        """The connection counts no more."""
        self._waiting.pop(connection, None)
        self._busy.discard(connection)


class HttpConnection(web.RequestHandler):
    """One connection, which is cut off when it takes longer than it may."""

    __slots__ = ("_answering", "_body", "_connections", "_overhead", "_socket", "_timer")

    def __init__(self, manager: web.Server, connections: ConnectionTracker) -> None:
        super().__init__(
            manager,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=connections.limits.head_seconds,
            lingering_time=1.0,  # seconds for a body nobody wanted; then the connection ends
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]  # None is what AppRunner hands on as well
        )
        self._connections = connections
        self._socket: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._request_factory = _without_host(self._request_factory)
        self._answering = False
        self._body: StreamReader | None = None  # of the newest request
        self._overhead = 0  # bytes of it that were no content

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, if there is room."""
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
        """Take what has come, piece by piece, and see that bodies are worth what they cost."""
        for start in range(0, len(data) or 1, PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            before = self._body.total_bytes if self._body else 0
            super().data_received(piece)
            self._limit_chunk_overhead(len(piece), before)
            if self._socket is None or self._socket.is_closing():
                return

    def _limit_chunk_overhead(self, came: int, before: int) -> None:
        """Count what came around the content of a body, until it is whole."""
        newest = self._messages[-1][1] if self._messages else self._body
        if newest is not self._body:
            self._body, self._overhead = newest, 0
        elif newest is not None:
            self._overhead += came - (newest.total_bytes - before)
        if self._body is None or self._body.is_eof():
            self._request_received()
        elif self._overhead > MAX_CHUNK_OVERHEAD_BYTES + self._body.total_bytes // 8:
            log.debug("a body was not worth its chunks")
            self.abort()

    def _request_received(self) -> None:
        if self._answering:
            self._connections.request_received(self)

    def abort(self) -> None:
        """Cut the connection off; what was not sent yet is dropped."""
        if self._socket is not None:
            self._socket.abort()

    def request_started(self, body: StreamReader) -> None:
        """The head of a request has come: from here on its answer is timed."""
        self._answering = True
        self._connections.request_started(self)
        if body.is_eof():
            self._request_received()
        self._restart_timer(self._connections.limits.total_seconds)

    def request_answered(self) -> None:
        """A request is answered, but for what its sender has still to read."""
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
        """Answer what is no HTTP, without a word about what was wrong or who we are."""
        response = super().handle_error(request, status, exc, "Bad request\n" if message else None)
        response.headers["Server"] = "bot"
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log an error: what anybody can cause from outside at DEBUG only."""
        if isinstance(kw.get("exc_info"), CLIENT_ERRORS):
            log.debug(*args, **kw)
        else:
            log.error(*args, **kw)


def _without_host(make: Callable[..., BaseRequest] | None) -> Callable[..., BaseRequest]:
    """Make requests without the host of their address, which nobody here asks for.

    A host in punycode takes milliseconds to decode, and one that can't be decoded would end the
    connection's task with an error.
    """

    def make_request(message: RawRequestMessage, *how: Any) -> BaseRequest:
        if make is None:
            raise RuntimeError("the server is gone")
        if message.url.absolute:
            message = message._replace(url=message.url.relative())
        return make(message, *how)

    return make_request


@web.middleware
async def time_requests(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Tell the connection when a request begins and when it is answered."""
    connection = request.protocol
    if not isinstance(connection, HttpConnection):
        return await handler(request)
    connection.request_started(request.content)
    try:
        return await handler(request)
    finally:
        connection.request_answered()
