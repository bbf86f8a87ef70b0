"""Keeps several Socket Mode connections open, so that events arrive while one is being replaced.

Connections are replaced one at a time. The new connection has to receive its hello first; then the
old one is closed, once Slack has ended it or all its envelopes are acknowledged. Pings detect a
half-open connection (slack/websocket.py). slack_sdk's own client is not used: it closes the old
connection before it opens the new one, and may retry a used URL forever
(docs/slack.md#socket-mode).
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from typing import Any, Self

from slack_bolt.async_app import AsyncApp

from bot.background import BackgroundTasks
from bot.errors import SlackError, SlackRefused
from bot.listeners.socket_mode.backoff import (
    REFUSED_REASONS,
    Backoff,
    connection_count,
    disconnect_error,
    lifetime_seconds,
)
from bot.listeners.socket_mode.connection import SocketConnection
from bot.listeners.socket_mode.outage_log import OutageLog
from bot.observe import Metrics
from bot.slack import Slack

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SocketConfig:
    """The number of connections, and their timeouts.

    - `ping_seconds`: Slack is pinged after so much silence. A dead connection is detected after
      1.5 times that.
    - `hello_timeout_seconds`: from the request for a connection to its hello.
    - `drain_timeout_seconds`: how long a replaced connection is still read. Slack announces its end
      about 10 seconds ahead (docs/slack.md#socket-mode).
    - `ack_timeout_seconds`: Slack ignores later acknowledgements (docs/slack.md#acknowledgement).
    - `min_stable_seconds`: a connection that ends earlier counts as a failure to connect.
    - `renewal_lifetime_fractions`: a connection is replaced after a random fraction of its lifetime
      between these two, so that not all are replaced at once. The hello contains the lifetime.
    """

    app_token: str = field(repr=False)
    connections: int = 2
    ping_seconds: float = 10.0
    hello_timeout_seconds: float = 10.0
    drain_timeout_seconds: float = 15.0
    ack_timeout_seconds: float = 3.0
    min_stable_seconds: float = 10.0
    renewal_lifetime_fractions: tuple[float, float] = (0.8, 0.95)
    backoff: Backoff = field(default_factory=Backoff)


class SocketMode:
    """Receives envelopes over several connections and dispatches them to `app`.

    Used as an async context manager. Entering it returns at once and connects in the background;
    leaving it acknowledges what was received and closes all connections.
    """

    def __init__(self, app: AsyncApp, slack: Slack, config: SocketConfig, metrics: Metrics) -> None:
        self._app = app
        self._slack = slack
        self._config = config
        self._metrics = metrics
        self._connections: set[SocketConnection] = set()
        self._maintainers = BackgroundTasks()
        self._retirements = BackgroundTasks()
        self._opening_lock = asyncio.Lock()
        self._logged_outages: dict[OutageLog, str] = {}

    @property
    def open_connections(self) -> int:
        """The number of connections over which events can arrive now."""
        return sum(connection.is_open for connection in self._connections)

    async def is_connected(self) -> bool:
        """Whether events can arrive now."""
        return self.open_connections > 0

    async def __aenter__(self) -> Self:
        """Start to connect, without waiting for a connection."""
        self._metrics.socket_connections.set_function(lambda: self.open_connections)
        for number in range(self._config.connections):
            self._maintainers.start(self._maintain_connection(), name=f"socket {number}")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Acknowledge what was received and close. Slack sends all else to other processes."""
        for connection in self._connections:
            connection.stop()
        await asyncio.gather(self._maintainers.cancel(), self._retirements.cancel())
        await asyncio.gather(
            *map(self._drain_and_close, tuple(self._connections)), self._retirements.wait()
        )

    async def _maintain_connection(self) -> None:
        """Open a connection and replace it whenever that is needed, until cancelled."""
        outage = OutageLog(self._config.backoff, self._logged_outages)
        connection = await self._open_with_retries(outage)
        while True:
            reason = await self._wait_replacement_needed(connection, outage)
            self._metrics.socket_reconnects.labels(reason).inc()
            log.info("replacing a connection to Slack", extra={"reason": reason})
            successor = await self._open_with_retries(outage, connection)
            # Slack does not end a connection that we replace because of its age.
            drain_seconds = 0 if reason == "age" else self._config.drain_timeout_seconds
            self._retire(connection, drain_timeout_seconds=drain_seconds)
            connection = successor

    async def _wait_replacement_needed(
        self, connection: SocketConnection, outage: OutageLog
    ) -> str:
        """Wait until a connection has to be replaced, and return the reason.

        After a connection that did not last `min_stable_seconds` this waits for the backoff, too.
        """
        ended, min_seconds = connection.replacement_needed, self._config.min_stable_seconds
        await asyncio.wait({ended}, timeout=min_seconds)
        if not ended.done():
            outage.log_recovered()
            lifetime = lifetime_seconds(connection.hello.result())
            fraction = random.uniform(*self._config.renewal_lifetime_fractions)
            left = max(lifetime * fraction - min_seconds, 0) if lifetime else None
            await asyncio.wait({ended}, timeout=left)
            return ended.result() if ended.done() else "age"
        reason = ended.result()
        if reason in REFUSED_REASONS:
            outage.log_once(disconnect_error(reason))
        await outage.wait_backoff(disconnect_error(reason))
        return reason

    async def _open_with_retries(
        self, outage: OutageLog, old: SocketConnection | None = None
    ) -> SocketConnection:
        """Open a connection, retrying until it succeeds.

        If Slack's limit of connections is reached, `old` is closed first to make room.
        """
        while True:
            async with self._opening_lock:
                try:
                    return await self._open_once()
                except SlackError as e:
                    error = e
                outage.log_once(error)
                if not self.open_connections:  # the others would fail too, so keep the lock
                    await outage.wait_backoff(error)
                    continue
            if old is not None and old.is_open and _is_connection_limit(error):
                await self._drain_and_close(old)
            else:
                await outage.wait_backoff(error)

    async def _open_once(self) -> SocketConnection:
        """Open a connection and receive its hello. Raises SlackError."""
        try:
            async with asyncio.timeout(self._config.hello_timeout_seconds):
                connection = await self._open_and_await_hello()
        except TimeoutError:
            raise disconnect_error("no hello") from None
        if not connection.hello.done():
            raise disconnect_error(connection.replacement_needed.result())
        self._metrics.socket_connections_counted.set(connection_count(connection.hello.result()))
        log.info("connected to Slack", extra={"connections": self.open_connections})
        return connection

    async def _open_and_await_hello(self) -> SocketConnection:
        """Open a connection; return it with its hello, or ended before one."""
        config = self._config
        socket = await self._slack.open_socket(config.app_token, ping_seconds=config.ping_seconds)
        connection = SocketConnection(socket, self._app)
        self._connections.add(connection)
        first: set[asyncio.Future[Any]] = {connection.hello, connection.replacement_needed}
        try:
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not connection.hello.done():
                self._retire(connection, drain_timeout_seconds=0)
        return connection

    def _retire(self, connection: SocketConnection, *, drain_timeout_seconds: float) -> None:
        """In the background, close a connection that was replaced, once Slack has ended it or
        `drain_timeout_seconds` have passed."""

        async def wait_and_close() -> None:
            await connection.wait_ended(drain_timeout_seconds)
            await self._drain_and_close(connection)

        self._retirements.start(wait_and_close())

    async def _drain_and_close(self, connection: SocketConnection) -> None:
        await connection.drain_and_close(self._config.ack_timeout_seconds)
        self._connections.discard(connection)
        log.debug("closed a connection to Slack")


def _is_connection_limit(error: SlackError) -> bool:
    return isinstance(error, SlackRefused) and error.code == "too_many_websockets"
