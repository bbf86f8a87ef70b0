"""Starts the playground: one server for Slack, model and page, and the bot as a process.

Everything listens on one address. The bot is told by its environment where its Slack and its
model are; apart from that it runs as it does against the real Slack.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.playground.board import Board
from bot.playground.model.server import ModelConfig, add_model
from bot.playground.page import PageConfig, add_page
from bot.playground.process import BotProcess, Probe
from bot.playground.slack.server import ALL_MESSAGES, SlackConfig, add_slack
from bot.playground.slack.workspace import Workspace

EVERY_MESSAGE = SlackConfig(subscriptions=ALL_MESSAGES)
"""An app that hears whole channels, as many do: every mention reaches it as two events."""

CLOSE_SECONDS = 0.3  # what open connections get when the playground ends
PROBE_SECONDS = 2.0

# They belong to the operator's own Slack; Bolt reads some of them by itself.
_OTHER_SLACK = frozenset({"SLACK_SIGNING_SECRET", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"})


@dataclass(frozen=True, slots=True)
class PlayConfig:
    """Where the playground is served, which bot runs in it, and which model answers.

    `bot_env` is the bot's whole environment but for what the playground sets itself. `upstream`
    is the base URL of a real model's server; None means the demo model. A `port` that is taken
    is replaced by a free one.
    """

    bot_command: Sequence[str]
    bot_env: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 8000
    upstream: str | None = None
    model_name: str = "demo"
    slack: SlackConfig = EVERY_MESSAGE
    model: ModelConfig = field(default_factory=ModelConfig)


async def play(config: PlayConfig, *, ready: Callable[[str], None]) -> None:
    """Serve until cancelled or told to end by SIGTERM; `ready` is given the page's address."""
    board = Board()
    workspace = Workspace(board)
    slack = with_tokens(config.slack)
    async with contextlib.AsyncExitStack() as stack:
        door = stack.enter_context(contextlib.closing(listening(config.host, config.port)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="playground-")))
        address = _address(config.host, door.getsockname()[1])
        health = free_port()
        probe = await stack.enter_async_context(readiness(f"http://127.0.0.1:{health}/readyz"))
        env = bot_environment(config, slack, address, health, folder)
        bot = BotProcess(config.bot_command, env, board, probe=probe)
        app = application(config, slack, workspace, bot, board)
        await stack.enter_async_context(_served(app, door))
        stack.push_async_callback(bot.stop)
        await bot.start()
        end = stack.enter_context(_asked_to_end())
        ready(address)
        await end.wait()


def application(
    config: PlayConfig, slack: SlackConfig, workspace: Workspace, bot: BotProcess, board: Board
) -> web.Application:
    """Slack under `/api`, `/socket` and `/respond`, the demo model under `/v1`, the page at `/`."""
    app = web.Application(client_max_size=8 * 1024 * 1024)
    add_slack(app, workspace, slack)
    if config.upstream is None:
        ids = dict.fromkeys((config.model_name, *config.model.model_ids))
        add_model(app, board, replace(config.model, model_ids=tuple(ids)))
    commands = ((slack.command, "[question]"),)
    page = PageConfig(
        config.model_name,
        demo=config.upstream is None,
        commands=commands,
        shortcuts=slack.shortcuts,
    )
    add_page(app, workspace, bot, board, page)
    return app


def bot_environment(
    config: PlayConfig, slack: SlackConfig, address: str, health: int, folder: Path
) -> dict[str, str]:
    """The bot's environment: what it was given, then where everything of the playground is."""
    model = {"UPSTREAM_BASE_URL": config.upstream or f"{address}/v1"}
    if config.upstream is None:
        # the demo can resume, which a server nobody knows is not asked for by itself
        model |= {"UPSTREAM_API_KEY": "demo", "UPSTREAM_BACKGROUND": "on"}
    spared = ",".join(filter(None, [config.bot_env.get("NO_PROXY"), "127.0.0.1", "localhost"]))
    given = {name: value for name, value in config.bot_env.items() if name not in _OTHER_SLACK}
    return {
        **given,
        **model,
        "NO_PROXY": spared,
        "no_proxy": spared,
        "SLACK_API_URL": f"{address}/api/",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLASH_COMMAND": slack.command,
        "HOST": "127.0.0.1",
        "PORT": str(health),
        "METRICS_PORT": str(health),  # whatever the environment says of it
        "DATABASE_URL": f"sqlite:///{folder / 'bot.db'}",
    }


def with_tokens(slack: SlackConfig) -> SlackConfig:
    """Random tokens, so that another website in the same browser can't write as the bot."""
    bot, app = (
        f"xoxb-playground-{secrets.token_hex(12)}",
        f"xapp-playground-{secrets.token_hex(12)}",
    )
    return replace(slack, bot_token=bot, app_token=app)


def listening(host: str, port: int) -> socket.socket:
    """A listening socket at `port`, or at a free one when that is taken."""
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as problem:
        if problem.errno not in (errno.EADDRINUSE, errno.EACCES) or port == 0:
            raise
        return socket.create_server((host, 0), family=_family(host))


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@contextlib.asynccontextmanager
async def readiness(url: str) -> AsyncIterator[Probe]:
    """A function that asks the bot's `/readyz` whether it is connected to its Slack."""
    timeout = aiohttp.ClientTimeout(total=PROBE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def probe() -> bool:
            try:
                async with session.get(url) as answer:
                    return answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                return False

        yield probe


@contextlib.contextmanager
def _asked_to_end() -> Iterator[asyncio.Event]:
    """An event that SIGTERM sets, or the end of the terminal; Ctrl-C cancels by itself."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(ending, asked.set)
    try:
        yield asked
    finally:
        for ending in (signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(ending)


@contextlib.asynccontextmanager
async def _served(app: web.Application, door: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_SECONDS)
    await runner.setup()
    try:
        await web.SockSite(runner, door).start()
        yield
    finally:
        await runner.cleanup()


def _address(host: str, port: int) -> str:
    """A wildcard is no address a browser can open; IPv6 wants brackets."""
    named = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{named}]:{port}" if ":" in named else f"http://{named}:{port}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
