"""One question, the crashes while it is answered, and the outcome."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.outcome import Outcome
from tests.chaos.crash.questions import AskedQuestion, Surface, ask
from tests.chaos.crash.testbed import BotTestbed, open_testbed

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


async def run(
    case: Case, fork_server: ForkServer, folder: Path, database: str = "", *, followed: bool = True
) -> Outcome[Case]:
    """Carry out a case. `database` is the URL of an empty one where it is no SQLite file.

    Unless it is `followed`, the bot that dies is the last.
    """
    async with open_testbed(
        fork_server, folder, database=database, resumable=case.resumable
    ) as testbed:
        first = await testbed.start(*case.crashes[:1])
        await testbed.wait_ready(first)
        asked = ask(testbed.slack, case.surface, TEXTS[case.length])
        code = await _end(testbed, asked)
        for following in (*case.crashes[1:], ""):
            if code != -signal.SIGKILL or not followed:
                break
            await testbed.start(following)
            code = await _end(testbed, asked)
        wrong = [f"ended badly: with {code}"] if code else []
        wrong += await testbed.complaints([asked])
        return Outcome(case, tuple(wrong), testbed.bots, testbed.timelines)


async def _end(testbed: BotTestbed, asked: AskedQuestion) -> int:
    """Let a bot work until all is over, then end it; gives its exit code.

    It may die before, or while it ends: then it is the next one's turn.
    """
    bot = testbed.bots[-1]
    dying = asyncio.create_task(bot.wait_exit())
    ending = asyncio.create_task(_settle(testbed, asked))
    await asyncio.wait({dying, ending}, return_when=asyncio.FIRST_COMPLETED)
    for task in (dying, ending):
        task.cancel()
    await asyncio.gather(dying, ending, return_exceptions=True)
    return await bot.end()


async def _settle(testbed: BotTestbed, asked: AskedQuestion) -> None:
    await testbed.wait_over([asked], PATIENCE)
    await testbed.wait_ready(testbed.bots[-1])
