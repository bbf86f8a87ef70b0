"""The database is away for a while, and back: what is asked of every kind of it alike."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from bot.playground.model.server import ModelConfig
from tests.chaos.crash.bots import Bot
from tests.chaos.crash.questions import ask, is_answered
from tests.chaos.crash.testbed import FAST_RETRIES, BotTestbed
from tests.chaos.faults.checks import (
    PATIENCE,
    refusals,
    wait_begun,
    wait_not_ready,
    wait_ready,
    wait_refused,
)

CALM = replace(FAST_RETRIES, ack_seconds=3.0)
"""Slack as patient as it is; each mention still arrives as two events."""

SLOW = ModelConfig(words_per_second=100, first_word_seconds=0.1)
LONG, MIDDLE, SHORT = "write 200 words", "write 120 words", "write 40 words"

EXPECTED_WARNINGS = (
    "database write failed",
    "the journal could not be written",
    "a question could not be claimed",
    "Slack's rate limits can't be shared",
)
"""What the log warns of meanwhile."""


async def outage(
    testbed: BotTestbed,
    bots: Sequence[Bot],
    fault: AbstractContextManager[object],
    *,
    lease: float = 0.0,
) -> None:
    """Ask before, during and after a fault, and see that everything is answered or refused, once.

    Where there is a `lease`, in seconds, nothing is written of an answer once it may be over;
    else the answers stand whole before the fault ends.
    """
    writing = [ask(testbed.slack, "mention", LONG), ask(testbed.slack, "dm", LONG)]
    await wait_begun(testbed, writing)
    with fault:
        began = time.monotonic()
        for bot in bots:
            await wait_not_ready(bot, database=False)
        refused = [ask(testbed.slack, "mention", SHORT), ask(testbed.slack, "command", SHORT)]
        for asked in refused:
            await wait_refused(testbed, asked)
        if lease:
            assert max(call.at for call in testbed.slack.called("chat.update")) < began + lease
            assert not any(is_answered(testbed.slack, asked) for asked in writing)
        else:
            await testbed.slack.until(
                lambda: all(is_answered(testbed.slack, asked) for asked in writing), PATIENCE
            )
    for bot in bots:
        await wait_ready(bot)
    later = ask(testbed.slack, "mention", SHORT)
    await testbed.wait_over([*writing, later], PATIENCE)
    assert await testbed.complaints([*writing, later]) == []
    assert [refusals(testbed.slack, asked) for asked in refused] == [1, 1]
    assert not any(is_answered(testbed.slack, asked) for asked in refused)
