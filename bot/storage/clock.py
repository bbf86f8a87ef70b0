"""Clocks that nobody sets."""

from __future__ import annotations

import time
from collections.abc import Callable


def since_boot() -> float:
    """Seconds of the clock that all processes of one machine have in common; they also pass while
    the machine sleeps, where it can tell them."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def steady_wall_clock(now: Callable[[], float] = time.time) -> Callable[[], float]:
    """A clock that starts at the time of day and then only goes on: who sets the machine's clock
    does not set this one. In seconds since the epoch."""
    began = now() - since_boot()
    return lambda: began + since_boot()
