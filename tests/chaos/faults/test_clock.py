"""The time of day is set an hour ahead or back under bots that run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tests.chaos.crash.asked import Asked, ask
from tests.chaos.crash.bots import Bot, Nursery
from tests.chaos.crash.databases import POSTGRESQL, Databases
from tests.chaos.crash.stage import Stage, stage
from tests.chaos.faults.outage import CALM, MIDDLE, SHORT, SLOW, TOLD
from tests.chaos.faults.process import AHEAD, BACK, HOUR, HOURS
from tests.chaos.faults.seen import PATIENCE, begun, counted, shown, unexpected
from tests.e2e.bot.running import upstream_text

pytestmark = pytest.mark.asyncio(loop_scope="package")

LEASE = {"LEASE_SECONDS": "3"}
FEW = 10  # edits a minute
CROWD = 9  # questions at once


def set_clock(bot: Bot, way: signal.Signals) -> None:
    """Set a bot's time of day an hour ahead of everybody's, or behind."""
    os.kill(bot.pid, way)


def hours_off(bot: Bot) -> int:
    """By how much the newest line in its log is ahead of the time of day."""
    said = datetime.fromisoformat(bot.log[-1]["time"]).timestamp()
    return round((said - time.time()) / HOUR)


async def deliver_again(on: Stage, questions: Sequence[Asked]) -> None:
    """Let Slack deliver questions once more; return when that is acknowledged."""
    events = {asked: 1 if asked.surface == "dm" else 2 for asked in questions}
    wanted = {asked: _acknowledged(on, asked) + more for asked, more in events.items()}
    for asked in questions:
        message = on.slack.workspace.message(asked.channel, asked.ts)
        assert message
        on.slack.workspace.add(message)
    await on.slack.until(
        lambda: all(_acknowledged(on, asked) >= count for asked, count in wanted.items()), PATIENCE
    )


def _acknowledged(on: Stage, asked: Asked) -> int:
    taken = (e.detail for e in on.slack.log("event") if not e.detail.get("error"))
    return sum(one.get("ts") == asked.ts for one in taken)


async def test_answers_do_not_mind_that_the_time_of_day_is_set(
    bots: Nursery, tmp_path: Path, kind: str, empty: Databases
) -> None:
    """Nobody is taken for dead, nobody waits for an hour, no limit is met, nothing is forgotten
    early: what was answered is not answered again. With PostgreSQL one replica's time is wrong,
    with SQLite that of all, for they are on one machine."""
    async with (
        empty(kind) as url,
        stage(bots, tmp_path, database=url, slack=CALM, model=SLOW, variables=LEASE) as on,
    ):
        for _ in range(2):
            await (await on.start(None)).said("ready")
        await on.ready(on.bots[0])
        wrong = on.bots[:1] if kind == POSTGRESQL else on.bots[:]
        answered = [ask(on.slack, "mention", SHORT)]
        await on.over(answered, PATIENCE)
        for way, hours in ((AHEAD, "1"), (BACK, "-1")):
            answered += await _answers_while_set(on, wrong, way, answered)
            await (await on.start(None, **{HOURS: hours})).said("ready")  # deletes what is old
            await deliver_again(on, answered)
        assert await on.complaints(answered) == []
        for bot in on.bots:
            assert await counted(bot, "bot_takeovers_total") == 0
            assert await bot.end() == 0
            assert unexpected(bot, *TOLD) == []
        assert {hours_off(bot) for bot in wrong} == {-1}, "the last that they said"


async def _answers_while_set(
    on: Stage, bots: Sequence[Bot], way: signal.Signals, answered: Sequence[Asked]
) -> list[Asked]:
    """Set the clocks of bots while questions are answered, and ask more; returns all of them."""
    writing = [ask(on.slack, "mention", MIDDLE), ask(on.slack, "dm", MIDDLE)]
    await begun(on, writing)
    for bot in bots:
        set_clock(bot, way)
    await deliver_again(on, [*answered, *writing])
    later = ask(on.slack, "mention", SHORT)
    await on.over([*writing, later], PATIENCE)
    return [*writing, later]


@pytest.mark.parametrize("way", [AHEAD, BACK], ids=["ahead", "back"])
async def test_two_processes_with_one_file_spend_no_more_than_there_is(
    bots: Nursery, tmp_path: Path, way: signal.Signals
) -> None:
    """What is spent of a minute is spent, whatever time it is. What can't be shown by edits goes
    out in messages of its own."""
    variables = LEASE | {"EDITS_PER_MINUTE": str(FEW)}
    async with stage(bots, tmp_path, slack=CALM, variables=variables) as on:
        for _ in range(2):
            await (await on.start(None)).said("ready")
        await on.ready(on.bots[0])
        began = time.monotonic()
        await _crowd(on)
        for bot in on.bots:
            set_clock(bot, way)
        await _crowd(on)
        assert time.monotonic() - began < 60
        assert len(on.slack.called("chat.update")) <= FEW


async def _crowd(on: Stage) -> None:
    """Ask in several channels at once; return when all answers stand."""
    rooms = [on.slack.workspace.create_channel(f"room-{n}").id for n in range(CROWD)]
    asked = [ask(on.slack, "mention", SHORT, room) for room in rooms]
    whole = upstream_text(SHORT)
    await on.slack.until(lambda: all(shown(on.slack, one).endswith(whole) for one in asked), 30)
