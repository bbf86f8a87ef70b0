"""The bot dies while it answers a question about a message: one answer stands in the thread."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from bot.render.shortcuts import ASK_ABOUT_SHORTCUT, EVERYBODY
from tests.chaos.crash.bots import Bot, ForkServer
from tests.chaos.crash.case import PATIENCE, TEXTS
from tests.chaos.crash.concurrency import run_concurrently
from tests.chaos.crash.matrix import essential, select_points
from tests.chaos.crash.open_turns import wait_closed
from tests.chaos.crash.testbed import BotTestbed, open_testbed
from tests.e2e.bot.running import is_finished, markdown, upstream_text
from tests.unit.playground import live

pytestmark = pytest.mark.asyncio(loop_scope="package")

AT_ONCE = 2
QUESTION = TEXTS["short"]
SUBMITTED = "slack:views.open"
"""The points before the end of this call are those of the shortcut, which may be chosen again."""


def say(testbed: BotTestbed) -> tuple[str, str]:
    """Somebody writes a message and a reply; gives the ts of both."""
    workspace = testbed.slack.workspace
    root = workspace.say(live.GENERAL, "The import is slow", user=live.ADA)
    reply = workspace.say(live.GENERAL, "Since Tuesday", user=live.ADA, thread_ts=root.ts)
    return root.ts, reply.ts


def answers(testbed: BotTestbed, root: str) -> list[str]:
    """The texts of the bot's messages in the thread."""
    workspace = testbed.slack.workspace
    found = [one for one in workspace.thread(live.GENERAL, root) if one.bot_id]
    return [markdown(workspace.as_slack(one)) for one in found]


async def _ask(testbed: BotTestbed, root: str, reply: str) -> None:
    """Do what is left for a person to do: choose the shortcut, submit the modal, again after an
    error. Returns when the answer stands and its turn is closed."""
    slack, workspace = testbed.slack, testbed.slack.workspace
    if not slack.announced("modal"):
        workspace.use_shortcut(live.GENERAL, reply, ASK_ABOUT_SHORTCUT)
        await slack.until(lambda: workspace.snapshot()["modal"], PATIENCE)
    if modal := workspace.snapshot()["modal"]:
        said = len(slack.announced("modal"))
        workspace.submit(modal["id"], {"question": QUESTION, "audience": EVERYBODY})
        await slack.until(lambda: len(slack.announced("modal")) > said, PATIENCE)
    await slack.until(lambda: _stands(testbed, root), PATIENCE)
    async with asyncio.timeout(PATIENCE):
        await wait_closed(testbed.env["DATABASE_URL"])


async def _ask_until_death(testbed: BotTestbed, bot: Bot, root: str, reply: str) -> None:
    """Ask; return when that is done, or when the bot has died."""
    tasks = [asyncio.create_task(step) for step in (_ask(testbed, root, reply), bot.wait_exit())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _stands(testbed: BotTestbed, root: str) -> bool:
    workspace = testbed.slack.workspace
    found = [one for one in workspace.thread(live.GENERAL, root) if one.bot_id]
    return any(is_finished(workspace.as_slack(one)) for one in found)


async def _crash(point: str, fork_server: ForkServer) -> tuple[str, list[str], Sequence[str]]:
    """Die at a point, and start again; gives the point, what is shown and the points passed."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        async with open_testbed(fork_server, Path(folder)) as testbed:
            first = await testbed.start(point)
            await testbed.wait_ready(first)
            root, reply = say(testbed)
            await _ask_until_death(testbed, first, root, reply)
            if first.code is not None:
                greeted = len(testbed.slack.log("event", "hello"))
                second = await testbed.start("")
                await testbed.slack.until(
                    lambda: len(testbed.slack.log("event", "hello")) > greeted, PATIENCE
                )
                await _ask_until_death(testbed, second, root, reply)
            await testbed.bots[-1].end()
            return point, answers(testbed, root), first.passed


async def test_crash_around_a_question_about_a_message_leaves_one_answer(
    fork_server: ForkServer,
) -> None:
    _, texts, passed = await _crash("", fork_server)
    answer = upstream_text(QUESTION)
    assert texts == [answer]
    begin = max(n for n, point in enumerate(passed) if point.startswith(SUBMITTED))
    points = [one for one in select_points(passed[begin + 1 :]) if essential(one)]
    assert len(points) >= 10, points
    jobs = (partial(_crash, point, fork_server) for point in points)
    wrong = [
        (point, [text[:40] for text in stands])
        async for point, stands, _ in run_concurrently(jobs, AT_ONCE)
        if stands != [answer]
    ]
    assert not wrong
