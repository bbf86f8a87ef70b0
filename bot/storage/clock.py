"""The clock that all processes of one machine have in common, and that nobody sets."""

from __future__ import annotations

import time


def since_boot() -> float:
    """Seconds that also pass while the machine sleeps, where it can tell them."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)
