"""Several questions at once, and crashes at random instants. The same seed, the same plan.

What the bot does at the instant is not the plan's to say: that is the point.
"""

from __future__ import annotations

import asyncio
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bot.playground.model.config import ModelConfig
from tests.chaos.crash.asked import Asked, Surface, ask
from tests.chaos.crash.bots import Bot, Nursery
from tests.chaos.crash.databases import Databases
from tests.chaos.crash.matrix import side_by_side
from tests.chaos.crash.stage import QUICK, Stage, stage

PATIENCE = 200.0  # seconds for all answers, from the last start on
FEWEST_EDITS = 10  # a minute
SLOW = ModelConfig(words_per_second=200, first_word_seconds=1.8)
MOST_QUESTIONS = 5
WHERE: tuple[Surface, ...] = ("mention", "mention", "mention", "dm", "command")
ASKED_WITHIN = 0.6  # seconds
CRASHES_WITHIN = (1.8, 2.5)  # seconds after the first question, and after the second start


@dataclass(frozen=True, slots=True)
class Wave:
    """`questions`: seconds from the start, where, and how many words; `crashes`: seconds from the
    first question, and from the next start."""

    seed: int
    questions: tuple[tuple[float, Surface, int], ...]
    crashes: tuple[float, ...]
    resumable: bool
    database: str = "sqlite"
    edits_per_minute: int = 45
    slow_to_begin: bool = False


@dataclass(frozen=True, slots=True)
class Landed:
    """A wave that is over."""

    wave: Wave
    wrong: tuple[str, ...]
    bots: Sequence[Bot] = field(repr=False)
    stories: Sequence[str] = field(repr=False)

    @property
    def died(self) -> int:
        """The crashes that did happen."""
        return sum(bot.code == -signal.SIGKILL for bot in self.bots)

    def __str__(self) -> str:
        return f"{self.wave}: {'; '.join(self.wrong) or 'well'}"


def wave(seed: int, database: str = "sqlite", *, quick: bool = False) -> Wave:
    """The plan that belongs to a seed. Some have so few edits that ends go out in new messages and
    old ones are tidied up a minute later, unless it is to be `quick`. In some of these the model
    begins so late that placeholders stand before there is text, and are replaced by it."""
    chance = random.Random(seed)
    words = chance.sample(range(50, 1000), k=chance.randint(1, MOST_QUESTIONS))
    plan = Wave(
        seed,
        tuple((chance.uniform(0, ASKED_WITHIN), chance.choice(WHERE), n) for n in words),
        tuple(chance.uniform(0, most) for most in CRASHES_WITHIN[: chance.randint(1, 2)]),
        chance.random() < 0.6,
        database,
        45 if quick or chance.random() < 0.9 else FEWEST_EDITS,
    )
    few = plan.edits_per_minute == FEWEST_EDITS
    return replace(plan, slow_to_begin=few and chance.random() < 0.5)


async def land(plan: Wave, nursery: Nursery, folder: Path, database: str = "") -> Landed:
    """Play a wave to its end."""
    variables = {"EDITS_PER_MINUTE": str(plan.edits_per_minute)}
    async with stage(
        nursery,
        folder,
        database=database,
        resumable=plan.resumable,
        model=SLOW if plan.slow_to_begin else QUICK,
        variables=variables,
    ) as on:
        bot = await on.start(None)
        await on.ready(bot)
        asking = asyncio.create_task(_ask(on, plan))
        for seconds in plan.crashes:
            await asyncio.sleep(seconds)
            await bot.end(signal.SIGKILL)
            bot = await on.start(None)
        questions = await asking
        await on.over(questions, PATIENCE)
        await on.ready(bot)
        code = await bot.end()
        wrong = [f"ended badly: with {code}"] if code else []
        return Landed(plan, (*wrong, *await on.complaints(questions)), on.bots, on.stories)


async def land_all(
    plans: Iterable[Wave], nursery: Nursery, databases: Databases, *, at_once: int
) -> AsyncIterator[Landed]:
    """Waves as they end, `at_once` under way."""

    async def one(plan: Wave) -> Landed:
        async with databases(plan.database) as url:
            with tempfile.TemporaryDirectory(prefix="crash-") as folder:
                return await land(plan, nursery, Path(folder), url)

    async for landed in side_by_side((partial(one, plan) for plan in plans), at_once):
        yield landed


async def _ask(on: Stage, plan: Wave) -> list[Asked]:
    asked, passed = [], 0.0
    for number, (at, surface, words) in enumerate(sorted(plan.questions)):
        await asyncio.sleep(at - passed)
        passed = at
        channel = "" if surface == "dm" else on.slack.workspace.create_channel(f"room-{number}").id
        asked.append(ask(on.slack, surface, f"write {words} words", channel))
    return asked
