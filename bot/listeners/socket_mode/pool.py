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
from bot.listeners.socket_mode.backoff import REFUSED, Pauses, counted, failure, lifetime
from bot.listeners.socket_mode.connection import Link
from bot.listeners.socket_mode.outage_log import Trouble
from bot.observe import Metrics
from bot.slack import Slack

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SocketConfig:
    """How many connections there are, and how patient they are, in seconds.

    `ping`: silence after which Slack is pinged; a dead connection is known after 1.5 times that.
    `greeting`: what Slack may take from our wish for a connection to its hello.
    `linger`: how long a connection that Slack has warned of (about 10 s before its end,
    docs/slack.md#socket-mode) is listened to when another has taken its place.
    `farewell`: an acknowledgement that takes longer is of no use to Slack
    (docs/slack.md#acknowledgement).
    `steady`: a connection that fell earlier is a failure to connect.
    `renewed`: the part of its lifetime, as its hello told it, after which a connection is
    replaced; a random one between these, so that not all are due at once.
    """

    app_token: str = field(repr=False)
    connections: int = 2
    ping: float = 10.0
    greeting: float = 10.0
    linger: float = 15.0
    farewell: float = 3.0
    steady: float = 10.0
    renewed: tuple[float, float] = (0.8, 0.95)
    pauses: Pauses = field(default_factory=Pauses)


class SocketMode:
    """Receives what Slack sends over its connections and hands it to `app`."""

    def __init__(self, app: AsyncApp, slack: Slack, config: SocketConfig, metrics: Metrics) -> None:
        self._app = app
        self._slack = slack
        self._config = config
        self._metrics = metrics
        self._links: set[Link] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._farewells: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        self._told: dict[Trouble, str] = {}

    @property
    def open(self) -> int:
        """Connections through which events can come now."""
        return sum(link.open for link in self._links)

    async def connected(self) -> bool:
        """Whether events can reach us right now."""
        return self.open > 0

    async def __aenter__(self) -> Self:
        """Begin to connect; `connected` tells when it is done."""
        self._metrics.sockets.set_function(lambda: self.open)
        self._keepers = [
            asyncio.create_task(self._keep(), name=f"socket {number}")
            for number in range(self._config.connections)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave: what was received is acknowledged, the rest Slack sends elsewhere."""
        for link in self._links:
            link.stop()
        for task in (*self._keepers, *self._farewells):
            task.cancel()
        await asyncio.gather(*self._keepers, *self._farewells, return_exceptions=True)
        await asyncio.gather(*map(self._leave, tuple(self._links)), *self._farewells)

    async def _keep(self) -> None:
        """Keep one connection for ever: open it, use it up, replace it."""
        trouble = Trouble(self._config.pauses, self._told)
        link = await self._opened(trouble)
        while True:
            reason = await self._worn(link, trouble)
            self._metrics.socket_reconnects.labels(reason).inc()
            log.info("a connection to Slack is replaced", extra={"reason": reason})
            fresh = await self._opened(trouble, link)
            # Nobody has told Slack of a replacement that was our own idea.
            self._see_off(link, linger=0 if reason == "age" else self._config.linger)
            link = fresh

    async def _worn(self, link: Link, trouble: Trouble) -> str:
        """Wait until a connection has to be replaced; give the reason."""
        life, steady = lifetime(link.hello.result()), self._config.steady
        await asyncio.wait({link.worn}, timeout=steady)
        if not link.worn.done():
            trouble.over()
            age = life * random.uniform(*self._config.renewed) if life else None
            await asyncio.wait({link.worn}, timeout=age and max(age - steady, 0))
            return link.worn.result() if link.worn.done() else "age"
        reason = link.worn.result()
        if reason in REFUSED:
            trouble.tell(failure(reason))
        await trouble.wait(failure(reason))
        return reason

    async def _opened(self, trouble: Trouble, old: Link | None = None) -> Link:
        """Open a connection in place of `old`, however long it takes."""
        while True:
            async with self._one_at_a_time:
                try:
                    return await self._greeted()
                except SlackError as e:
                    error = e
                trouble.tell(error)
                if not self.open:  # nobody else would fare better
                    await trouble.wait(error)
                    continue
            if old is not None and old.open and _is_one_too_many(error):
                await self._leave(old)  # there is no room for both
            else:
                await trouble.wait(error)

    async def _greeted(self) -> Link:
        """Try once to open a connection. Raises SlackError."""
        try:
            async with asyncio.timeout(self._config.greeting):
                link = await self._answered()
        except TimeoutError:
            raise failure("no hello") from None
        if not link.hello.done():
            raise failure(link.worn.result())
        self._metrics.sockets_counted.set(counted(link.hello.result()))
        log.info("connected to Slack", extra={"connections": self.open})
        return link

    async def _answered(self) -> Link:
        """A connection that was greeted, or ended before."""
        config = self._config
        socket = await self._slack.open_socket(config.app_token, ping_seconds=config.ping)
        link = Link(socket, self._app)
        self._links.add(link)
        answers: set[asyncio.Future[Any]] = {link.hello, link.worn}
        try:
            await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not link.hello.done():
                self._see_off(link, linger=0)
        return link

    def _see_off(self, link: Link, *, linger: float) -> None:
        """Leave a connection whose place is taken, once Slack has ended it or is given up on."""

        async def farewell() -> None:
            await link.ended(linger)
            await self._leave(link)

        task = asyncio.create_task(farewell())
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def _leave(self, link: Link) -> None:
        await link.leave(self._config.farewell)
        self._links.discard(link)
        log.debug("a connection to Slack is left")


def _is_one_too_many(error: SlackError) -> bool:
    return isinstance(error, SlackRefused) and error.code == "too_many_websockets"
