"""Measures how late the event loop runs what is due: everything the bot does waits as long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.background import BackgroundTasks
from bot.observe import Metrics

LOOK_SECONDS = 0.1


@asynccontextmanager
async def measuring_loop_lag(
    metrics: Metrics, *, now: Callable[[], float] = time.monotonic
) -> AsyncIterator[None]:
    """Observe the lag of the event loop while the block runs.

    `now` is not the loop's own clock, which may stand still while one of its turns lasts.
    """
    tasks = BackgroundTasks()
    tasks.start(_observe_lag(metrics.loop_lag_seconds.observe, now))
    try:
        yield
    finally:
        await tasks.cancel()


async def _observe_lag(observe: Callable[[float], None], now: Callable[[], float]) -> None:
    while True:
        due = now() + LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)
        observe(max(0.0, now() - due))
