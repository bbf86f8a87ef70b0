"""A loop that runs whenever something has changed or is due."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bot.delivery.clock import loop_time

log = logging.getLogger(__name__)

MIN_WAIT_SECONDS = 0.001  # no wait is shorter: a timer may fire a little early
FAILURE_PAUSE_SECONDS = 1.0  # seconds until the next run after one that raised


class WakeupLoop:
    """Runs `run_due(now)` after each `wake()`, and at the time that the last run returned.

    The task starts with the first `wake()` and ends when `should_continue()` is false; a later
    `wake()` starts it again. Times are on the event loop's clock. What `run_due` raises is logged.
    """

    def __init__(
        self, run_due: Callable[[float], float], should_continue: Callable[[], bool]
    ) -> None:
        self._run_due = run_due
        self._should_continue = should_continue
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Run soon, because something has changed."""
        self._woken.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """End the task."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._should_continue():
            self._woken.clear()
            try:
                run_again_at = self._run_due(loop_time())
            except Exception:
                log.exception("scheduling writes failed; trying again in a second")
                run_again_at = loop_time() + FAILURE_PAUSE_SECONDS
            await self._wait_until(run_again_at)

    async def _wait_until(self, deadline: float) -> None:
        """Wait for `wake` or the deadline.

        The timer is a task, so that drafts shown at the very moment of the deadline come first: the
        next run sees them. In virtual time such ties are common.
        """
        seconds = max(MIN_WAIT_SECONDS, deadline - loop_time())
        timer = asyncio.ensure_future(asyncio.sleep(seconds))
        timer.add_done_callback(self._on_timer)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()

    def _on_timer(self, timer: asyncio.Future[None]) -> None:
        if not timer.cancelled():
            self._woken.set()
