"""The bot dies while it writes an answer again: one whole version stands in the end."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from bot.render.buttons import BUTTONS_BLOCK_PREFIX, MENU_ACTION
from tests.chaos.crash.bots import Bot, ForkServer
from tests.chaos.crash.case import PATIENCE, TEXTS
from tests.chaos.crash.concurrency import run_concurrently
from tests.chaos.crash.matrix import select_points
from tests.chaos.crash.open_turns import wait_closed
from tests.chaos.crash.questions import AskedQuestion, answer, ask
from tests.chaos.crash.testbed import BotTestbed, open_testbed
from tests.e2e.bot.running import is_finished, markdown, upstream_text

pytestmark = pytest.mark.asyncio(loop_scope="package")

AT_ONCE = 2
CLAIMED = "db:commit claims+turns+shown:after#1"
"""A press is not delivered again: one that was not claimed by then has no effect."""

POINTS = {
    "short": (CLAIMED, "slack:", "db:commit turns", "upstream:"),
    "long": ("slack:chat.update:taken", "slack:chat.postMessage", "slack:chat.delete"),
}
"""Points of each length: those of a short answer are not tried again with a long one."""


def buttons_id(testbed: BotTestbed, asked: AskedQuestion) -> str:
    """The `block_id` of the buttons below the answer."""
    rows = [
        block
        for message in answer(testbed.slack, asked)
        for block in message["blocks"]
        if block["type"] == "actions"
    ]
    return str(rows[-1]["block_id"]) if rows else ""


def is_rewritten(testbed: BotTestbed, asked: AskedQuestion) -> bool:
    messages = answer(testbed.slack, asked)
    return buttons_id(testbed, asked).endswith("-2") and is_finished(messages[-1])


async def _over(testbed: BotTestbed, bot: Bot, condition: Callable[[], bool]) -> None:
    """Return when the condition holds and no turn is open, or when the bot has died."""

    async def close() -> None:
        await testbed.slack.until(condition, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            await wait_closed(testbed.env["DATABASE_URL"])

    tasks = [asyncio.create_task(step) for step in (close(), bot.wait_exit())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _crash(
    point: str, length: str, fork_server: ForkServer
) -> tuple[str, list[tuple[str, str]], Sequence[str]]:
    """Answer, die at a point while the answer is written again, and start again; gives the point,
    what is shown at first and at last, and the points passed."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        async with open_testbed(fork_server, Path(folder)) as testbed:
            first = await testbed.start("")
            await testbed.wait_ready(first)
            asked = ask(testbed.slack, "mention", TEXTS[length])
            await _over(
                testbed, first, lambda: buttons_id(testbed, asked).startswith(BUTTONS_BLOCK_PREFIX)
            )
            await first.end()
            shown = [message["ts"] for message in answer(testbed.slack, asked)]
            connected = len(testbed.slack.log("event", "hello"))
            second = await testbed.start_idle(point)
            await second.wait_logged("ready")
            await testbed.slack.until(
                lambda: len(testbed.slack.log("event", "hello")) > connected, PATIENCE
            )
            testbed.slack.workspace.press(
                channel=asked.channel,
                message_ts=shown[-1],
                block_id=buttons_id(testbed, asked),
                action_id=MENU_ACTION,
                value="regenerate:2",
            )
            await _over(testbed, second, lambda: is_rewritten(testbed, asked))
            if second.code is not None:
                third = await testbed.start("")
                await _over(testbed, third, lambda: is_rewritten(testbed, asked))
            await testbed.bots[-1].end()
            stands = [(one["ts"], markdown(one)) for one in answer(testbed.slack, asked)]
            assert [ts for ts, _ in stands][: len(shown)] == shown, point
            return point, stands, second.passed


@pytest.mark.parametrize("length", ["short", "long"])
async def test_crash_while_an_answer_is_written_again_leaves_one_whole_version(
    fork_server: ForkServer, length: str
) -> None:
    _, stands, passed = await _crash("", length, fork_server)
    expected = upstream_text(TEXTS[length])
    assert "\n\n".join(text for _, text in stands).split() == expected.split()
    begin = passed.index(CLAIMED)
    points = [one for one in select_points(passed[begin:]) if one.startswith(POINTS[length])]
    assert len(points) >= 3, points
    jobs = (partial(_crash, point, length, fork_server) for point in points)
    wrong = []
    async for point, shown, _ in run_concurrently(jobs, AT_ONCE):
        if [text.split() for _, text in shown] != [text.split() for _, text in stands]:
            wrong.append((point, shown))
    assert not wrong
