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
from tests.chaos.crash.asked import Asked, answer, ask
from tests.chaos.crash.bots import Bot, Nursery
from tests.chaos.crash.left_open import settled
from tests.chaos.crash.matrix import chosen, essential, side_by_side
from tests.chaos.crash.stage import PATIENT, Stage, stage
from tests.unit.playground import live

pytestmark = pytest.mark.asyncio(loop_scope="package")

AT_ONCE = 4
PATIENCE = 20.0  # seconds
LEAST = 8  # points between the deletion and its end
SLOW = ModelConfig(words_per_second=40, first_word_seconds=0.05)
UNHEARD = SlackConfig(subscriptions=MANIFEST_EVENTS, ack_seconds=1.0, retry_after=(0.1,) * 60)
"""Slack does not say that a question in a channel was deleted."""


async def _deleted(on: Stage, bot: Bot) -> Asked:
    """Ask, and delete the question when its answer is being written, or its bot has died."""
    asked = ask(on.slack, "mention", "write 2000 words")
    await _first(bot.died(), on.slack.until(lambda: len(on.slack.called("chat.update")) >= 2))
    bot.passed.append("deleted")
    on.slack.workspace.delete(asked.channel, asked.ts)
    return asked


async def _first(*steps: Coroutine[Any, Any, object]) -> None:
    """Return at the end of the first of these."""
    tasks = [asyncio.create_task(step) for step in steps]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _nothing_stays(on: Stage, asked: Asked) -> None:
    """Return when nothing of the answer stands and no turn is open."""

    def is_gone() -> bool:
        bots = [m for m in on.slack.workspace.messages(asked.channel) if m.user == live.BOT]
        return not bots and not answer(on.slack, asked)

    async with asyncio.timeout(PATIENCE):
        await settled(on.env["DATABASE_URL"])
    await on.slack.until(is_gone, PATIENCE)


async def _crash(point: str, nursery: Nursery) -> tuple[str, Sequence[str], bool]:
    """Die at a point, start again; gives the points the first bot passed, and whether it died."""
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        async with stage(nursery, Path(folder), slack=PATIENT, model=SLOW) as on:
            first = await on.start(point)
            await on.ready(first)
            asked = await _deleted(on, first)
            await _first(first.died(), _nothing_stays(on, asked))
            died = first.code is not None
            if died:
                await on.start("")
            wrong = ""
            try:
                await _nothing_stays(on, asked)
            except (TimeoutError, AssertionError):
                wrong = f"{point}: something stays"
            await on.bots[-1].end()
            return wrong, first.passed, died


async def test_a_crash_after_a_question_was_deleted_leaves_nothing_of_its_answer(
    bots: Nursery,
) -> None:
    wrong, passed, _ = await _crash("", bots)
    assert not wrong
    points = [one for one in chosen(passed[passed.index("deleted") + 1 :]) if essential(one)]
    assert len(points) >= LEAST, points
    jobs = (partial(_crash, point, bots) for point in points)
    outcomes = [outcome async for outcome in side_by_side(jobs, AT_ONCE)]
    assert [wrong for wrong, _, _ in outcomes if wrong] == []
    assert sum(died for _, _, died in outcomes) >= len(points) / 2


@pytest.mark.parametrize("point", ["before", "taken"])
async def test_a_crash_at_a_placeholder_whose_thread_is_gone_leaves_nothing(
    bots: Nursery, tmp_path: Path, point: str
) -> None:
    async with stage(bots, tmp_path, slack=UNHEARD, model=SLOW) as on:
        first = await on.start(f"slack:chat.postMessage:{point}#1")
        await on.ready(first)
        asked = ask(on.slack, "mention", "write 2000 words")
        on.slack.workspace.delete(asked.channel, asked.ts)
        assert await first.died() == -signal.SIGKILL
        second = await on.start("")
        await _nothing_stays(on, asked)
        assert len(on.slack.called("chat.postMessage")) == 1
        assert await second.end() == 0
