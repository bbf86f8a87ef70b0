"""One question, crashes on its way, and what stands in the end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.crash.asked import Asked, Surface, ask
from tests.chaos.crash.bots import Bot, Nursery
from tests.chaos.crash.stage import Stage, stage

PATIENCE = 20.0  # seconds for an answer, from the last start on
TEXTS = {"short": "write 200 words", "long": "write 2300 words"}
LENGTHS = tuple(TEXTS)


@dataclass(frozen=True, slots=True)
class Case:
    """`crashes` are points: the first kills the first bot, the next its successor, and so on."""

    crashes: tuple[str, ...] = ()
    surface: Surface = "mention"
    length: str = "short"
    resumable: bool = True
    database: str = "sqlite"

    def __str__(self) -> str:
        resumable = "resumable" if self.resumable else "not resumable"
        where = f"{self.length} {self.surface}, {resumable}, {self.database}"
        return f"{' then '.join(self.crashes) or 'no crash'} ({where})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is wrong in the end, and the bots that were there, in turn."""

    case: Case
    wrong: tuple[str, ...]
    bots: Sequence[Bot] = field(repr=False)
    stories: Sequence[str] = field(repr=False)

    @property
    def died(self) -> int:
        """The crashes that did happen."""
        return sum(bot.code == -signal.SIGKILL for bot in self.bots)

    def __str__(self) -> str:
        return f"{self.case}: {'; '.join(self.wrong) or 'well'}"


async def run(
    case: Case, nursery: Nursery, folder: Path, database: str = "", *, followed: bool = True
) -> Outcome:
    """Play a case to its end. `database` is the URL of an empty one where it is no SQLite file.

    Unless it is `followed`, the bot that dies is the last.
    """
    async with stage(nursery, folder, database=database, resumable=case.resumable) as on:
        first = await on.start(*case.crashes[:1])
        await on.ready(first)
        asked = ask(on.slack, case.surface, TEXTS[case.length])
        code = await _end(on, asked)
        for following in (*case.crashes[1:], ""):
            if code != -signal.SIGKILL or not followed:
                break
            await on.start(following)
            code = await _end(on, asked)
        wrong = [f"ended badly: with {code}"] if code else []
        wrong += await on.complaints([asked])
        return Outcome(case, tuple(wrong), on.bots, on.stories)


async def _end(on: Stage, asked: Asked) -> int:
    """Let a bot work until all is over, then end it; gives its exit code.

    It may die before, or while it ends: then it is the next one's turn.
    """
    bot = on.bots[-1]
    dying = asyncio.create_task(bot.died())
    ending = asyncio.create_task(_settle(on, asked))
    await asyncio.wait({dying, ending}, return_when=asyncio.FIRST_COMPLETED)
    for task in (dying, ending):
        task.cancel()
    await asyncio.gather(dying, ending, return_exceptions=True)
    return await bot.end()


async def _settle(on: Stage, asked: Asked) -> None:
    await on.over([asked], PATIENCE)
    await on.ready(on.bots[-1])
