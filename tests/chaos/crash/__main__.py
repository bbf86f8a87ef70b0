"""`python -m tests.chaos.crash`: every point of every kind of turn, then random instants.

Prints each failure as it happens, and the numbers now and then and at the end; the exit code is 1
if anything was lost, doubled, cut or left open.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import click

from tests.chaos.crash.bots import ForkServer, open_fork_server
from tests.chaos.crash.case import Case
from tests.chaos.crash.databases import KINDS, Databases, serving
from tests.chaos.crash.matrix import crash_cases, every_kind, run_cases
from tests.chaos.crash.outcome import Outcome
from tests.chaos.crash.random_crashes import random_plan, run_plans
from tests.chaos.crash.tally import Tally

FIRST = ((), ("upstream:chunk#10",))
"""The crashes that come before the one at each point: none, or one."""


@click.command()
@click.option("--database", "kinds", multiple=True, default=KINDS)
@click.option("--points/--no-points", default=True, help="A crash at every point of a turn.")
@click.option("--seeds", default=200, help="How many plans of random crashes.")
@click.option("--first-seed", default=0)
@click.option("--at-once", default=4, help="Cases under way at the same time.")
@click.option("--logs", type=click.Path(path_type=Path), help="Where to put what failed bots said.")
def main(
    kinds: tuple[str, ...],
    points: bool,
    seeds: int,
    first_seed: int,
    at_once: int,
    logs: Path | None,
) -> None:
    """Kill bots and count what is lost."""
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # clients do go away
    tally = Tally(click.echo, logs)
    asyncio.run(_count(tally, kinds, points, range(first_seed, first_seed + seeds), at_once))
    tally.summary()
    sys.exit(not tally.is_clean)


async def _count(
    tally: Tally, kinds: tuple[str, ...], points: bool, seeds: range, at_once: int
) -> None:
    with serving(kinds) as empty:
        async with open_fork_server() as fork_server:
            for kind in kinds if points else ():
                async for outcome in _points(kind, fork_server, empty, at_once):
                    tally.count_outcome(outcome, f"{kind}, at a point")
            plans = (random_plan(seed, kinds[seed % len(kinds)]) for seed in seeds)
            async for ended in run_plans(plans, fork_server, empty, at_once=at_once):
                plan = ended.plan
                tally.count_outcome(ended, f"{plan.database}, at an instant", len(plan.questions))


async def _points(
    kind: str, fork_server: ForkServer, empty: Databases, at_once: int
) -> AsyncIterator[Outcome[Case]]:
    for case in every_kind(kind):
        for first in FIRST:
            planned = replace(case, crashes=first)
            [recorded] = [
                outcome async for outcome in run_cases([planned], fork_server, empty, at_once=1)
            ]
            yield recorded
            if not recorded.wrong:
                async for outcome in run_cases(
                    crash_cases(recorded), fork_server, empty, at_once=at_once
                ):
                    yield outcome


if __name__ == "__main__":
    main()
