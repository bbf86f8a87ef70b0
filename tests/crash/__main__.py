"""`python -m tests.crash`: every point of every kind of turn, then crashes at random instants.

Prints each failure as it happens and the numbers at the end; the exit code is 1 if anything was
lost, doubled, cut or left open.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import click

from tests.crash.bots import Nursery, nursery
from tests.crash.case import Outcome
from tests.crash.databases import KINDS, Databases, serving
from tests.crash.instants import Landed, land_all, wave
from tests.crash.matrix import crashes, every_kind, play

FIRST = ((), ("upstream:chunk#10",))
"""The crashes that come before the one at each point: none, or one."""


@click.command()
@click.option("--database", "kinds", multiple=True, default=KINDS)
@click.option("--points/--no-points", default=True, help="A crash at every point of a turn.")
@click.option("--seeds", default=200, help="So many waves of crashes at random instants.")
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
    count = asyncio.run(_count(kinds, points, range(first_seed, first_seed + seeds), at_once, logs))
    for name, number in sorted(count.items()):
        click.echo(f"{number:6} {name}")
    sys.exit(any("wrong" in name for name in count))


async def _count(
    kinds: tuple[str, ...], points: bool, seeds: range, at_once: int, logs: Path | None
) -> Counter[str]:
    count: Counter[str] = Counter()
    with serving(kinds) as empty:
        async with nursery() as bots:
            for kind in kinds if points else ():
                async for outcome in _points(kind, bots, empty, at_once):
                    _note(outcome, f"{kind}, at a point", 1, count, logs)
            plans = (wave(seed, kinds[seed % len(kinds)]) for seed in seeds)
            async for landed in land_all(plans, bots, empty, at_once=at_once):
                plan = landed.wave
                what = f"{plan.database}, at an instant"
                _note(landed, what, len(plan.questions), count, logs)
    return count


async def _points(
    kind: str, bots: Nursery, empty: Databases, at_once: int
) -> AsyncIterator[Outcome]:
    for case in every_kind(kind):
        for first in FIRST:
            planned = replace(case, crashes=first)
            [recorded] = [outcome async for outcome in play([planned], bots, empty, at_once=1)]
            yield recorded
            if not recorded.wrong:
                async for outcome in play(crashes(recorded), bots, empty, at_once=at_once):
                    yield outcome


def _note(
    ended: Outcome | Landed, what: str, questions: int, count: Counter[str], logs: Path | None
) -> None:
    count[f"{what}: crashes"] += ended.died
    count[f"{what}: questions"] += questions
    if not ended.wrong:
        return
    for sentence in ended.wrong:
        count[f"{what}: wrong: {sentence.partition(':')[0]}"] += 1
    click.echo(f"{ended}")
    if logs:
        lines = (json.dumps(line) for bot in ended.bots for line in [*bot.log, bot.passed[-1:]])
        name = f"{count.total()}.log"
        logs.mkdir(exist_ok=True, parents=True)
        (logs / name).write_text("\n".join([str(ended), *ended.stories, "", *lines]))
        click.echo(f"    {logs / name}")


if __name__ == "__main__":
    main()
