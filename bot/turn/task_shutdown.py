"""How tasks end: in time, or because they are made to."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable


async def wait_all(
    tasks: Collection[asyncio.Task[None]], grace_seconds: float, force_exit: asyncio.Event
) -> None:
    """Wait for the end of tasks, at most `grace_seconds` seconds and not longer than until
    `force_exit`."""
    if not tasks:
        return
    hurried = asyncio.create_task(force_exit.wait())
    waiting = asyncio.create_task(asyncio.wait(tasks))
    await asyncio.wait(
        {waiting, hurried}, timeout=grace_seconds, return_when=asyncio.FIRST_COMPLETED
    )
    waiting.cancel()
    hurried.cancel()


async def interrupt_all(tasks: Iterable[asyncio.Task[None]], timeout_seconds: float) -> None:
    """Interrupt turns, and again those that have not found their end after `timeout_seconds`
    seconds."""
    for wait in (timeout_seconds, None):
        unended = [task for task in tasks if not task.done()]
        for task in unended:
            task.cancel()
        if unended:
            await asyncio.wait(unended, timeout=wait)
