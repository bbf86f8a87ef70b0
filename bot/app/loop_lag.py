"""Measures the lag of the event loop: how much later than planned a timer runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.background import BackgroundTasks
from bot.observe import Metrics

SAMPLE_INTERVAL_SECONDS = 0.1


@asynccontextmanager
async def measuring_loop_lag(
    metrics: Metrics, *, now: Callable[[], float] = time.monotonic
) -> AsyncIterator[None]:
    """Observe the lag of the event loop while the block runs.

    `now` must not be the loop's own clock: uvloop's stands still during an iteration.
    """
    tasks = BackgroundTasks()
    tasks.start(_observe_lag(metrics.loop_lag_seconds.observe, now))
    try:
        yield
    finally:
        await tasks.cancel()


async def _observe_lag(observe: Callable[[float], None], now: Callable[[], float]) -> None:
    while True:
        due = now() + SAMPLE_INTERVAL_SECONDS
        await asyncio.sleep(SAMPLE_INTERVAL_SECONDS)
        observe(max(0.0, now() - due))
