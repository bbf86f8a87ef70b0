"""What Slack, the probes and the log show while something is unavailable."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.words import Phrase
from tests.chaos.crash.bots import Bot
from tests.chaos.crash.open_turns import find_open_turns
from tests.chaos.crash.questions import AskedQuestion, answer
from tests.chaos.crash.testbed import BotTestbed
from tests.e2e.bot.running import markdown, status_text
from tests.support.words import english
from tests.unit.playground.live import LiveSlack

PATIENCE = 20.0
LOOK_SECONDS = 0.05  # a probe does not tell when it changes

_LEFT = "unexpected connection_lost() call"
"""asyncpg leaves a future behind where it gives up a connection at the moment it is made, and
asyncio says so."""

_SECRET = re.compile(r"xox[bp]-|xapp-|/respond/|ticket=(?!\*)|write \d+ words|://\w+:[^*]+@")


async def readiness(bot: Bot) -> tuple[int, dict[str, bool]]:
    """The status of /readyz, and its checks."""
    address = f"{_health(bot)}/readyz"
    async with aiohttp.ClientSession() as session, session.get(address) as probe:
        return probe.status, await probe.json()


async def wait_ready(bot: Bot, patience: float = PATIENCE) -> float:
    """Return when the bot says that all is well; how many seconds that took."""
    return await _wait_readiness(bot, 200, {"database": True, "slack": True}, patience)


async def wait_not_ready(bot: Bot, patience: float = PATIENCE, **checks: bool) -> float:
    """Return when the bot says that it is not well, and why; how many seconds that took."""
    wanted = {"database": True, "slack": True} | checks
    return await _wait_readiness(bot, 503, wanted, patience)


def _health(bot: Bot) -> str:
    return f"http://127.0.0.1:{bot.records('listening')[0]['port']}"


async def _wait_readiness(bot: Bot, status: int, checks: dict[str, bool], patience: float) -> float:
    began, said = time.monotonic(), (0, dict[str, bool]())
    try:
        async with asyncio.timeout(patience):
            while said != (status, checks):
                await asyncio.sleep(LOOK_SECONDS)
                said = await readiness(bot)
    except TimeoutError:
        raise AssertionError(f"/readyz still says {said}, not {status} {checks}") from None
    return time.monotonic() - began


async def metric_total(bot: Bot, name: str) -> float:
    """What a metric counts, all its labels together."""
    address = f"{_health(bot)}/metrics"
    async with aiohttp.ClientSession() as session, session.get(address) as told:
        families = text_string_to_metric_families(await told.text())
        return sum(
            sample.value for one in families for sample in one.samples if sample.name == name
        )


def shown_text(slack: LiveSlack, asked: AskedQuestion) -> str:
    """The text of an answer that stands now."""
    return "".join(map(markdown, answer(slack, asked)))


def shown_words(slack: LiveSlack, asked: AskedQuestion) -> list[str]:
    """The words of an answer that stands now, in one message or several."""
    return " ".join(map(markdown, answer(slack, asked))).split()


async def wait_begun(testbed: BotTestbed, questions: Iterable[AskedQuestion]) -> None:
    """Return when some text of every answer stands."""
    waiting = list(questions)
    await testbed.slack.until(
        lambda: all(shown_text(testbed.slack, asked) for asked in waiting), PATIENCE
    )


async def wait_logged(bot: Bot, words: str, patience: float = PATIENCE) -> None:
    """Return when a line of its log begins so."""
    async with asyncio.timeout(patience):
        while not any(line["message"].startswith(words) for line in bot.log):  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(LOOK_SECONDS)


async def wait_drained(testbed: BotTestbed, count: int, patience: float = PATIENCE) -> None:
    """Return when so many answers have been read from the model to their end, and wait for Slack;
    the journal says so."""
    async with asyncio.timeout(patience):
        while True:
            waiting = await find_open_turns(testbed.env["DATABASE_URL"])
            if sum(", done," in one for one in waiting) == count:
                return
            await asyncio.sleep(LOOK_SECONDS)


def refusals(slack: LiveSlack, asked: AskedQuestion) -> int:
    """How many messages stand that refuse a question."""
    if asked.surface == "command":
        found: Sequence[dict[str, Any]] = [
            slack.workspace.as_slack(one)
            for one in slack.workspace.whispers(asked.channel, asked.user)
        ]
    else:
        found = answer(slack, asked)
    return sum(
        english(Phrase.DATABASE_UNAVAILABLE) in status_text(one)
        or english(Phrase.DATABASE_UNAVAILABLE) in str(one.get("text"))
        for one in found
    )


async def wait_refused(testbed: BotTestbed, asked: AskedQuestion) -> None:
    """Return when a question was refused, and Slack delivers it no more."""
    await testbed.slack.until(
        lambda: refusals(testbed.slack, asked) and testbed.acknowledged(asked), PATIENCE
    )


def unexpected_lines(bot: Bot, *expected: str) -> list[str]:
    """The lines of a log that nobody would expect: errors, tracebacks, secrets, and warnings
    beside those that contain one of `expected`."""
    return [
        str(line)
        for line in bot.log
        if _SECRET.search(str(line)) or not (_is_fine(line, expected) or _LEFT in line["message"])
    ]


def _is_fine(line: Mapping[str, Any], expected: Sequence[str]) -> bool:
    told = line.get("level") == "warning" and any(one in line["message"] for one in expected)
    return "error" not in line and (told or line.get("level") == "info")
