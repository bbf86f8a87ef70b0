"""What a load costs a process: the bot's own, or one that does the least a bot could do."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGTERM
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryDirectory

from tests.benchmarks.outside import LOOK_SECONDS, Load, Outside, State
from tests.benchmarks.proc import cpu_seconds, memory_bytes
from tests.benchmarks.stream import text
from tests.e2e.bot.running import environment, start

WARM_UP = Load(1, 1, 400, 400.0)
PATIENCE = 120.0  # seconds until something must have happened
LOOKS = 1_000  # of LOOK_SECONDS, until answers that seemed to have ended have


@dataclass(frozen=True, slots=True)
class Cost:
    """What a load cost.

    `seconds` of CPU in all; `share` of a core while all answers are written; `memory` is bytes an
    answer shortly before its end, more than before the questions.
    """

    load: Load
    state: State
    seconds: float
    share: float
    memory: int

    @property
    def each(self) -> float:
        """CPU a delta, in µs."""
        return self.seconds / self.load.deltas * 1e6

    @property
    def beyond_text(self) -> int:
        """Bytes of memory for each answer, without its text."""
        return self.memory - len(text(self.load.words))


@dataclass(frozen=True, slots=True)
class Running:
    """A bot's process, and where its health and metrics are."""

    pid: int
    url: str


@asynccontextmanager
async def bot(world: Outside, **variables: str) -> AsyncIterator[Running]:
    """`bot run` in its own process, warmed up; its database exists, as after any restart."""
    with TemporaryDirectory() as folder:
        ours = {
            "SLACK_API_URL": f"{world.url}/api/",
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "SLACK_APP_TOKEN": "xapp-bench",
            "UPSTREAM_BASE_URL": world.model,
            "UPSTREAM_API": "responses",
            "MAX_LIVE_ANSWERS": "1000",
        }
        env = environment(Path(folder), **ours, **world.env, **variables)
        await _migrate(env, folder)
        running = await start(env, Path(folder))
        try:
            await running.said("ready")
            port = (await running.said("listening"))["port"]
            await world.until(lambda state: state.connected, PATIENCE)
            await world.ask(WARM_UP)
            await shown(WARM_UP, world)
            yield Running(running.process.pid, f"http://127.0.0.1:{port}")
        finally:
            await running.end(SIGTERM)


async def _migrate(env: Mapping[str, str], folder: str) -> None:
    command = (sys.executable, "-m", "bot", "migrate")
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, env=env, stdout=DEVNULL)
    if await process.wait():
        raise ValueError("the database could not be made")


async def shown(load: Load, world: Outside) -> State:
    """Wait until all answers stand whole; raises ValueError if one never does."""
    state = await world.until(
        lambda state: state.deltas >= load.deltas and state.ended >= load.live, PATIENCE
    )
    for _ in range(LOOKS):  # between two messages of an answer none may say that more comes
        if (whole := await world.whole()) >= load.live:
            return state
        await asyncio.sleep(LOOK_SECONDS)
    raise ValueError(f"only {whole} of {load.live} answers stand as they were written")


async def by_bot(pid: int, load: Load, world: Outside) -> Cost:
    """What a load costs a bot."""
    return await _measure(pid, load, world, lambda: world.ask(load), lambda: shown(load, world))


async def by_raw(bots: Cost, world: Outside) -> Cost:
    """What the same streams and as many writes of the same size cost raw.py."""
    load, state = bots.load, bots.state
    rate = state.writes * load.words_per_second / load.words
    given = (world.model, world.url, load.live, rate, state.weight // state.writes)
    command = (sys.executable, "-m", "tests.benchmarks.raw", *map(str, given))
    await world.ask(replace(WARM_UP, workspaces=0))
    env = {**os.environ, **world.env}
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=env)
    assert process.stdin is not None
    assert process.stdout is not None
    told, said = process.stdin, process.stdout

    async def begin() -> None:
        await world.ask(replace(load, workspaces=0))
        told.write(b"go\n")

    async def done() -> State:
        await said.readline()
        return await world.state()

    try:
        await said.readline()
        return await _measure(process.pid, load, world, begin, done)
    finally:
        told.close()
        await process.wait()


async def stretches(pid: int, load: Load, world: Outside, words: int) -> tuple[float, float]:
    """What a delta costs the bot, in µs, in the first so many words of answers and in the last."""
    part = words / load.words
    await world.ask(load)
    marks = [(await _passed(pid, load, world, at))[1] for at in (0.0, part, 1 - part, 1.0)]
    await shown(load, world)
    scale = 1e6 / (words * load.live)
    return (marks[1] - marks[0]) * scale, (marks[3] - marks[2]) * scale


async def _measure(
    pid: int,
    load: Load,
    world: Outside,
    begin: Callable[[], Awaitable[None]],
    over: Callable[[], Awaitable[State]],
) -> Cost:
    memory, seconds = memory_bytes(pid), cpu_seconds(pid)
    await begin()
    first = await _passed(pid, load, world, 0.2)
    last = await _passed(pid, load, world, 0.9)
    more = memory_bytes(pid) - memory
    state = await over()
    share = (last[1] - first[1]) / (last[0] - first[0])
    return Cost(load, state, cpu_seconds(pid) - seconds, share, more // load.live)


async def _passed(pid: int, load: Load, world: Outside, part: float) -> tuple[float, float]:
    """Wait until such a part of everything was sent; gives the time and the CPU used by then."""
    await world.until(lambda state: state.deltas >= part * load.deltas, PATIENCE)
    return time.monotonic(), cpu_seconds(pid)
