"""The simulator's table in docs/measured.md: written by `python -m tests.benchmarks.measured`.

Its time is virtual, so it is the same on every machine. All scenarios take minutes of CPU; the
tests play only the two shortest of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor

from tests.support.docs import between
from tests.support.project import ROOT
from tests.unit.delivery.measure import Figures
from tests.unit.delivery.scenarios import SCENARIOS, Scenario
from tests.unit.delivery.simulator import POLICIES, bounds, figures

DOCUMENT = ROOT / "docs" / "measured.md"
BEGIN, END = (
    "<!-- simulator: written by `python -m tests.benchmarks.measured` -->",
    "<!-- end of simulator -->",
)
HEAD = (
    "| questions | age of what is not shown | times the least "
    "| reader waits | least | who skims | last word | 429s |\n"
    "|---|---|---|---|---|---|---|---|"
)


def row(scenario: Scenario) -> str:
    """One line of the table: our figures, and the best of the other policies in each."""
    ours, auto, *others = (figures(scenario, policy) for policy in POLICIES.values())
    least = bounds(scenario)

    def both(figure: Callable[[Figures], float]) -> str:
        return f"{_seconds(figure(ours))} · {least_of(figure)}"

    def least_of(figure: Callable[[Figures], float]) -> str:
        return _seconds(min(map(figure, others)))

    cells = (
        scenario.name,
        both(lambda f: f.stale),
        f"{ours.stale / least.stale:.2f}",
        f"{_seconds(ours.stall)} · {_seconds(auto.stall)} · {least_of(lambda f: f.stall)}",
        _seconds(least.wait),
        both(lambda f: f.stall_at_60),
        both(lambda f: f.worst_final),
        f"{ours.limited} · {min(f.limited for f in others)}",
    )
    return f"| {' | '.join(cells)} |"


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def written(rows: Iterable[str]) -> str:
    """The document with these rows as its table."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return between(text, BEGIN, "\n".join([HEAD, *rows]), END)


if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        DOCUMENT.write_text(written(pool.map(row, SCENARIOS)), encoding="utf-8")
