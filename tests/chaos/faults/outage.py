"""The database is away for a while, and back: what is asked of every kind of it alike."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from bot.playground.model.server import ModelConfig
from tests.chaos.crash.asked import ask, is_answered
from tests.chaos.crash.bots import Bot
from tests.chaos.crash.stage import PATIENT, Stage
from tests.chaos.faults.seen import PATIENCE, begun, is_not_ready, is_ready, refusals, turned_away

CALM = replace(PATIENT, ack_seconds=3.0)
"""Slack as patient as it is; each mention still arrives as two events."""

SLOW = ModelConfig(words_per_second=100, first_word_seconds=0.1)
LONG, MIDDLE, SHORT = "write 200 words", "write 120 words", "write 40 words"

TOLD = (
    "database write failed",
    "the journal could not be written",
    "a question could not be claimed",
    "Slack's rate limits can't be shared",
)
"""What the log warns of meanwhile."""


async def outage(
    on: Stage, bots: Sequence[Bot], fault: AbstractContextManager[object], *, lease: float = 0.0
) -> None:
    """Ask before, during and after a fault, and see that everything is answered or refused, once.

    Where there is a `lease`, in seconds, nothing is written of an answer once it may be over;
    else the answers stand whole before the fault ends.
    """
    writing = [ask(on.slack, "mention", LONG), ask(on.slack, "dm", LONG)]
    await begun(on, writing)
    with fault:
        began = time.monotonic()
        for bot in bots:
            await is_not_ready(bot, database=False)
        refused = [ask(on.slack, "mention", SHORT), ask(on.slack, "command", SHORT)]
        for asked in refused:
            await turned_away(on, asked)
        if lease:
            assert max(call.at for call in on.slack.called("chat.update")) < began + lease
            assert not any(is_answered(on.slack, asked) for asked in writing)
        else:
            await on.slack.until(
                lambda: all(is_answered(on.slack, asked) for asked in writing), PATIENCE
            )
    for bot in bots:
        await is_ready(bot)
    later = ask(on.slack, "mention", SHORT)
    await on.over([*writing, later], PATIENCE)
    assert await on.complaints([*writing, later]) == []
    assert [refusals(on.slack, asked) for asked in refused] == [1, 1]
    assert not any(is_answered(on.slack, asked) for asked in refused)
