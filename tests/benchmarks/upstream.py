"""What an event costs on its way through `bot.upstream`, beside those who do less or more.

    python -m tests.benchmarks.upstream

A server in another process sends over a loopback socket as fast as it is read, so there is hardly
any waiting, whose cost all would share and which would flatter the ratios. Only this process's
CPU is counted. Rounds are interleaved, and ratios taken within a round, so that a busy machine
slows all alike.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from contextlib import aclosing
from statistics import median

from bot.upstream.client import Upstream, open_http
from bot.upstream.config import UpstreamConfig
from bot.upstream.events import ApiFormat, TextDelta
from tests.benchmarks.figures import ratios, rounds, spread
from tests.benchmarks.readers import MODEL, OURS, PROMPT, RAW, SDK, readers
from tests.benchmarks.server import serving
from tests.benchmarks.stream import mean_size, text

FORMATS: tuple[ApiFormat, ...] = ("responses", "chat")
EVENTS = 2_000
ROUNDS = 15
LENGTHS = {1_000: 15, 10_000: 3, 100_000: 3}  # events: rounds
LONG = 100_000
MOST_TIMES_RAW = 1.6
LEAST_TIMES_CHEAPER = 5.0

write = sys.stdout.write


def row(name: str, *cells: str) -> None:
    """Print a line of a table."""
    write(f"  {name:22}{''.join(f'{cell:>26}' for cell in cells)}\n")


async def compare(url: str, api: ApiFormat) -> None:
    """Print what every way costs, and whether the goals are met."""
    write(f"\n{api}: {EVENTS:,} text events of {mean_size(api, EVENTS):.0f} bytes, an HTTP chunk ")
    write(f"and a write each; medians of {ROUNDS} rounds (the middle half)\n")
    row("", "µs an event", "times raw bytes", "times ours")
    async with readers(f"{url}/{EVENTS}", api) as ways:
        costs = await rounds(ways, text(EVENTS), EVENTS, ROUNDS)
    for name, its in costs.items():
        row(name, *map(spread, (its, ratios(its, costs[RAW]), ratios(its, costs[OURS]))))
    dearer = median(ratios(costs[OURS], costs[RAW]))
    cheaper = median(ratios(costs[SDK], costs[OURS]))
    _goal(f"ours at most {MOST_TIMES_RAW} times raw bytes", dearer <= MOST_TIMES_RAW)
    _goal(f"the SDK at least {LEAST_TIMES_CHEAPER} times ours", cheaper >= LEAST_TIMES_CHEAPER)


def _goal(goal: str, met: bool) -> None:
    write(f"  {goal}: {'yes' if met else 'no'}\n")


async def lengths(url: str) -> None:
    """Print what an event costs in short and in long answers."""
    write("\ncost by length: µs an event (times raw bytes), with what the request costs\n")
    row("", *(f"{count:,} events" for count in LENGTHS))
    for api in FORMATS:
        cells = [await _of_length(url, api, count, times) for count, times in LENGTHS.items()]
        row(f"{OURS}, {api}", *cells)


async def _of_length(url: str, api: ApiFormat, count: int, times: int) -> str:
    async with readers(f"{url}/{count}", api) as ways:
        two = {name: ways[name] for name in (RAW, OURS)}
        costs = await rounds(two, text(count), count, times)
    beside = median(ratios(costs[OURS], costs[RAW]))
    return f"{median(costs[OURS]):.2f} ({beside:.2f})"


async def memory(url: str) -> None:
    """Print what is held more at the end of a long answer than after a tenth of it."""
    first = LONG // 10
    of_text = sys.getsizeof(text(LONG)[len(text(first)) :])
    write(f"\nmemory: what Python holds more at text event {LONG:,} than at {first:,}\n")
    row("", "KiB in all", "the text's KiB", "bytes an event beyond it")
    for api in FORMATS:
        more = await _growth(f"{url}/{LONG}", api, first)
        beyond = (more - of_text) / (LONG - first)
        row(f"{OURS}, {api}", f"{more / 1024:.0f}", f"{of_text / 1024:.0f}", f"{beyond:.2f}")


async def _growth(base_url: str, api: ApiFormat, first: int) -> int:
    """Return how many bytes more are held at the last text event than at the first that counts."""
    config = UpstreamConfig(base_url, "key", MODEL, api=api)
    held = {first: 0, LONG: 0}
    deltas = 0
    gc.collect()
    tracemalloc.start()
    async with open_http(config) as http, aclosing(Upstream(config, http).answer(PROMPT)) as events:
        async for event in events:
            deltas += isinstance(event, TextDelta)
            if isinstance(event, TextDelta) and deltas in held:
                held[deltas] = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held[LONG] - held[first]


async def measure(url: str) -> None:
    """Print all tables."""
    for api in FORMATS:
        await compare(url, api)
    await lengths(url)
    await memory(url)


def main() -> None:
    """Start the server and measure."""
    write("UPSTREAM: CPU of the process that reads; the server has its own\n")
    with serving() as url:
        asyncio.run(measure(url))


if __name__ == "__main__":
    main()
