"""`python -m tests.chaos.replicas`: many questions, and several replicas that are killed.

Prints what is wrong and the numbers; the exit code is 1 if anything is wrong.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from tests.chaos.crash.bots import open_fork_server
from tests.chaos.crash.databases import POSTGRESQL, serving
from tests.chaos.crash.timeline import limits_met
from tests.chaos.replicas.load import Load, Result, kill_one, restart_one, run_load
from tests.unit.playground.live import ApiCall

PATIENCE = 400.0


@click.command()
@click.option("--replicas", default=4)
@click.option("--questions", default=200)
@click.option("--per-second", default=1.5, help="Questions a second.")
@click.option("--every", default=6.0, help="Seconds between two kills, on average.")
@click.option("--lease", default=3.0, help="LEASE_SECONDS of the replicas.")
@click.option("--over", type=click.Choice(["http", "socket"]), default="http")
@click.option("--deploy", is_flag=True, help="Restart the replicas in turn, and kill none.")
@click.option("--seed", default=1)
@click.option("--timelines", type=click.Path(path_type=Path), help="What went wrong, line by line.")
def main(
    replicas: int,
    questions: int,
    per_second: float,
    every: float,
    lease: float,
    over: str,
    deploy: bool,
    seed: int,
    timelines: Path | None,
) -> None:
    """Ask, kill, and count what is lost."""
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # clients do go away
    load = Load(
        questions,
        per_second,
        restart_one if deploy else kill_one,
        every,
        replicas=replicas,
        lease=lease,
        over_http=over == "http",
        seed=seed,
    )
    result = asyncio.run(_carry(load))
    if timelines:
        limits = limits_met(result.calls, result.testbed.bots)
        timelines.write_text("\n".join([*result.testbed.timelines, "", *limits]))
    for line in (*result.wrong, *report(result, lease)):
        click.echo(line)
    sys.exit(bool(result.wrong))


async def _carry(load: Load) -> Result:
    with serving([POSTGRESQL]) as empty:
        async with open_fork_server() as fork_server, empty(POSTGRESQL) as database:
            with tempfile.TemporaryDirectory(prefix="replicas-") as folder:
                return await run_load(load, fork_server, Path(folder), database, PATIENCE)


def report(result: Result, lease: float) -> list[str]:
    """The numbers, a line each."""
    wrong = Counter(sentence.partition(":")[0] for sentence in result.wrong)
    calls = Counter(call.method for call in result.calls)
    waits = result.takeover_delays
    return [
        f"wrong: {dict(wrong) or 'nothing'}",
        f"kills: {len(result.kills)}, of {sum(len(kill.turns) for kill in result.kills)} answers",
        f"exit codes: {Counter(result.codes)}",
        f"calls: {dict(calls)}",
        f"most in any minute: { ({name: _most(result.calls, name) for name in calls}) }",
        f"429: {dict(Counter(call.method for call in result.calls if call.status == 429))}",
        f"taken over after a kill, in leases: p50 {_part(waits, 0.5) / lease:.2f}, "
        f"p99 {_part(waits, 0.99) / lease:.2f}, of {len(waits)}",
    ]


def _most(calls: Sequence[ApiCall], method: str) -> int:
    """How many calls of a method Slack took in the busiest minute."""
    times = sorted(call.at for call in calls if call.method == method and call.status != 429)
    return max((n - bisect_left(times, at - 60) for n, at in enumerate(times, 1)), default=0)


def _part(values: Sequence[float], part: float) -> float:
    return values[min(len(values) - 1, int(part * len(values)))] if values else 0.0


if __name__ == "__main__":
    main()
