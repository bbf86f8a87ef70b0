"""Socket Mode: several connections, so that events have a way in while one of them is replaced.

A connection is replaced by another that has been greeted, one at a time; it is left when Slack has
ended it or all it brought is acknowledged. A connection that is dead without saying so is noticed
by its pings (slack/websocket.py). slack_sdk's own client closes before it opens, and may ask a
used address again for ever (docs/slack.md#socket-mode), so it is not used here.
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from typing import Any, Self

from slack_bolt.async_app import AsyncApp

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
    """How many connections there are, and how patient they are, in seconds.

    `ping_seconds`: silence after which Slack is pinged; a dead connection is known after 1.5 times
    that. `hello_timeout_seconds`: what Slack may take from our wish for a connection to its hello.
    `drain_timeout_seconds`: how long a connection that Slack has warned of (about 10 s before its
    end, docs/slack.md#socket-mode) is listened to when another has taken its place.
    `ack_timeout_seconds`: an acknowledgement that takes longer is of no use to Slack
    (docs/slack.md#acknowledgement). `min_stable_seconds`: a connection that fell earlier is a
    failure to connect. `renewal_lifetime_fractions`: the part of its lifetime, as its hello told
    it, after which a connection is replaced; a random one between these, so that not all are due at
    once.
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
    """Receives what Slack sends over its connections and hands it to `app`."""

    def __init__(self, app: AsyncApp, slack: Slack, config: SocketConfig, metrics: Metrics) -> None:
        self._app = app
        self._slack = slack
        self._config = config
        self._metrics = metrics
        self._connections: set[SocketConnection] = set()
        self._maintainers: list[asyncio.Task[None]] = []
        self._retirements: set[asyncio.Task[None]] = set()
        self._opening_lock = asyncio.Lock()
        self._logged_outages: dict[OutageLog, str] = {}

    @property
    def open_connections(self) -> int:
        """Connections through which events can come now."""
        return sum(link.is_open for link in self._connections)

    async def is_connected(self) -> bool:
        """Whether events can reach us right now."""
        return self.open_connections > 0

    async def __aenter__(self) -> Self:
        """Begin to connect; `is_connected` tells when it is done."""
        self._metrics.socket_connections.set_function(lambda: self.open_connections)
        self._maintainers = [
            asyncio.create_task(self._maintain_connection(), name=f"socket {number}")
            for number in range(self._config.connections)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave: what was received is acknowledged, the rest Slack sends elsewhere."""
        for link in self._connections:
            link.stop()
        for task in (*self._maintainers, *self._retirements):
            task.cancel()
        await asyncio.gather(*self._maintainers, *self._retirements, return_exceptions=True)
        await asyncio.gather(
            *map(self._drain_and_close, tuple(self._connections)), *self._retirements
        )

    async def _maintain_connection(self) -> None:
        """Keep one connection for ever: open it, use it up, replace it."""
        trouble = OutageLog(self._config.backoff, self._logged_outages)
        link = await self._open_with_retries(trouble)
        while True:
            reason = await self._wait_replacement_needed(link, trouble)
            self._metrics.socket_reconnects.labels(reason).inc()
            log.info("a connection to Slack is replaced", extra={"reason": reason})
            fresh = await self._open_with_retries(trouble, link)
            # Nobody has told Slack of a replacement that was our own idea.
            self._retire(
                link,
                drain_timeout_seconds=0 if reason == "age" else self._config.drain_timeout_seconds,
            )
            link = fresh

    async def _wait_replacement_needed(
        self, connection: SocketConnection, outage: OutageLog
    ) -> str:
        """Wait until a connection has to be replaced; give the reason."""
        life, steady = lifetime_seconds(connection.hello.result()), self._config.min_stable_seconds
        await asyncio.wait({connection.replacement_needed}, timeout=steady)
        if not connection.replacement_needed.done():
            outage.log_recovered()
            age = life * random.uniform(*self._config.renewal_lifetime_fractions) if life else None
            await asyncio.wait(
                {connection.replacement_needed}, timeout=age and max(age - steady, 0)
            )
            return (
                connection.replacement_needed.result()
                if connection.replacement_needed.done()
                else "age"
            )
        reason = connection.replacement_needed.result()
        if reason in REFUSED_REASONS:
            outage.log_once(disconnect_error(reason))
        await outage.wait_backoff(disconnect_error(reason))
        return reason

    async def _open_with_retries(
        self, outage: OutageLog, old: SocketConnection | None = None
    ) -> SocketConnection:
        """Open a connection in place of `old`, however long it takes."""
        while True:
            async with self._opening_lock:
                try:
                    return await self._open_once()
                except SlackError as e:
                    error = e
                outage.log_once(error)
                if not self.open_connections:  # nobody else would fare better
                    await outage.wait_backoff(error)
                    continue
            if old is not None and old.is_open and _is_connection_limit(error):
                await self._drain_and_close(old)  # there is no room for both
            else:
                await outage.wait_backoff(error)

    async def _open_once(self) -> SocketConnection:
        """Try once to open a connection. Raises SlackError."""
        try:
            async with asyncio.timeout(self._config.hello_timeout_seconds):
                link = await self._open_and_await_hello()
        except TimeoutError:
            raise disconnect_error("no hello") from None
        if not link.hello.done():
            raise disconnect_error(link.replacement_needed.result())
        self._metrics.socket_connections_counted.set(connection_count(link.hello.result()))
        log.info("connected to Slack", extra={"connections": self.open_connections})
        return link

    async def _open_and_await_hello(self) -> SocketConnection:
        """A connection that was greeted, or ended before."""
        config = self._config
        socket = await self._slack.open_socket(config.app_token, ping_seconds=config.ping_seconds)
        link = SocketConnection(socket, self._app)
        self._connections.add(link)
        answers: set[asyncio.Future[Any]] = {link.hello, link.replacement_needed}
        try:
            await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not link.hello.done():
                self._retire(link, drain_timeout_seconds=0)
        return link

    def _retire(self, connection: SocketConnection, *, drain_timeout_seconds: float) -> None:
        """Leave a connection whose place is taken, once Slack has ended it or is given up on."""

        async def farewell() -> None:
            await connection.wait_ended(drain_timeout_seconds)
            await self._drain_and_close(connection)

        task = asyncio.create_task(farewell())
        self._retirements.add(task)
        task.add_done_callback(self._retirements.discard)

    async def _drain_and_close(self, connection: SocketConnection) -> None:
        await connection.drain_and_close(self._config.ack_timeout_seconds)
        self._connections.discard(connection)
        log.debug("a connection to Slack is left")


def _is_connection_limit(error: SlackError) -> bool:
    return isinstance(error, SlackRefused) and error.code == "too_many_websockets"
