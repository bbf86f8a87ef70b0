"""The time of day is set an hour ahead or back under bots that run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tests.chaos.crash.bots import Bot, ForkServer
from tests.chaos.crash.databases import POSTGRESQL, Databases
from tests.chaos.crash.questions import AskedQuestion, ask
from tests.chaos.crash.testbed import BotTestbed, open_testbed
from tests.chaos.faults.checks import (
    PATIENCE,
    metric_total,
    shown_words,
    unexpected_lines,
    wait_begun,
)
from tests.chaos.faults.outage import CALM, EXPECTED_WARNINGS, MIDDLE, SHORT, SLOW
from tests.chaos.faults.process import AHEAD, BACK, CLOCK_OFFSET_HOURS, HOUR
from tests.e2e.bot.running import upstream_text

pytestmark = pytest.mark.asyncio(loop_scope="package")

LEASE = {"LEASE_SECONDS": "3"}
FEW = 10  # edits a minute
CROWD = 9  # questions at once


def set_clock(bot: Bot, direction: signal.Signals) -> None:
    """Set a bot's time of day an hour ahead of everybody's, or behind."""
    os.kill(bot.pid, direction)


def hours_off(bot: Bot) -> int:
    """By how much the newest line in its log is ahead of the time of day."""
    said = datetime.fromisoformat(bot.log[-1]["time"]).timestamp()
    return round((said - time.time()) / HOUR)


async def deliver_again(testbed: BotTestbed, questions: Sequence[AskedQuestion]) -> None:
    """Let Slack deliver questions once more; return when that is acknowledged."""
    events = {asked: 1 if asked.surface == "dm" else 2 for asked in questions}
    wanted = {asked: _acknowledged(testbed, asked) + more for asked, more in events.items()}
    for asked in questions:
        message = testbed.slack.workspace.message(asked.channel, asked.ts)
        assert message
        testbed.slack.workspace.add(message)
    await testbed.slack.until(
        lambda: all(_acknowledged(testbed, asked) >= count for asked, count in wanted.items()),
        PATIENCE,
    )


def _acknowledged(testbed: BotTestbed, asked: AskedQuestion) -> int:
    taken = (e.detail for e in testbed.slack.log("event") if not e.detail.get("error"))
    return sum(one.get("ts") == asked.ts for one in taken)


async def test_answers_are_unaffected_by_a_change_of_the_time_of_day(
    fork_server: ForkServer, tmp_path: Path, kind: str, empty: Databases
) -> None:
    """Nobody is taken for dead, nobody waits for an hour, no limit is met, nothing is forgotten
    early: what was answered is not answered again. With PostgreSQL one replica's time is wrong,
    with SQLite that of all, for they are on one machine."""
    async with (
        empty(kind) as url,
        open_testbed(
            fork_server, tmp_path, database=url, slack=CALM, model=SLOW, variables=LEASE
        ) as testbed,
    ):
        for _ in range(2):
            await (await testbed.start(None)).wait_logged("ready")
        await testbed.wait_ready(testbed.bots[0])
        wrong = testbed.bots[:1] if kind == POSTGRESQL else testbed.bots[:]
        answered = [ask(testbed.slack, "mention", SHORT)]
        await testbed.wait_over(answered, PATIENCE)
        for direction, hours in ((AHEAD, "1"), (BACK, "-1")):
            answered += await _answers_while_set(testbed, wrong, direction, answered)
            await (await testbed.start(None, **{CLOCK_OFFSET_HOURS: hours})).wait_logged(
                "ready"
            )  # deletes what is old
            await deliver_again(testbed, answered)
        assert await testbed.complaints(answered) == []
        for bot in testbed.bots:
            assert await metric_total(bot, "bot_takeovers_total") == 0
            assert await bot.end() == 0
            assert unexpected_lines(bot, *EXPECTED_WARNINGS) == []
        assert {hours_off(bot) for bot in wrong} == {-1}, "the last that they said"


async def _answers_while_set(
    testbed: BotTestbed,
    replicas: Sequence[Bot],
    direction: signal.Signals,
    answered: Sequence[AskedQuestion],
) -> list[AskedQuestion]:
    """Set the clocks of bots while questions are answered, and ask more; returns all of them."""
    writing = [ask(testbed.slack, "mention", MIDDLE), ask(testbed.slack, "dm", MIDDLE)]
    await wait_begun(testbed, writing)
    for bot in replicas:
        set_clock(bot, direction)
    await deliver_again(testbed, [*answered, *writing])
    later = ask(testbed.slack, "mention", SHORT)
    await testbed.wait_over([*writing, later], PATIENCE)
    return [*writing, later]


@pytest.mark.parametrize("direction", [AHEAD, BACK], ids=["ahead", "back"])
async def test_replicas_on_one_file_stay_within_the_rate_limit(
    fork_server: ForkServer, tmp_path: Path, direction: signal.Signals
) -> None:
    """What is spent of a minute is spent, whatever time it is. What can't be shown by edits goes
    out in messages of its own."""
    variables = LEASE | {"EDITS_PER_MINUTE": str(FEW)}
    async with open_testbed(fork_server, tmp_path, slack=CALM, variables=variables) as testbed:
        for _ in range(2):
            await (await testbed.start(None)).wait_logged("ready")
        await testbed.wait_ready(testbed.bots[0])
        began = time.monotonic()
        await _crowd(testbed)
        for bot in testbed.bots:
            set_clock(bot, direction)
        await _crowd(testbed)
        assert time.monotonic() - began < 60
        assert len(testbed.slack.called("chat.update")) <= FEW


async def _crowd(testbed: BotTestbed) -> None:
    """Ask in several channels at once; return when all answers stand."""
    channels = [testbed.slack.workspace.create_channel(f"channel-{n}").id for n in range(CROWD)]
    asked = [ask(testbed.slack, "mention", SHORT, room) for room in channels]
    whole = upstream_text(SHORT).split()  # a blank between two messages is not shown
    await testbed.slack.until(
        lambda: all(shown_words(testbed.slack, one)[-len(whole) :] == whole for one in asked), 30
    )
