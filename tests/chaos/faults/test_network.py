"""The network to Slack is cut while answers are written, and restored after a while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.chaos.crash.bots import Bot, ForkServer
from tests.chaos.crash.questions import ask, is_answered
from tests.chaos.crash.testbed import BotTestbed, open_testbed
from tests.chaos.faults.checks import (
    PATIENCE,
    unexpected_lines,
    wait_begun,
    wait_drained,
    wait_logged,
    wait_not_ready,
    wait_ready,
)
from tests.chaos.faults.faulty_proxy import FaultyProxy, faulty_proxy
from tests.chaos.faults.outage import CALM, LONG, SHORT, SLOW
from tests.chaos.faults.process import TIMEOUT_DIVISOR

pytestmark = pytest.mark.asyncio(loop_scope="package")

SHORT_TIMEOUTS = {TIMEOUT_DIVISOR: "15"}
"""A bot that knows after a second of silence what it else knows after 15."""

LATE = 0.5  # seconds after which what was held up is sent again
BACK = 5.0  # seconds in which connections must be back

TOLD = ("could not connect to Slack",)


@asynccontextmanager
async def bot_behind_proxy(
    fork_server: ForkServer, folder: Path
) -> AsyncIterator[tuple[BotTestbed, FaultyProxy, Bot]]:
    """A bot that reaches Slack over a wire."""
    async with open_testbed(
        fork_server, folder, slack=CALM, model=SLOW, variables=SHORT_TIMEOUTS
    ) as testbed:
        port = int(testbed.slack.url.rpartition(":")[2])
        async with faulty_proxy(port) as proxy:
            testbed.slack.workspace.base_url = f"http://127.0.0.1:{proxy.port}"
            bot = await testbed.start(
                None, SLACK_API_URL=f"{testbed.slack.workspace.base_url}/api/"
            )
            await testbed.wait_ready(bot)
            await wait_ready(bot)
            yield testbed, proxy, bot


@pytest.mark.parametrize("reset", [False, True], ids=["held up", "reset"])
async def test_answers_are_complete_after_a_cut_in_the_same_messages(
    fork_server: ForkServer, tmp_path: Path, reset: bool
) -> None:
    """The model is read on meanwhile; what could not be shown is shown when the network is well,
    nothing of it twice; connections come back within seconds, and /readyz says how it is."""
    async with bot_behind_proxy(fork_server, tmp_path) as (testbed, proxy, bot):
        questions = [ask(testbed.slack, "mention", LONG), ask(testbed.slack, "dm", LONG)]
        questions.append(ask(testbed.slack, "command", LONG))
        await wait_begun(testbed, questions[:2])
        (proxy.reset if reset else proxy.cut)()
        await wait_not_ready(bot, slack=False)
        await wait_drained(testbed, len(questions))
        assert not any(is_answered(testbed.slack, asked) for asked in questions)
        proxy.resend_seconds = LATE
        proxy.restore()
        assert await wait_ready(bot) < BACK
        questions.append(ask(testbed.slack, "mention", SHORT))
        await testbed.wait_over(questions, PATIENCE)
        assert await testbed.complaints(questions) == []
        assert await bot.end() == 0
        assert unexpected_lines(bot, *TOLD) == []


@pytest.mark.parametrize("arrives", [True, False], ids=["its reply", "itself"])
async def test_delayed_post_appears_once(
    fork_server: ForkServer, tmp_path: Path, arrives: bool
) -> None:
    """Whether the post or its reply was held up longer than anybody waited: nobody can tell, so
    it is looked for before it is made again."""
    async with bot_behind_proxy(fork_server, tmp_path) as (testbed, proxy, bot):
        proxy.on_sending(b"chat.postMessage", proxy.mute if arrives else proxy.cut)
        asked = ask(testbed.slack, "mention", LONG)
        if arrives:
            await testbed.slack.until(lambda: testbed.slack.called("chat.postMessage"))
            proxy.cut()
        await wait_logged(bot, "a write may be lost")
        await wait_not_ready(bot, slack=False)
        proxy.resend_seconds = LATE
        proxy.restore()
        await testbed.wait_over([asked], PATIENCE)
        assert await testbed.complaints([asked]) == []
        assert await bot.end() == 0
        assert unexpected_lines(bot, *TOLD) == []
