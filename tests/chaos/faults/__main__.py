"""`python -m tests.chaos.faults`: the two longest faults as long as they are, in a few minutes.

A database that two replicas share is gone for 20 s, with the usual lease of 15 s; then the network
to Slack is cut for 60 s. Prints what happened when, in seconds from the beginning of the fault, and
what is wrong in the end; the exit code is 1 if anything is.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import click

from bot.playground.model.server import ModelConfig
from tests.chaos.crash.asked import Asked, ask
from tests.chaos.crash.bots import Nursery, nursery
from tests.chaos.crash.stage import Stage, stage
from tests.chaos.faults.outage import CALM, SHORT, TOLD
from tests.chaos.faults.seen import (
    begun,
    counted,
    drained,
    is_not_ready,
    is_ready,
    logged,
    refusals,
    turned_away,
    unexpected,
)
from tests.chaos.faults.wire import wire
from tests.support.postgres import Server

AWAY, CUT = 20.0, 60.0  # seconds
LATE = 20.0  # seconds after the cut until what was held up is sent once more
LEASE = {"LEASE_SECONDS": "15"}
SLOW = ModelConfig(words_per_second=20)
ESSAY = "write 500 words"
END = 120.0  # seconds the rest may take


class Story:
    """What happened when, from the beginning of a fault."""

    def __init__(self, title: str) -> None:
        self.wrong: list[str] = []
        self._began = time.monotonic()
        click.echo(title)

    def happens(self, what: str, at: float | None = None) -> None:
        """Tell it; `at` is another moment than now."""
        click.echo(f"{(at or time.monotonic()) - self._began:7.1f}  {what}")

    async def until(self, seconds: float) -> None:
        """Wait for a moment of the story."""
        await asyncio.sleep(max(0.0, self._began + seconds - time.monotonic()))

    async def ends(self, on: Stage, questions: Sequence[Asked]) -> None:
        """Wait until everything is answered, and tell what is wrong."""
        await on.over(questions, END)
        self.happens("all is answered")
        self.wrong += await on.complaints(questions)
        self.wrong += [line for bot in on.bots for line in unexpected(bot, *TOLD, "no connection")]
        taken = [await counted(bot, "bot_takeovers_total") for bot in on.bots]
        self.wrong += [f"{sum(taken)} turns were taken over"] * bool(sum(taken))
        for line in (*self.wrong, *on.stories):
            click.echo(f"         {line}")
        click.echo(f"         wrong: {len(self.wrong)}")


@click.command()
def main() -> None:
    """Play both."""
    sys.exit(bool(asyncio.run(_play())))


async def _play() -> list[str]:
    async with nursery("tests.chaos.faults.process") as bots:
        return await database_away(bots) + await network_cut(bots)


async def database_away(bots: Nursery) -> list[str]:
    """Two replicas write four answers, and are asked more, while their database is gone."""
    async with _served() as (server, url), _stage(bots, url) as on:
        for _ in range(2):
            await (await on.start(None)).said("ready")
        await on.ready(on.bots[0])
        writing = [ask(on.slack, "mention", ESSAY) for _ in range(3)]
        writing.append(ask(on.slack, "dm", ESSAY))
        await begun(on, writing)
        server.stop()
        story = Story(f"PostgreSQL stops for {AWAY:g} s")
        for bot in on.bots:
            await is_not_ready(bot, database=False)
        story.happens("no replica is ready")
        refused = ask(on.slack, "mention", SHORT)
        await turned_away(on, refused)
        story.happens("a question is refused")
        await story.until(AWAY)
        story.happens("the last edit was here", _edits(on, lambda times: max(times)))
        server.start()
        back = time.monotonic()
        story.happens("it is back")
        for bot in on.bots:
            await is_ready(bot)
        story.happens("both replicas are ready")
        await story.ends(on, writing)
        story.happens(
            "the first edit was here", _edits(on, lambda times: min(t for t in times if t > back))
        )
        story.wrong += [f"refused {refusals(on.slack, refused)} times"] * (
            refusals(on.slack, refused) != 1
        )
        return story.wrong


async def network_cut(bots: Nursery) -> list[str]:
    """A bot writes three answers, and is about to begin a fourth, while it can't reach Slack."""
    async with _stage(bots) as on, wire(int(on.slack.url.rpartition(":")[2])) as line:
        on.slack.workspace.base_url = f"http://127.0.0.1:{line.port}"
        bot = await on.start(None, SLACK_API_URL=f"{on.slack.workspace.base_url}/api/")
        await on.ready(bot)
        writing = [ask(on.slack, "mention", ESSAY), ask(on.slack, "dm", ESSAY)]
        writing.append(ask(on.slack, "command", ESSAY))
        await begun(on, writing[:2])
        line.at(b"chat.postMessage", line.cut)
        last = ask(on.slack, "mention", ESSAY)
        async with asyncio.timeout(10):
            await line.is_cut.wait()
        story = Story(f"the network to Slack is cut for {CUT:g} s, at a post")
        await is_not_ready(bot, slack=False, patience=CUT)
        story.happens("it is not ready: its connections are dead")
        await logged(bot, "a write may be lost", CUT)
        await drained(on, len(writing), CUT)
        story.happens("the model's answers have been read to their end")
        await story.until(CUT)
        line.late = LATE
        line.heal()
        story.happens("it is well again")
        await is_ready(bot, CUT)
        story.happens("it is ready")
        await on.over(writing, END)
        story.happens("what was being written is whole")
        await story.ends(on, [*writing, last])
        await story.until(CUT + LATE + 5)
        story.wrong += await on.complaints([*writing, last])
        story.happens(f"what was held up has come; wrong: {len(story.wrong)}")
        return story.wrong


def _edits(on: Stage, choose: Callable[[Sequence[float]], float]) -> float:
    """The moment of one of the edits made so far."""
    return choose([call.at for call in on.slack.called("chat.update")])


@asynccontextmanager
async def _served() -> AsyncIterator[tuple[Server, str]]:
    server = Server()
    server.start()
    try:
        async with server.fresh() as url:
            yield server, url
    finally:
        server.remove()


@asynccontextmanager
async def _stage(bots: Nursery, database: str = "") -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        async with stage(
            bots, Path(folder), database=database, slack=CALM, model=SLOW, variables=LEASE
        ) as on:
            yield on


if __name__ == "__main__":
    main()
