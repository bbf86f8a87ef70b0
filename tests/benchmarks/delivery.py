"""The delivery simulator's table, its scenarios spread over the cores: its time is virtual."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from itertools import takewhile

from tests.unit.delivery import simulator
from tests.unit.delivery.scenarios import SCENARIOS


def main(names: Sequence[str] = ()) -> None:
    """Print the table of these scenarios, or of all, in their order."""
    sys.stdout.write("DELIVERY: many answers, one Slack, in virtual time\n")
    chosen = [s.name for s in SCENARIOS if not names or s.name in names]
    first: Sequence[str] = ()
    with ProcessPoolExecutor() as pool:
        for table in pool.map(_table, chosen):
            sys.stdout.writelines(_without_heading(table, first))
            sys.stdout.flush()
            first = first or table


def _table(name: str) -> Sequence[str]:
    """The lines that the simulator prints of one scenario."""
    with redirect_stdout(StringIO()) as printed:
        simulator.main([name])
    return printed.getvalue().splitlines(keepends=True)


def _without_heading(table: Sequence[str], first: Sequence[str]) -> Sequence[str]:
    """Leave out the lines with which the first table began as well."""
    heading = takewhile(lambda pair: pair[0] == pair[1], zip(table, first, strict=False))
    return table[len(list(heading)) :]
