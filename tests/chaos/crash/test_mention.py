"""The bot dies while it mentions the asker of a late answer: one mention stands in the end."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from bot.words import Phrase
from tests.chaos.crash.bots import Bot, ForkServer
from tests.chaos.crash.case import PATIENCE, TEXTS
from tests.chaos.crash.concurrency import run_concurrently
from tests.chaos.crash.matrix import essential, select_points
from tests.chaos.crash.open_turns import wait_closed
from tests.chaos.crash.questions import AskedQuestion, Surface, ask
from tests.chaos.crash.testbed import BotTestbed, open_testbed
from tests.e2e.bot.running import markdown, upstream_text
from tests.support.words import english
from tests.unit.playground import live

pytestmark = pytest.mark.asyncio(loop_scope="package")

AT_ONCE = 2
MENTION = english(Phrase.ANSWER_IS_HERE, user=live.YOU)
END = {"mention": "slack:chat.update", "command": "slack:response_url"}
"""The calls that show the end of an answer."""
SOON = {"NOTIFY_AFTER_SECONDS": "0.05"}


def shown(testbed: BotTestbed, asked: AskedQuestion) -> list[str]:
    """The answer's text and the mention, as they stand."""
    workspace = testbed.slack.workspace
    found = workspace.messages(asked.channel)
    if asked.surface == "command":
        found = workspace.whispers(asked.channel, asked.user)
    ours = [workspace.as_slack(message) for message in found if message.bot_id]
    return [markdown(one) or one["text"] for one in ours if markdown(one) or one["text"] == MENTION]


async def _over(testbed: BotTestbed, bot: Bot, asked: AskedQuestion) -> None:
    """Return when the answer stands and its turn is closed, or when the bot has died."""

    async def close() -> None:
        await testbed.slack.until(lambda: shown(testbed, asked), PATIENCE)
        async with asyncio.timeout(PATIENCE):
            await wait_closed(testbed.env["DATABASE_URL"])

    tasks = [asyncio.create_task(step) for step in (close(), bot.wait_exit())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _crash(
    point: str, surface: Surface, fork_server: ForkServer
) -> tuple[str, list[str], Sequence[str]]:
    """Die at a point, and start again; gives the point, what is shown and the points passed."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        async with open_testbed(fork_server, Path(folder), variables=SOON) as testbed:
            first = await testbed.start(point)
            await testbed.wait_ready(first)
            asked = ask(testbed.slack, surface, TEXTS["short"])
            await _over(testbed, first, asked)
            if first.code is not None:
                await _over(testbed, await testbed.start(""), asked)
            await testbed.bots[-1].end()
            return point, shown(testbed, asked), first.passed


@pytest.mark.parametrize("surface", ["mention", "command"])
async def test_crash_around_a_mention_leaves_one_mention(
    fork_server: ForkServer, surface: Surface
) -> None:
    _, texts, passed = await _crash("", surface, fork_server)
    answer = upstream_text(TEXTS["short"])
    assert texts == [answer, MENTION]
    end = max(n for n, point in enumerate(passed) if point.startswith(END[surface]))
    begin = end - (2 if surface == "command" else 0)  # the mention is the last of its calls
    points = [one for one in select_points(passed[begin:]) if essential(one)]
    assert len(points) >= 4, points
    jobs = (partial(_crash, point, surface, fork_server) for point in points)
    wrong = []
    async for point, stands, _ in run_concurrently(jobs, AT_ONCE):
        if surface == "mention" and stands != [answer, MENTION]:
            wrong.append((point, stands))
        if surface == "command" and stands.count(MENTION) > 1:
            wrong.append((point, stands))
    assert not wrong
