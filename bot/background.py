"""Background tasks of one owner, and waiting for an event or a point in time.

asyncio keeps only a weak reference to a task: an owner has to hold it until it ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any


class BackgroundTasks:
    """Tasks that run beside their owner, each held until it ends.

    Iterating gives those that run now. A task has to handle its own errors: what it raises is
    reported by the event loop's exception handler when the task is collected.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[asyncio.Task[Any]]:
        return iter(tuple(self._tasks))

    def start(
        self, coroutine: Coroutine[Any, Any, Any], *, name: str | None = None
    ) -> asyncio.Task[Any]:
        """Run `coroutine` as a task, and hold it until it ends."""
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait for all tasks that run now, at most `timeout_seconds`; whether all have ended."""
        if not self._tasks:
            return True
        _, pending = await asyncio.wait(self, timeout=timeout_seconds)
        return not pending

    async def cancel(self) -> None:
        """Cancel all tasks, and return when they have ended. Their errors are dropped."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def wait_until(event: asyncio.Event, deadline: float | None = None) -> bool:
    """Wait for `event`, at most until the loop's clock shows `deadline`; whether it is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout_at(deadline):
            await event.wait()
    return event.is_set()
