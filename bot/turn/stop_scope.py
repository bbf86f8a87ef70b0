"""Stops the work on an answer early. Only the first reason to stop counts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class StopScope:
    """The part of an answer that can be stopped; create it in a running event loop.

    `stop_requested` is a future. A stop sets the reason as its exception. When the work has ended,
    it is cancelled, because nothing is left to stop.
    """

    def __init__(self) -> None:
        self.stop_requested: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self, reason: Exception) -> bool:
        """Stop the work with `reason`; False if it was stopped before or has ended."""
        if self.stop_requested.done():
            return False
        self.stop_requested.set_exception(reason)
        self.stop_requested.exception()  # marks it as retrieved, else asyncio logs it when dropped
        return True

    async def run_until_stopped(self, *steps: Coroutine[Any, Any, object]) -> None:
        """Run the steps concurrently until all have ended. Call this once.

        The first error of a step, or the reason for a stop, cancels all steps and is raised. If the
        scope was stopped before, no step is started.
        """
        if self.stop_requested.done():
            for step in steps:
                step.close()
            self.stop_requested.result()
        working = asyncio.create_task(_run_all(*steps))
        try:
            await asyncio.wait({working, self.stop_requested}, return_when=asyncio.FIRST_COMPLETED)
            (working if working.done() else self.stop_requested).result()
        finally:
            working.cancel()
            self.stop_requested.cancel()
            await asyncio.gather(working, self.stop_requested, return_exceptions=True)


async def _run_all(*steps: Coroutine[Any, Any, object]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
