"""Chooses the event loop of the process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop, which takes less CPU, where it is installed; else None, for asyncio's own loop."""
    try:
        import uvloop  # not on every system
    except ImportError:
        return None
    return uvloop.new_event_loop
