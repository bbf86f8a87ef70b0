"""How tasks end: in time, or because they are made to."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable


async def ended(tasks: Collection[asyncio.Task[None]], grace: float, hurry: asyncio.Event) -> None:
    """Wait for the end of tasks, at most `grace` seconds and not longer than until `hurry`."""
    if not tasks:
        return
    hurried = asyncio.create_task(hurry.wait())
    waiting = asyncio.create_task(asyncio.wait(tasks))
    await asyncio.wait({waiting, hurried}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    hurried.cancel()


async def interrupt(tasks: Iterable[asyncio.Task[None]], patience: float) -> None:
    """Interrupt turns, and again those that have not found their end after `patience` seconds."""
    for wait in (patience, None):
        unended = [task for task in tasks if not task.done()]
        for task in unended:
            task.cancel()
        if unended:
            await asyncio.wait(unended, timeout=wait)
