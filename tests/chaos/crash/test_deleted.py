"""The question is deleted while it is answered, and the bot dies on the way: nothing stays."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.playground.model.config import ModelConfig
from bot.playground.slack.server import MANIFEST_EVENTS, SlackConfig
from tests.chaos.crash.bots import Bot, ForkServer
from tests.chaos.crash.concurrency import run_concurrently
from tests.chaos.crash.matrix import essential, select_points
from tests.chaos.crash.open_turns import wait_closed
from tests.chaos.crash.questions import AskedQuestion, answer, ask
from tests.chaos.crash.testbed import FAST_RETRIES, BotTestbed, open_testbed
from tests.unit.playground import live

pytestmark = pytest.mark.asyncio(loop_scope="package")

AT_ONCE = 4
PATIENCE = 20.0  # seconds
LEAST = 8  # points between the deletion and its end
SLOW = ModelConfig(words_per_second=40, first_word_seconds=0.05)
UNHEARD = SlackConfig(subscriptions=MANIFEST_EVENTS, ack_seconds=1.0, retry_after=(0.1,) * 60)
"""Slack does not say that a question in a channel was deleted."""


async def _deleted(testbed: BotTestbed, bot: Bot) -> AskedQuestion:
    """Ask, and delete the question when its answer is being written, or its bot has died."""
    asked = ask(testbed.slack, "mention", "write 2000 words")
    await _first(
        bot.wait_exit(), testbed.slack.until(lambda: len(testbed.slack.called("chat.update")) >= 2)
    )
    bot.passed.append("deleted")
    testbed.slack.workspace.delete(asked.channel, asked.ts)
    return asked


async def _first(*steps: Coroutine[Any, Any, object]) -> None:
    """Return at the end of the first of these."""
    tasks = [asyncio.create_task(step) for step in steps]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _nothing_stays(testbed: BotTestbed, asked: AskedQuestion) -> None:
    """Return when nothing of the answer stands and no turn is open."""

    def is_gone() -> bool:
        posted = [m for m in testbed.slack.workspace.messages(asked.channel) if m.user == live.BOT]
        return not posted and not answer(testbed.slack, asked)

    async with asyncio.timeout(PATIENCE):
        await wait_closed(testbed.env["DATABASE_URL"])
    await testbed.slack.until(is_gone, PATIENCE)


async def _crash(point: str, fork_server: ForkServer) -> tuple[str, Sequence[str], bool]:
    """Die at a point, start again; gives the points the first bot passed, and whether it died."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        async with open_testbed(
            fork_server, Path(folder), slack=FAST_RETRIES, model=SLOW
        ) as testbed:
            first = await testbed.start(point)
            await testbed.wait_ready(first)
            asked = await _deleted(testbed, first)
            await _first(first.wait_exit(), _nothing_stays(testbed, asked))
            died = first.code is not None
            if died:
                await testbed.start("")
            wrong = ""
            try:
                await _nothing_stays(testbed, asked)
            except (TimeoutError, AssertionError):
                wrong = f"{point}: something stays"
            await testbed.bots[-1].end()
            return wrong, first.passed, died


async def test_crash_after_a_deletion_leaves_nothing_of_the_answer(
    fork_server: ForkServer,
) -> None:
    wrong, passed, _ = await _crash("", fork_server)
    assert not wrong
    points = [one for one in select_points(passed[passed.index("deleted") + 1 :]) if essential(one)]
    assert len(points) >= LEAST, points
    jobs = (partial(_crash, point, fork_server) for point in points)
    outcomes = [outcome async for outcome in run_concurrently(jobs, AT_ONCE)]
    assert [wrong for wrong, _, _ in outcomes if wrong] == []
    assert sum(died for _, _, died in outcomes) >= len(points) / 2


@pytest.mark.parametrize("point", ["before", "taken"])
async def test_crash_at_a_placeholder_in_a_deleted_thread_leaves_nothing(
    fork_server: ForkServer, tmp_path: Path, point: str
) -> None:
    async with open_testbed(fork_server, tmp_path, slack=UNHEARD, model=SLOW) as testbed:
        first = await testbed.start(f"slack:chat.postMessage:{point}#1")
        await testbed.wait_ready(first)
        asked = ask(testbed.slack, "mention", "write 2000 words")
        testbed.slack.workspace.delete(asked.channel, asked.ts)
        assert await first.wait_exit() == -signal.SIGKILL
        second = await testbed.start("")
        await _nothing_stays(testbed, asked)
        assert len(testbed.slack.called("chat.postMessage")) == 1
        assert await second.end() == 0
