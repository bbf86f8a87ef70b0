"""How late a bot's event loop was, from its own metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

METRIC = "bot_loop_lag_seconds"


async def buckets(url: str) -> Mapping[float, float]:
    """How often the loop was at most so many seconds late, since the bot was started."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as answer:
        families = text_string_to_metric_families(await answer.text())
        samples = [sample for family in families for sample in family.samples]
    found = (sample for sample in samples if sample.name == f"{METRIC}_bucket")
    return {float(sample.labels["le"]): sample.value for sample in found}


def percentile(
    before: Mapping[float, float], after: Mapping[float, float], percent: float
) -> float:
    """The lag in seconds that was not exceeded in so many percent of the looks between both.

    Within a bucket, lags are taken to be spread evenly, as Prometheus does.
    """
    grown: Sequence[tuple[float, float]] = [(le, after[le] - before[le]) for le in sorted(after)]
    rank = percent / 100 * grown[-1][1]
    below, count_below = 0.0, 0.0
    for le, count in grown:
        if count >= rank and count > count_below:
            share = (rank - count_below) / (count - count_below)
            return le if le == float("inf") else below + (le - below) * share
        below, count_below = le, count
    return below
