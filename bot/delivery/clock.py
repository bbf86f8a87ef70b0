"""The clock of delivery: that of the running event loop, so that waits and deadlines agree."""

from __future__ import annotations

import asyncio


def loop_time() -> float:
    """Return the time in seconds on the running loop's monotonic clock."""
    return asyncio.get_running_loop().time()
