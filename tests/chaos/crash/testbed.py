"""A local Slack, a demo model and a database, for bots that are started and killed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from bot.playground.board import Board
from bot.playground.model.config import NO_BACKGROUND
from bot.playground.model.server import ModelConfig
from bot.playground.slack.server import ALL_MESSAGES, SlackConfig
from tests.chaos.crash.bots import START_SECONDS, Bot, ForkServer
from tests.chaos.crash.open_turns import find_open_turns, wait_closed
from tests.chaos.crash.questions import AskedQuestion, complaints, is_answered, was_refused
from tests.chaos.crash.slack_observer import SlackObserver
from tests.chaos.crash.timeline import timeline
from tests.e2e.bot.running import demo_model, environment
from tests.unit.playground import live

LEASE_SECONDS = 0.6
QUICK = ModelConfig(words_per_second=2000, first_word_seconds=0.05)
FAST_RETRIES = SlackConfig(
    subscriptions=ALL_MESSAGES,
    ack_seconds=1.0,
    retry_after=(0.1,) * 60,
)
"""A Slack that delivers again at once what is not acknowledged."""


@dataclass
class BotTestbed:
    """The servers that bots talk to, and the bots that were started."""

    fork_server: ForkServer
    slack: live.LiveSlack
    model: Board
    env: dict[str, str]
    folder: Path
    observer: SlackObserver
    bots: list[Bot] = field(default_factory=list)
    timelines: list[str] = field(default_factory=list)  # of the questions that went wrong

    async def start(self, die_at: str | None = "", **variables: str) -> Bot:
        """Start a bot, and do not wait until it is ready.

        The first one's points count from the first delivery on, those of its successors from the
        start: they have something to mend.
        """
        return await self._start(self.env | variables, die_at, at_once=bool(self.bots))

    async def start_idle(self, die_at: str) -> Bot:
        """Start a bot after one that has ended in order: its points count from the first delivery
        on."""
        return await self._start(self.env, die_at, at_once=False)

    async def _start(self, env: Mapping[str, str], die_at: str | None, *, at_once: bool) -> Bot:
        bot = await self.fork_server.start(env, self.folder, die_at=die_at, at_once=at_once)
        self.bots.append(bot)
        return bot

    async def wait_ready(self, bot: Bot) -> None:
        """Return when it receives events, and ends in order at a signal."""
        await bot.wait_logged("ready")
        if "SLACK_APP_TOKEN" in self.env and len(self.bots) == 1:
            await self.slack.until(lambda: self.slack.log("event", "hello"), START_SECONDS)

    def acknowledged(self, asked: AskedQuestion) -> bool:
        """Whether every delivery of the question has been taken by a bot, or given up."""
        if asked.surface == "command":
            return asked.channel in self.observer.commands
        taken = self.observer.acknowledged[asked.channel, asked.ts]
        return len(taken) >= (2 if asked.surface == "mention" else 1)

    async def wait_over(self, questions: Iterable[AskedQuestion], patience: float) -> None:
        """Return when these questions are over and closed, or after `patience` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                pending = list(questions)
                while pending := [asked for asked in pending if not self._shown(asked)]:
                    await self.observer.wait_event()
                await wait_closed(self.env["DATABASE_URL"])

    async def complaints(self, questions: Iterable[AskedQuestion]) -> list[str]:
        """All that is wrong in the end: answers, limits met, turns left open."""
        wrong = [f"limited: {c.method}" for c in self.slack.calls if c.status == 429]
        wrong += await find_open_turns(self.env["DATABASE_URL"])
        for asked in questions:
            posted = self.observer.posted(asked.channel, asked.ts)
            if found := complaints(self.slack, asked, posted):
                wrong += [f"{said} ({asked})" for said in found]
                self.timelines += [f"{asked}: {found}", *timeline(self.slack, self.bots, asked)]
        return wrong

    def _shown(self, asked: AskedQuestion) -> bool:
        if not self.acknowledged(asked):
            return False
        return is_answered(self.slack, asked) or was_refused(self.slack, asked)


@asynccontextmanager
async def open_testbed(
    fork_server: ForkServer,
    folder: Path,
    *,
    database: str = "",
    resumable: bool = True,
    slack: SlackConfig = FAST_RETRIES,
    model: ModelConfig = QUICK,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[BotTestbed]:
    """A testbed without a bot. `database` is a URL; without one it is a file in the folder."""
    async with AsyncExitStack() as stack:
        url, board = await stack.enter_async_context(demo_model(model))
        local = await stack.enter_async_context(live.slack(slack))
        given = {
            "SLACK_API_URL": local.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "UPSTREAM_BASE_URL": url,
            "UPSTREAM_API_KEY": "demo",
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "UPSTREAM_BACKGROUND": "on" if resumable else "auto",
            "UPSTREAM_MODEL": "gpt-5.4" if resumable else NO_BACKGROUND,
            **({"DATABASE_URL": database} if database else {}),
            **({"SLACK_SIGNING_SECRET": slack.signing_secret} if slack.events_url else {}),
            **({} if slack.events_url else {"SLACK_APP_TOKEN": slack.app_token}),
        }
        env = environment(folder, **given | dict(variables))
        testbed = BotTestbed(fork_server, local, board, env, folder, SlackObserver(local.board))
        stack.push_async_callback(_end_all, testbed.bots)
        yield testbed


async def _end_all(bots: Iterable[Bot]) -> None:
    await asyncio.gather(*(bot.end(signal.SIGKILL) for bot in bots))
