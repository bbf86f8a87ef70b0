"""A loop that looks at everything afresh whenever something has changed, or its time has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

MIN_WAIT_SECONDS = 0.001  # seconds; no wait is shorter, because clocks round


class WakeupLoop:
    """Calls `run_due(now)`, which begins what is due and says when to be called again, as long as
    `should_continue()`."""

    def __init__(
        self,
        run_due: Callable[[float], float],
        should_continue: Callable[[], bool],
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._run_due = run_due
        self._should_continue = should_continue
        self._now = now
        self._sleep = sleep
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something has changed."""
        self._woken.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._should_continue():
            self._woken.clear()
            try:
                again = self._run_due(self._now())
            except Exception:
                log.exception("a turn of the loop failed; the next one may not")
                again = self._now() + 1
            await self._wait_until(again)

    async def _wait_until(self, until: float) -> None:
        timer = asyncio.ensure_future(self._sleep(max(MIN_WAIT_SECONDS, until - self._now())))
        timer.add_done_callback(self._on_timer)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()

    def _on_timer(self, timer: asyncio.Future[None]) -> None:
        if not timer.cancelled():
            self._woken.set()
