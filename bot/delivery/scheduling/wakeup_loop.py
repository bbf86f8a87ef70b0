"""A loop that looks at everything afresh whenever something has changed, or its time has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

MOMENT = 0.001  # seconds; no wait is shorter, because clocks round


class Loop:
    """Calls `look(now)`, which begins what is due and says when to be called again, as long as
    `goes_on()`."""

    def __init__(
        self,
        look: Callable[[float], float],
        goes_on: Callable[[], bool],
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._look = look
        self._goes_on = goes_on
        self._now = now
        self._sleep = sleep
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something has changed."""
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._goes_on():
            self._changed.clear()
            try:
                again = self._look(self._now())
            except Exception:
                log.exception("a turn of the loop failed; the next one may not")
                again = self._now() + 1
            await self._pause(again)

    async def _pause(self, until: float) -> None:
        timer = asyncio.ensure_future(self._sleep(max(MOMENT, until - self._now())))
        timer.add_done_callback(self._time_is_up)
        try:
            await self._changed.wait()
        finally:
            timer.cancel()

    def _time_is_up(self, timer: asyncio.Future[None]) -> None:
        if not timer.cancelled():
            self._changed.set()
