"""A bot that only receives: real connections to a local Slack, and listeners that record."""

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
FAST_CONFIG = SocketConfig(
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
FAST_SLACK = SlackConfig(ack_seconds=0.3, retry_after=(0.0, 0.05, 0.05), warning_seconds=0.1)
PATIENCE = 5.0  # seconds a condition may take before the test fails


def config(**changed: Any) -> SocketConfig:
    """Settings whose timeouts are fractions of a second."""
    return replace(FAST_CONFIG, **changed)


class ConditionWaiter(logging.Handler):
    """Checks conditions at every event of Slack's, message handled, call made and log record."""

    def __init__(self, slack: LiveSlack) -> None:
        super().__init__()
        self.lines: list[logging.LogRecord] = []
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []
        slack.board.listen(lambda *_: self.check())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record)
        self.check()

    def check(self) -> None:
        for condition, done in self._waiting:
            if not done.done() and condition():
                done.set_result(None)

    def log_messages(self, level: int) -> list[str]:
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
            raise AssertionError(f"waited in vain; log: {self.log_messages(0)}") from None
        finally:
            self._waiting.remove((condition, done))


class SocketBot:
    """Records what comes through the connections, in order.

    Its listeners wait for `may_handle` between `received` and `handled`.
    """

    def __init__(self, waiter: ConditionWaiter, session: ClientSession, api_url: str) -> None:
        self.waiter = waiter
        self.until = waiter.until
        self.metrics = Metrics()
        self.handled: list[str] = []
        self.received: list[str] = []
        self.may_handle = asyncio.Event()
        self.may_handle.set()
        self.open_outcomes: list[str] = []  # of each `apps.connections.open`
        self.slack = Slack(
            "xoxb-playground", base_url=api_url, session=session, on_call=self._on_call
        )
        self.app = bolt_app(self.slack.web, ME, None)
        self.app.event("message")(self._on_message)
        self.app.command("/ask")(self._on_command)
        self.socket: SocketMode  # set by `socket_bot`

    def reconnects(self) -> dict[str, float]:
        """Connections replaced, by reason."""
        return samples(self.metrics.registry, "bot_socket_reconnects_total", "reason")

    def gauge_value(self, name: str) -> float:
        """A gauge's value."""
        return self.metrics.registry.get_sample_value(name) or 0.0

    async def connected(self, count: int) -> None:
        """Return once that many connections are open."""
        await self.until(lambda: self.socket.open_connections == count)

    async def _on_message(self, event: dict[str, Any]) -> None:
        self.received.append(event["text"])
        self.waiter.check()
        await self.may_handle.wait()
        self.handled.append(event["text"])
        self.waiter.check()

    def _on_call(self, _: str, outcome: str) -> None:
        self.open_outcomes.append(outcome)
        self.waiter.check()

    async def _on_command(self, ack: Any, command: dict[str, Any]) -> None:
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
async def socket_bot(
    slack: LiveSlack, settings: SocketConfig | None = None, *, api_url: str = ""
) -> AsyncIterator[SocketBot]:
    """A bot that is not yet connected: enter its `socket`, or use `connected_bot`."""
    waiter, logger = ConditionWaiter(slack), logging.getLogger("bot.listeners")
    level = logger.level
    logger.addHandler(waiter)
    logger.setLevel(logging.DEBUG)
    try:
        async with http_session() as session:
            bot = SocketBot(waiter, session, api_url or slack.api_url)
            bot.socket = SocketMode(bot.app, bot.slack, settings or FAST_CONFIG, bot.metrics)
            yield bot
    finally:
        logger.setLevel(level)
        logger.removeHandler(waiter)


@asynccontextmanager
async def connected_bot(
    slack: LiveSlack, settings: SocketConfig | None = None, *, api_url: str = ""
) -> AsyncIterator[SocketBot]:
    """A bot all of whose connections are open."""
    async with socket_bot(slack, settings, api_url=api_url) as bot, bot.socket:
        await bot.connected((settings or FAST_CONFIG).connections)
        yield bot


def send_messages(slack: LiveSlack, count: int, first: int = 0) -> list[str]:
    """Somebody writes so many messages to the bot; returns their texts."""
    texts = [f"question {number}" for number in range(first, first + count)]
    for text in texts:
        slack.workspace.say(DM, text)
    return texts


def delivery_attempts(slack: LiveSlack) -> list[tuple[int, str]]:
    """Every delivery of a message: the number of the retry, and the error."""
    return [(e.detail["retry"], e.detail["error"]) for e in slack.log("event", "message.im")]


def connection_events(slack: LiveSlack) -> list[str]:
    """URLs asked for, hellos and reasons of disconnects, in order."""
    shown = {"apps.connections.open": "open", "hello": "hello"}
    names = (shown.get(e.what, str(e.detail.get("reason", ""))) for e in slack.board.log)
    return [name for name in names if name]
