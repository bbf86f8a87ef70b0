"""The network to Slack is cut while answers are written, and well again after a while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.crash.asked import ask, is_answered
from tests.chaos.crash.bots import Bot, Nursery
from tests.chaos.crash.stage import Stage, stage
from tests.chaos.faults.outage import CALM, LONG, SHORT, SLOW
from tests.chaos.faults.process import HURRY
from tests.chaos.faults.seen import (
    PATIENCE,
    begun,
    drained,
    is_not_ready,
    is_ready,
    logged,
    unexpected,
)
from tests.chaos.faults.wire import Wire, wire

pytestmark = pytest.mark.asyncio(loop_scope="package")

IN_A_HURRY = {HURRY: "15"}
"""A bot that knows after a second of silence what it else knows after 15."""

LATE = 0.5  # seconds after which what was held up is sent again
BACK = 5.0  # seconds in which connections must be back

TOLD = ("could not connect to Slack",)


@asynccontextmanager
async def behind_a_wire(bots: Nursery, folder: Path) -> AsyncIterator[tuple[Stage, Wire, Bot]]:
    """A bot that reaches Slack over a wire."""
    async with stage(bots, folder, slack=CALM, model=SLOW, variables=IN_A_HURRY) as on:
        port = int(on.slack.url.rpartition(":")[2])
        async with wire(port) as line:
            on.slack.workspace.base_url = f"http://127.0.0.1:{line.port}"
            bot = await on.start(None, SLACK_API_URL=f"{on.slack.workspace.base_url}/api/")
            await on.ready(bot)
            await is_ready(bot)
            yield on, line, bot


@pytest.mark.parametrize("reset", [False, True], ids=["held up", "reset"])
async def test_answers_are_complete_after_a_cut_in_the_same_messages(
    bots: Nursery, tmp_path: Path, reset: bool
) -> None:
    """The model is read on meanwhile; what could not be shown is shown when the network is well,
    nothing of it twice; connections come back within seconds, and /readyz says how it is."""
    async with behind_a_wire(bots, tmp_path) as (on, line, bot):
        questions = [ask(on.slack, "mention", LONG), ask(on.slack, "dm", LONG)]
        questions.append(ask(on.slack, "command", LONG))
        await begun(on, questions[:2])
        (line.reset if reset else line.cut)()
        await is_not_ready(bot, slack=False)
        await drained(on, len(questions))
        assert not any(is_answered(on.slack, asked) for asked in questions)
        line.late = LATE
        line.heal()
        assert await is_ready(bot) < BACK
        questions.append(ask(on.slack, "mention", SHORT))
        await on.over(questions, PATIENCE)
        assert await on.complaints(questions) == []
        assert await bot.end() == 0
        assert unexpected(bot, *TOLD) == []


@pytest.mark.parametrize("arrives", [True, False], ids=["its reply", "itself"])
async def test_a_post_that_is_held_up_stands_once(
    bots: Nursery, tmp_path: Path, arrives: bool
) -> None:
    """Whether the post or its reply was held up longer than anybody waited: nobody can tell, so
    it is looked for before it is made again."""
    async with behind_a_wire(bots, tmp_path) as (on, line, bot):
        line.at(b"chat.postMessage", line.mute if arrives else line.cut)
        asked = ask(on.slack, "mention", LONG)
        if arrives:
            await on.slack.until(lambda: on.slack.called("chat.postMessage"))
            line.cut()
        await logged(bot, "a write may be lost")
        await is_not_ready(bot, slack=False)
        line.late = LATE
        line.heal()
        await on.over([asked], PATIENCE)
        assert await on.complaints([asked]) == []
        assert await bot.end() == 0
        assert unexpected(bot, *TOLD) == []
