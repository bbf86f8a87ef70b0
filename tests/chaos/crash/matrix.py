"""A crash at each point of a turn in turn: which points there are, and how the cases are played."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.case import LENGTHS, Case, run
from tests.chaos.crash.concurrency import run_with_databases
from tests.chaos.crash.databases import Databases
from tests.chaos.crash.outcome import Outcome
from tests.chaos.crash.questions import SURFACES

OFTEN = ("upstream:chunk", "socket:")
"""Points so frequent that only some of them are tried."""
SOME = (1, 2, 3, 10, 40, 150, 300)


def select_points(passed: Sequence[str]) -> list[str]:
    """The points worth a crash: all, but of the frequent ones some, and the last."""
    last = {name: int(count) for name, count in map(_split, passed)}
    found = []
    for point in dict.fromkeys(passed):
        name, count = _split(point)
        if not name.startswith(OFTEN) or int(count) in SOME:
            found.append(point)
    return found + [f"{name}#{n}" for name, n in last.items() if f"{name}#{n}" not in found]


def every_kind(database: str) -> list[Case]:
    """A turn of each kind, without a crash."""
    return [
        Case((), surface, length, resumable, database)
        for surface in SURFACES
        for length in LENGTHS
        for resumable in (True, False)
    ]


def essential(point: str) -> bool:
    """Whether a crash here differs from one at the point before: what a statement does is undone
    with its transaction, so that of these only the commits count."""
    return not point.startswith("db:") or point.startswith("db:commit")


def crash_cases(recorded: Outcome[Case]) -> list[Case]:
    """The case once more for each point its last bot passed, where that one dies as well."""
    assert not recorded.wrong, recorded
    case = recorded.plan
    points = select_points(recorded.bots[-1].passed)
    return [replace(case, crashes=(*case.crashes, point)) for point in points]


async def run_cases(
    cases: Iterable[Case], fork_server: ForkServer, databases: Databases, *, at_once: int
) -> AsyncIterator[Outcome[Case]]:
    """Outcomes as they come, `at_once` cases under way."""

    async def run_one(case: Case, folder: Path, database: str) -> Outcome[Case]:
        return await run(case, fork_server, folder, database)

    async for outcome in run_with_databases(cases, databases, run_one, at_once=at_once):
        yield outcome


def _split(point: str) -> tuple[str, str]:
    name, _, count = point.rpartition("#")
    return name, count
