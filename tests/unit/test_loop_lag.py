"""The lag of the event loop, as its metric shows it."""

from __future__ import annotations

import asyncio

import pytest

from bot.app.loop_lag import SAMPLE_INTERVAL_SECONDS, measuring_loop_lag
from bot.observe import Metrics
from tests.support.virtual_time import now, run


def test_loop_lag_is_the_time_for_which_the_loop_was_blocked() -> None:
    metrics, blocked = Metrics(), [0.0]

    async def scenario() -> None:
        async with measuring_loop_lag(metrics, now=lambda: now() + blocked[0]):
            await asyncio.sleep(10.5 * SAMPLE_INTERVAL_SECONDS)
            blocked[0] += 0.2  # a computation of 0.2 s, in which no timer can run
            await asyncio.sleep(10 * SAMPLE_INTERVAL_SECONDS)
        assert len(asyncio.all_tasks()) == 1

    run(scenario())
    assert value(metrics, "count") == 20
    assert value(metrics, "sum") == pytest.approx(0.2)
    assert value(metrics, "bucket", le="0.1") == 19
    assert value(metrics, "bucket", le="0.25") == 20


def value(metrics: Metrics, which: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"bot_loop_lag_seconds_{which}", labels)
