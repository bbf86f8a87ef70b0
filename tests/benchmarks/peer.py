"""What a delta costs the whole bot, beside the bot of the usual tutorial (tutorial_bot.py).

    python -m tests.benchmarks peer

Both are processes of their own, hear over Socket Mode, and answer the same questions from the same
model; only their CPU is counted. Their runs alternate, so that a busy machine slows both alike.
The tutorial bot edits each answer every second, whatever Slack allows. Ours keeps to Slack's
limits: in one workspace ten answers share them, and in ten workspaces each has its own and is
edited as often as the tutorial bot's. Linux only.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from statistics import median
from subprocess import DEVNULL

from tests.benchmarks.cost import PATIENCE, WARM_UP, Cost, bot, by_bot, shown
from tests.benchmarks.outside import Load, Outside, outside
from tests.benchmarks.proc import peak_bytes

LIVE = 10
LENGTHS = (600, 1_200)  # words
WORKSPACES: Mapping[str, int] = {"one workspace": 1, "ten workspaces": LIVE}
ROUNDS = 2
MOST_TIMES_PEER = 0.8
MOST_PEAK_BYTES = 90_000_000

write = sys.stdout.write


@asynccontextmanager
async def tutorial_bot(world: Outside) -> AsyncIterator[int]:
    """The tutorial bot in its own process, warmed up; gives its pid."""
    talks_to = {
        "SLACK_API_URL": f"{world.url}/api/",
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_APP_TOKEN": "xapp-bench",
        "UPSTREAM_BASE_URL": world.model,
    }
    command = (sys.executable, "-m", "tests.benchmarks.tutorial_bot")
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | talks_to, stdout=DEVNULL
    )
    try:
        await world.until(lambda state: state.connected, PATIENCE)
        await world.ask(WARM_UP)
        await shown(WARM_UP, world)
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def compare(words: int, ours: tuple[int, Outside], peer: tuple[int, Outside]) -> None:
    """Print what answers of that length cost both."""
    costs: dict[str, list[Cost]] = {name: [] for name in WORKSPACES}
    peers: list[Cost] = []
    for _ in range(ROUNDS):
        for name, workspaces in WORKSPACES.items():
            load = Load(LIVE, workspaces, words)
            costs[name].append(await by_bot(ours[0], load, ours[1]))
            peers.append(await by_bot(peer[0], load, peer[1]))
    the_peers = median(cost.each for cost in peers)
    write(f"  {LIVE} answers of {words:,} words, {peers[0].load.words_per_second:.0f} a second\n")
    _row("tutorial bot", peers)
    for name, its in costs.items():
        times = median(cost.each for cost in its) / the_peers
        _row(f"ours, {name}", its, f"{times:8.2f} times the tutorial bot's")
        _goal(f"at most {MOST_TIMES_PEER} times", times <= MOST_TIMES_PEER)


def _row(name: str, costs: list[Cost], beside: str = "") -> None:
    each = ", ".join(f"{cost.each:.0f}" for cost in costs)
    load = costs[0].load
    writes = costs[0].state.writes * load.words_per_second / load.words
    write(f"    {name:22}{median(cost.each for cost in costs):6.0f} µs a delta ({each})")
    write(f"{writes:6.1f} writes a second{beside}\n")
    sys.stdout.flush()


def _goal(goal: str, met: bool) -> None:
    write(f"      {goal}: {'yes' if met else 'no'}\n")


async def run() -> None:
    """Print all figures."""
    async with (
        outside() as our_world,
        outside() as their_world,
        bot(our_world) as ours,
        tutorial_bot(their_world) as peer,
    ):
        for words in LENGTHS:
            await compare(words, (ours.pid, our_world), (peer, their_world))
        peak, theirs = peak_bytes(ours.pid), peak_bytes(peer)
    write(f"  most memory with {LIVE} live answers (RSS): {peak / 1e6:.0f} MB; ")
    write(f"the tutorial bot {theirs / 1e6:.0f} MB\n")
    _goal(f"at most {MOST_PEAK_BYTES / 1e6:.0f} MB", peak <= MOST_PEAK_BYTES)


def main() -> None:
    """Start everything and measure."""
    write("PEER: the bot's own process beside the tutorial bot's; CPU of all that each does\n")
    asyncio.run(run())


if __name__ == "__main__":
    main()
