"""Clocks that do not jump when the system clock is set."""

from __future__ import annotations

import time
from collections.abc import Callable


def since_boot() -> float:
    """Seconds since the machine started, the same for all its processes. Time asleep counts where
    the system has CLOCK_BOOTTIME (Linux)."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def steady_wall_clock(now: Callable[[], float] = time.time) -> Callable[[], float]:
    """A clock in seconds since the epoch that begins at `now()` and then counts by `since_boot`."""
    began = now() - since_boot()
    return lambda: began + since_boot()
