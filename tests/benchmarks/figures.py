"""CPU measured in rounds, and what is read from it."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from statistics import median, quantiles

from tests.benchmarks.readers import Read


async def rounds(
    ways: Mapping[str, Read], text: str, events: int, times: int
) -> dict[str, list[float]]:
    """CPU in µs an event, of each way in each round; raises `ValueError` if one misreads."""
    costs: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(times):
        for name, read in ways.items():
            gc.collect()
            before = time.process_time()
            got = await read()
            costs[name].append((time.process_time() - before) / events * 1e6)
            if got not in {None, text}:
                raise ValueError(f"{name} misread the stream")
        gc.freeze()  # what stays, the SDK's modules above all, is not collected again and again
    return costs


def ratios(costs: Sequence[float], others: Sequence[float]) -> list[float]:
    """How many times the other's each cost is, round by round."""
    return [cost / other for cost, other in zip(costs, others, strict=True)]


def spread(values: Sequence[float]) -> str:
    """The median, and between which values the middle half lies; 26 characters."""
    low, _, high = quantiles(values, n=4)
    return f"{median(values):7.2f} {f'({low:.2f} to {high:.2f})':>18}"
