"""Several questions at once, and crashes at random instants. The same seed, the same plan.

The plan does not say what the bot does at the instant of a crash.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bot.playground.model.config import ModelConfig
from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.concurrency import run_with_databases
from tests.chaos.crash.databases import Databases
from tests.chaos.crash.outcome import Outcome
from tests.chaos.crash.questions import AskedQuestion, Surface, ask
from tests.chaos.crash.testbed import QUICK, BotTestbed, open_testbed

PATIENCE = 200.0  # seconds for all answers, from the last start on
FEWEST_EDITS = 10  # a minute
SLOW = ModelConfig(words_per_second=200, first_word_seconds=1.8)
MOST_QUESTIONS = 5
WHERE: tuple[Surface, ...] = ("mention", "mention", "mention", "dm", "command")
ASKED_WITHIN = 0.6  # seconds
CRASHES_WITHIN = (1.8, 2.5)  # seconds after the first question, and after the second start


@dataclass(frozen=True, slots=True)
class CrashPlan:
    """`questions`: seconds from the start, where, and how many words; `crashes`: seconds from the
    first question, and from the next start."""

    seed: int
    questions: tuple[tuple[float, Surface, int], ...]
    crashes: tuple[float, ...]
    resumable: bool
    database: str = "sqlite"
    edits_per_minute: int = 45
    slow_to_begin: bool = False


def random_plan(seed: int, database: str = "sqlite", *, quick: bool = False) -> CrashPlan:
    """The plan that belongs to a seed. Some have so few edits that ends go out in new messages and
    old ones are tidied up a minute later, unless it is to be `quick`. In some of these the model
    begins so late that placeholders stand before there is text, and are replaced by it."""
    chance = random.Random(seed)
    words = chance.sample(range(50, 1000), k=chance.randint(1, MOST_QUESTIONS))
    plan = CrashPlan(
        seed,
        tuple((chance.uniform(0, ASKED_WITHIN), chance.choice(WHERE), n) for n in words),
        tuple(chance.uniform(0, most) for most in CRASHES_WITHIN[: chance.randint(1, 2)]),
        chance.random() < 0.6,
        database,
        45 if quick or chance.random() < 0.9 else FEWEST_EDITS,
    )
    few = plan.edits_per_minute == FEWEST_EDITS
    return replace(plan, slow_to_begin=few and chance.random() < 0.5)


async def run_plan(
    plan: CrashPlan, fork_server: ForkServer, folder: Path, database: str = ""
) -> Outcome[CrashPlan]:
    """Carry out a plan to its end."""
    variables = {"EDITS_PER_MINUTE": str(plan.edits_per_minute)}
    async with open_testbed(
        fork_server,
        folder,
        database=database,
        resumable=plan.resumable,
        model=SLOW if plan.slow_to_begin else QUICK,
        variables=variables,
    ) as testbed:
        bot = await testbed.start(None)
        await testbed.wait_ready(bot)
        asking = asyncio.create_task(_ask(testbed, plan))
        for seconds in plan.crashes:
            await asyncio.sleep(seconds)
            await bot.end(signal.SIGKILL)
            bot = await testbed.start(None)
        questions = await asking
        await testbed.wait_over(questions, PATIENCE)
        await testbed.wait_ready(bot)
        code = await bot.end()
        wrong = [f"ended badly: with {code}"] if code else []
        return Outcome(
            plan, (*wrong, *await testbed.complaints(questions)), testbed.bots, testbed.timelines
        )


async def run_plans(
    plans: Iterable[CrashPlan], fork_server: ForkServer, databases: Databases, *, at_once: int
) -> AsyncIterator[Outcome[CrashPlan]]:
    """Outcomes as the plans end, `at_once` of them under way."""

    async def run_one(plan: CrashPlan, folder: Path, database: str) -> Outcome[CrashPlan]:
        return await run_plan(plan, fork_server, folder, database)

    async for outcome in run_with_databases(plans, databases, run_one, at_once=at_once):
        yield outcome


async def _ask(testbed: BotTestbed, plan: CrashPlan) -> list[AskedQuestion]:
    asked, passed = [], 0.0
    for number, (at, surface, words) in enumerate(sorted(plan.questions)):
        await asyncio.sleep(at - passed)
        passed = at
        channel = (
            ""
            if surface == "dm"
            else testbed.slack.workspace.create_channel(f"channel-{number}").id
        )
        asked.append(ask(testbed.slack, surface, f"write {words} words", channel))
    return asked
