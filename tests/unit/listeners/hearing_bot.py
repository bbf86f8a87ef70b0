"""A bot that only hears: real connections to a local Slack, and listeners that remember."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from bot.listeners.bolt import bolt_app
from bot.listeners.socket_mode.backoff import Backoff
from bot.listeners.socket_mode.pool import SocketConfig, SocketMode
from bot.observe import Metrics
from bot.playground.slack.server import SlackConfig
from bot.slack import Identity, Slack, http_session
from tests.unit.playground.live import BOT, DM, LiveSlack

ME = Identity("T0PLAYGRND", "Team", BOT, "BBOT", "bot", frozenset())
QUICK = SocketConfig(
    "xapp-playground",
    ping_seconds=0.2,
    hello_timeout_seconds=1.0,
    drain_timeout_seconds=1.0,
    ack_timeout_seconds=1.0,
    min_stable_seconds=0.0,
    backoff=Backoff(
        min_seconds=0.01, max_seconds=0.05, min_refused_seconds=0.02, max_refused_seconds=0.1
    ),
)
HASTY = SlackConfig(ack_seconds=0.3, retry_after=(0.0, 0.05, 0.05), warning_seconds=0.1)
PATIENCE = 5.0  # seconds a condition may take before the test fails


def config(**changed: Any) -> SocketConfig:
    """What takes seconds in earnest takes a fraction of one."""
    return replace(QUICK, **changed)


class Watch(logging.Handler):
    """Looks whether a condition holds whenever Slack, a listener or the log says something."""

    def __init__(self, slack: LiveSlack) -> None:
        super().__init__()
        self.lines: list[logging.LogRecord] = []
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []
        slack.board.listen(lambda *_: self.look())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record)
        self.look()

    def look(self) -> None:
        for condition, done in self._waiting:
            if not done.done() and condition():
                done.set_result(None)

    def told(self, level: int) -> list[str]:
        """What an operator reads of that level or above."""
        return [line.getMessage() for line in self.lines if line.levelno >= level]

    async def until(self, condition: Callable[[], object]) -> None:
        """Return once `condition` holds."""
        if condition():
            return
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((condition, done))
        try:
            await asyncio.wait_for(done, PATIENCE)
        except TimeoutError:
            raise AssertionError(f"waited in vain; log: {self.told(0)}") from None
        finally:
            self._waiting.remove((condition, done))


class Ears:
    """What came through the connections, in order. `free` unset holds every listener."""

    def __init__(self, watch: Watch, session: ClientSession, api_url: str) -> None:
        self.watch = watch
        self.until = watch.until
        self.metrics = Metrics()
        self.heard: list[str] = []
        self.begun: list[str] = []
        self.free = asyncio.Event()
        self.free.set()
        self.asked: list[str] = []  # how each wish for an address ended
        self.slack = Slack(
            "xoxb-playground", base_url=api_url, session=session, on_call=self._called
        )
        self.app = bolt_app(self.slack.web, ME, None)
        self.app.event("message")(self._hear)
        self.app.command("/ask")(self._command)
        self.socket: SocketMode  # set by `ears`

    def reconnects(self) -> dict[str, float]:
        """Connections replaced, by reason."""
        return samples(self.metrics.registry, "bot_socket_reconnects_total", "reason")

    def gauge(self, name: str) -> float:
        """A gauge's value."""
        return self.metrics.registry.get_sample_value(name) or 0.0

    async def connected(self, count: int) -> None:
        """Return once that many connections are open."""
        await self.until(lambda: self.socket.open_connections == count)

    async def _hear(self, event: dict[str, Any]) -> None:
        self.begun.append(event["text"])
        self.watch.look()
        await self.free.wait()
        self.heard.append(event["text"])
        self.watch.look()

    def _called(self, _: str, outcome: str) -> None:
        self.asked.append(outcome)
        self.watch.look()

    async def _command(self, ack: Any, command: dict[str, Any]) -> None:
        await ack(text=f"Writing about {command['text']}", response_type="ephemeral")


def samples(registry: CollectorRegistry, name: str, label: str) -> dict[str, float]:
    """A counter's values by one label."""
    return {
        sample.labels[label]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == name
    }


@asynccontextmanager
async def ears(
    slack: LiveSlack, settings: SocketConfig | None = None, *, api_url: str = ""
) -> AsyncIterator[Ears]:
    """Ears that are not yet connected: enter their `socket`, or use `listening`."""
    watch, logger = Watch(slack), logging.getLogger("bot.listeners")
    level = logger.level
    logger.addHandler(watch)
    logger.setLevel(logging.DEBUG)
    try:
        async with http_session() as session:
            them = Ears(watch, session, api_url or slack.api_url)
            them.socket = SocketMode(them.app, them.slack, settings or QUICK, them.metrics)
            yield them
    finally:
        logger.setLevel(level)
        logger.removeHandler(watch)


@asynccontextmanager
async def listening(
    slack: LiveSlack, settings: SocketConfig | None = None, *, api_url: str = ""
) -> AsyncIterator[Ears]:
    """Ears all of whose connections are open."""
    async with ears(slack, settings, api_url=api_url) as them, them.socket:
        await them.connected((settings or QUICK).connections)
        yield them


def said(slack: LiveSlack, count: int, first: int = 0) -> list[str]:
    """People write to the bot."""
    texts = [f"question {number}" for number in range(first, first + count)]
    for text in texts:
        slack.workspace.say(DM, text)
    return texts


def attempts(slack: LiveSlack) -> list[tuple[int, str]]:
    """What became of every delivery: which try it was, and how it failed."""
    return [(e.detail["retry"], e.detail["error"]) for e in slack.log("event", "message.im")]


def doings(slack: LiveSlack) -> list[str]:
    """Addresses asked for, greetings and goodbyes, in order."""
    shown = {"apps.connections.open": "open", "hello": "hello"}
    names = (shown.get(e.what, str(e.detail.get("reason", ""))) for e in slack.board.log)
    return [name for name in names if name]
