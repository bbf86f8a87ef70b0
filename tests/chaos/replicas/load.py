"""Questions for replicas, asked while replicas come and go, and what is wrong in the end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.playground.model.config import ModelConfig
from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.questions import AskedQuestion, ask
from tests.chaos.crash.testbed import FAST_RETRIES, BotTestbed, open_testbed
from tests.chaos.replicas.balancer import balancer
from tests.chaos.replicas.fleet import Fleet, Kill, takeover_delays
from tests.unit.playground.live import ApiCall

MODEL = ModelConfig(words_per_second=120, first_word_seconds=0.3)
CHANNEL_QUESTIONS = 10  # of one channel: it takes one post a second (docs/slack.md#posting)


@dataclass(frozen=True, slots=True)
class Load:
    """`questions` at so many a second; `disturb` is done again and again meanwhile, `every` so
    many seconds on average, and `least` so often."""

    questions: int
    per_second: float
    disturb: Callable[[Fleet], Awaitable[None]]
    every: float
    least: int = 1
    replicas: int = 2
    lease: float = 1.0
    over_http: bool = True
    seed: int = 1
    words: tuple[int, int] = (60, 500)
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What a load came to."""

    wrong: tuple[str, ...]
    kills: tuple[Kill, ...]
    codes: tuple[int, ...]
    takeover_delays: tuple[float, ...]
    calls: tuple[ApiCall, ...] = field(repr=False)
    testbed: BotTestbed = field(repr=False)


async def run_load(
    load: Load, fork_server: ForkServer, folder: Path, database: str, patience: float
) -> Result:
    """Ask everything and wait for the end; `patience` is in seconds after the last question."""
    rng = random.Random(load.seed)
    async with AsyncExitStack() as stack:
        slack, load_balancer = replace(FAST_RETRIES, seed=load.seed), None
        if load.over_http:
            url, load_balancer = await stack.enter_async_context(balancer(rng))
            slack = replace(slack, events_url=url, ack_seconds=3.0)
        testbed = await stack.enter_async_context(
            open_testbed(
                fork_server,
                folder,
                database=database,
                slack=slack,
                model=MODEL,
                variables={"LEASE_SECONDS": str(load.lease), **load.variables},
            )
        )
        fleet = Fleet(testbed, load.replicas, rng, load_balancer)
        await fleet.fill()
        questions = await _ask(load, fleet)
        await fleet.fill()
        await testbed.wait_over(questions, patience)
        await fleet.end()
        wrong = await testbed.complaints(questions)
        wrong += [f"a replica ended with {code}" for code in fleet.codes if code]
        calls = tuple(testbed.slack.calls)
        waits = tuple(takeover_delays(fleet.kills, testbed.bots))
        return Result(tuple(wrong), tuple(fleet.kills), tuple(fleet.codes), waits, calls, testbed)


async def _ask(load: Load, fleet: Fleet) -> list[AskedQuestion]:
    """Ask everything, and disturb meanwhile."""
    asking = asyncio.create_task(_questions(load, fleet))
    try:
        disturbed = 0
        while not asking.done() or disturbed < load.least:
            await asyncio.wait({asking}, timeout=fleet.chance.uniform(0.5, 1.5) * load.every)
            await load.disturb(fleet)
            disturbed += 1
        return await asking
    finally:
        asking.cancel()


async def _questions(load: Load, fleet: Fleet) -> list[AskedQuestion]:
    """Ask at random moments, in several channels."""
    slack, asked = fleet.testbed.slack, []
    count = 1 + load.questions // CHANNEL_QUESTIONS
    channels = [slack.workspace.create_channel(f"channel-{n}").id for n in range(count)]
    for number in range(load.questions):
        words = fleet.chance.randint(*load.words)
        asked.append(ask(slack, "mention", f"write {words} words", channels[number % count]))
        await asyncio.sleep(fleet.chance.expovariate(load.per_second))
    return asked


async def kill_one(fleet: Fleet) -> None:
    """A replica dies, and another one starts a moment later."""
    await fleet.kill()
    await asyncio.sleep(fleet.chance.uniform(0, 1.0))
    await fleet.fill()


async def restart_one(fleet: Fleet) -> None:
    """A step of a deploy."""
    await fleet.restart()
