"""The real bot as its own process, against a local Slack and the demo model on free ports."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bot import settings
from bot.playground.board import Board
from bot.playground.model.conversation import Conversation, spoken
from bot.playground.model.script import answer
from bot.playground.model.server import ModelConfig, add_model
from bot.playground.slack.server import SlackConfig
from bot.words import Phrase
from tests.support.local_server import serve_app
from tests.support.recording_proxy import RecordingProxy, recording
from tests.support.words import english
from tests.unit.playground import live

START_SECONDS = 20.0


@dataclass
class Process:
    """A bot that runs: its log, and how to end it."""

    process: asyncio.subprocess.Process
    log: list[dict[str, Any]]
    more: asyncio.Event
    reading: asyncio.Task[None]

    async def said(self, message: str) -> dict[str, Any]:
        """The first log record with that message; waits for it."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                self.more.clear()
                for line in self.log:
                    if line.get("message") == message:
                        return line
                if self.process.stderr is None or self.process.stderr.at_eof():
                    raise AssertionError(f"the bot ended without saying {message!r}: {self.log}")
                await self.more.wait()

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and give the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        code = await self.process.wait()
        await self.reading
        return code


def environment(folder: Path, **values: str) -> dict[str, str]:
    """The environment of a bot: nothing of the developer's own, but what is given."""
    names = {name for _, name, _ in settings.variables()}
    base = {k: v for k, v in os.environ.items() if k not in names}
    ours = {"PORT": "0", "DATABASE_URL": f"sqlite:///{folder}/bot.db"}
    return {**base, **ours, **values}


async def start(env: Mapping[str, str], folder: Path) -> Process:
    """Start `python -m bot run` in a folder without a `.env`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        cwd=folder,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    log: list[dict[str, Any]] = []
    more = asyncio.Event()
    return Process(process, log, more, asyncio.create_task(_read(process, log, more)))


async def _read(
    process: asyncio.subprocess.Process, log: list[dict[str, Any]], more: asyncio.Event
) -> None:
    assert process.stderr is not None
    async for line in process.stderr:
        text = line.decode().strip()
        log.append(json.loads(text) if text.startswith("{") else {"message": text})
        more.set()
    more.set()


@dataclass
class System:
    """The whole system under test: the local Slack, the board of the demo model, what the model is
    sent, and the bot."""

    slack: live.LiveSlack
    model: Board
    wire: RecordingProxy
    bot: Process
    env: dict[str, str]
    folder: Path

    @property
    def health(self) -> str:
        """The base URL of /healthz, /readyz and /metrics."""
        (line,) = [x for x in self.bot.log if x.get("message") == "listening"]
        return f"http://127.0.0.1:{line['port']}"

    def answers(self, channel: str) -> list[dict[str, Any]]:
        """The bot's messages in a channel as they stand now, oldest first."""
        found = self.slack.workspace.snapshot(live.YOU)["messages"].get(channel, [])
        return [m for m in found if m.get("user") == live.BOT]

    async def answered(self, channel: str, count: int = 1, patience: float = 30.0) -> str:
        """The markdown of the bot's newest answer in a channel, once `count` are finished."""

        def finished() -> bool:
            return sum(is_finished(m) for m in self.answers(channel)) >= count

        await self.slack.until(finished, patience)
        return "".join(markdown(m) for m in self.answers(channel)[-1:])


def upstream_text(question: str) -> str:
    """What the demo model answers to a first question, as it writes it."""
    return answer(Conversation((spoken(question),))).text


def markdown(message: Mapping[str, Any]) -> str:
    """The text of a message's markdown blocks."""
    blocks = message.get("blocks") or []
    return "".join(b["text"] for b in blocks if b["type"] == "markdown")


def status_text(message: Mapping[str, Any]) -> str:
    """What a message says beside its answer: lines of state, who asked."""
    blocks = message.get("blocks") or []
    elements = [e for b in blocks if b["type"] == "context" for e in b["elements"]]
    sections = [b["text"] for b in blocks if b["type"] == "section"]
    return " ".join(str(e.get("text", "")) for e in elements + sections)


def is_finished(message: Mapping[str, Any]) -> bool:
    """Whether a message holds a whole answer; who asked for it may stand above it, and under it
    that it goes on from earlier ones."""
    return bool(markdown(message)) and status_text(message) in {
        "",
        asked_by(message),
        english(Phrase.EARLIER_USED),
    }


def asked_by(message: Mapping[str, Any]) -> str:
    """The line above a public command's answer; "" where there is none."""
    first = (message.get("blocks") or [{}])[0]
    return " ".join(e["text"] for e in first["elements"]) if first.get("type") == "context" else ""


@asynccontextmanager
async def demo_model(config: ModelConfig) -> AsyncIterator[tuple[str, Board]]:
    """The demo model on a free port: its base URL and its board."""
    board = Board()
    app = web.Application(client_max_size=8 * 2**20)
    add_model(app, board, config)
    async with serve_app(app, shutdown_seconds=1) as origin:
        yield f"{origin}/v1", board


@asynccontextmanager
async def running_system(
    folder: Path,
    *,
    slack: SlackConfig | None = None,
    model: ModelConfig | None = None,
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[System]:
    """A bot that is connected and ready; everything is stopped at the end."""
    async with AsyncExitStack() as stack:
        fast = model or ModelConfig(words_per_second=400, first_word_seconds=0.05)
        url, board = await stack.enter_async_context(demo_model(fast))
        wire = await stack.enter_async_context(recording(url))
        local = await stack.enter_async_context(live.slack(slack))
        env = environment(
            folder,
            SLACK_API_URL=local.api_url,
            SLACK_BOT_TOKEN=local.config.bot_token,
            **{"UPSTREAM_BASE_URL": wire.url, "UPSTREAM_API_KEY": "demo"} | dict(variables or {}),
        )
        if local.config.events_url is None:
            env.setdefault("SLACK_APP_TOKEN", local.config.app_token)
        bot = await start(env, folder)
        stack.push_async_callback(bot.end, signal.SIGKILL)
        await bot.said("ready")
        if local.config.events_url is None:
            await local.until(lambda: local.log("event", "hello"), START_SECONDS)
        yield System(local, board, wire, bot, env, folder)
