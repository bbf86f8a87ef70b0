"""The three ways to show answers side by side, in virtual time: edits, Slack's streams, both.

Slack refuses here what it refuses by its own limits, those of streams included. Every second
question is asked in a direct message, where `auto` streams first.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial

from tests.unit.delivery.measure import Figures
from tests.unit.delivery.scenarios import SCENARIOS
from tests.unit.delivery.simulator import Way, bounds, figures, ours

WAYS: tuple[Way, ...] = ("edit", "native", "auto")
SHOWN = ("one of 25 s", "10 at once", "20 at once", "10 at once, long", "10 a minute")


def main() -> None:
    """Print the table."""
    write = sys.stdout.write
    write("STREAMS: the ways to show answers, in virtual time\n")
    write(f"{'':28}{Figures.HEAD}\n")
    for scenario in SCENARIOS:
        if scenario.name not in SHOWN:
            continue
        write(f"{scenario.name}\n")
        least = bounds(scenario).stale
        for way in WAYS:
            found = figures(replace(scenario, half_in_dms=True), partial(ours, way=way))
            write(f"  DELIVERY={way:17}{found.row(least)}\n")
            sys.stdout.flush()
