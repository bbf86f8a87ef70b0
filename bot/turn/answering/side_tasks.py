"""Work beside an answer, and the cancellation of its task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def running_alongside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` beside the block; cancel it at the end of the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def uncancel() -> None:
    """Clear all cancellations of this task, so that it can wait again."""
    task = asyncio.current_task()
    while task and task.cancelling():
        task.uncancel()
