"""Waits for tasks at shutdown, and interrupts those that do not end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable


async def wait_all(
    tasks: Collection[asyncio.Task[None]], grace_seconds: float, force_exit: asyncio.Event
) -> None:
    """Return when all tasks have ended, `grace_seconds` have passed or `force_exit` is set."""
    if not tasks:
        return
    forced = asyncio.create_task(force_exit.wait())
    waiting = asyncio.create_task(asyncio.wait(tasks))
    await asyncio.wait(
        {waiting, forced}, timeout=grace_seconds, return_when=asyncio.FIRST_COMPLETED
    )
    waiting.cancel()
    forced.cancel()


async def interrupt_all(tasks: Iterable[asyncio.Task[None]], timeout_seconds: float) -> None:
    """Cancel the tasks, and once more those that have not ended after `timeout_seconds`: the first
    cancellation lets an answer show that it was interrupted, the second ends it. Returns when all
    have ended."""
    for timeout in (timeout_seconds, None):
        running = [task for task in tasks if not task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=timeout)
