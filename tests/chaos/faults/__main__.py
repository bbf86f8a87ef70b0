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
from tests.chaos.crash.bots import ForkServer, open_fork_server
from tests.chaos.crash.questions import AskedQuestion, ask
from tests.chaos.crash.testbed import BotTestbed, open_testbed
from tests.chaos.faults.checks import (
    metric_total,
    refusals,
    unexpected_lines,
    wait_begun,
    wait_drained,
    wait_logged,
    wait_not_ready,
    wait_ready,
    wait_refused,
)
from tests.chaos.faults.faulty_proxy import faulty_proxy
from tests.chaos.faults.outage import CALM, EXPECTED_WARNINGS, SHORT
from tests.support.postgres import Server

AWAY, CUT = 20.0, 60.0  # seconds
LATE = 20.0  # seconds after the cut until what was held up is sent once more
LEASE = {"LEASE_SECONDS": "15"}
SLOW = ModelConfig(words_per_second=20)
ESSAY = "write 500 words"
END = 120.0  # seconds the rest may take


class Timeline:
    """What happened when, from the beginning of a fault."""

    def __init__(self, title: str) -> None:
        self.wrong: list[str] = []
        self._began = time.monotonic()
        click.echo(title)

    def record(self, what: str, at: float | None = None) -> None:
        """Tell it; `at` is another moment than now."""
        click.echo(f"{(at or time.monotonic()) - self._began:7.1f}  {what}")

    async def wait_until(self, seconds: float) -> None:
        """Wait for a moment of the story."""
        await asyncio.sleep(max(0.0, self._began + seconds - time.monotonic()))

    async def finish(self, testbed: BotTestbed, questions: Sequence[AskedQuestion]) -> None:
        """Wait until everything is answered, and tell what is wrong."""
        await testbed.wait_over(questions, END)
        self.record("all is answered")
        self.wrong += await testbed.complaints(questions)
        self.wrong += [
            proxy
            for bot in testbed.bots
            for proxy in unexpected_lines(bot, *EXPECTED_WARNINGS, "no connection")
        ]
        taken = [await metric_total(bot, "bot_takeovers_total") for bot in testbed.bots]
        self.wrong += [f"{sum(taken)} turns were taken over"] * bool(sum(taken))
        for proxy in (*self.wrong, *testbed.timelines):
            click.echo(f"         {proxy}")
        click.echo(f"         wrong: {len(self.wrong)}")


@click.command()
def main() -> None:
    """Play both."""
    sys.exit(bool(asyncio.run(_run())))


async def _run() -> list[str]:
    async with open_fork_server("tests.chaos.faults.process") as fork_server:
        return await database_away(fork_server) + await network_cut(fork_server)


async def database_away(fork_server: ForkServer) -> list[str]:
    """Two replicas write four answers, and are asked more, while their database is gone."""
    async with _served() as (server, url), _testbed(fork_server, url) as testbed:
        for _ in range(2):
            await (await testbed.start(None)).wait_logged("ready")
        await testbed.wait_ready(testbed.bots[0])
        writing = [ask(testbed.slack, "mention", ESSAY) for _ in range(3)]
        writing.append(ask(testbed.slack, "dm", ESSAY))
        await wait_begun(testbed, writing)
        server.stop()
        timeline = Timeline(f"PostgreSQL stops for {AWAY:g} s")
        for bot in testbed.bots:
            await wait_not_ready(bot, database=False)
        timeline.record("no replica is ready")
        refused = ask(testbed.slack, "mention", SHORT)
        await wait_refused(testbed, refused)
        timeline.record("a question is refused")
        await timeline.wait_until(AWAY)
        timeline.record("the last edit was here", _edits(testbed, lambda times: max(times)))
        server.start()
        back = time.monotonic()
        timeline.record("it is back")
        for bot in testbed.bots:
            await wait_ready(bot)
        timeline.record("both replicas are ready")
        await timeline.finish(testbed, writing)
        timeline.record(
            "the first edit was here",
            _edits(testbed, lambda times: min(t for t in times if t > back)),
        )
        timeline.wrong += [f"refused {refusals(testbed.slack, refused)} times"] * (
            refusals(testbed.slack, refused) != 1
        )
        return timeline.wrong


async def network_cut(fork_server: ForkServer) -> list[str]:
    """A bot writes three answers, and is about to begin a fourth, while it can't reach Slack."""
    async with (
        _testbed(fork_server) as testbed,
        faulty_proxy(int(testbed.slack.url.rpartition(":")[2])) as proxy,
    ):
        testbed.slack.workspace.base_url = f"http://127.0.0.1:{proxy.port}"
        bot = await testbed.start(None, SLACK_API_URL=f"{testbed.slack.workspace.base_url}/api/")
        await testbed.wait_ready(bot)
        writing = [ask(testbed.slack, "mention", ESSAY), ask(testbed.slack, "dm", ESSAY)]
        writing.append(ask(testbed.slack, "command", ESSAY))
        await wait_begun(testbed, writing[:2])
        proxy.on_sending(b"chat.postMessage", proxy.cut)
        last = ask(testbed.slack, "mention", ESSAY)
        async with asyncio.timeout(10):
            await proxy.is_cut.wait()
        timeline = Timeline(f"the network to Slack is cut for {CUT:g} s, at a post")
        await wait_not_ready(bot, slack=False, patience=CUT)
        timeline.record("it is not ready: its connections are dead")
        await wait_logged(bot, "a write may be lost", CUT)
        await wait_drained(testbed, len(writing), CUT)
        timeline.record("the model's answers have been read to their end")
        await timeline.wait_until(CUT)
        proxy.resend_seconds = LATE
        proxy.restore()
        timeline.record("it is well again")
        await wait_ready(bot, CUT)
        timeline.record("it is ready")
        await testbed.wait_over(writing, END)
        timeline.record("what was being written is whole")
        await timeline.finish(testbed, [*writing, last])
        await timeline.wait_until(CUT + LATE + 5)
        timeline.wrong += await testbed.complaints([*writing, last])
        timeline.record(f"what was held up has come; wrong: {len(timeline.wrong)}")
        return timeline.wrong


def _edits(testbed: BotTestbed, choose: Callable[[Sequence[float]], float]) -> float:
    """The moment of one of the edits made so far."""
    return choose([call.at for call in testbed.slack.called("chat.update")])


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
async def _testbed(fork_server: ForkServer, database: str = "") -> AsyncIterator[BotTestbed]:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        async with open_testbed(
            fork_server, Path(folder), database=database, slack=CALM, model=SLOW, variables=LEASE
        ) as testbed:
            yield testbed


if __name__ == "__main__":
    main()
