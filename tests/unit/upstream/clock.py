"""Clocks for tests: one jumps to the next timer, one is moved by the test."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

# Iterations of the event loop after which no task has anything left to do.
QUIET_TURNS = 3


class Clock:
    """Virtual time that jumps to the next timer as soon as nothing else happens.

    For tests without real I/O only: bytes under way on a socket are invisible to it.
    """

    def __init__(self) -> None:
        self.time = 1000.0
        self._timers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._pending = False

    def now(self) -> float:
        """Return the seconds of this clock."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has come that far."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        heapq.heappush(self._timers, (self.time + seconds, next(self._order), future))
        if not self._pending:
            self._pending = True
            loop.call_soon(self._turn, QUIET_TURNS)
        await future

    def _turn(self, left: int) -> None:
        loop = asyncio.get_running_loop()
        while self._timers and self._timers[0][2].done():
            heapq.heappop(self._timers)
        if not self._timers:
            self._pending = False
        elif left:
            loop.call_soon(self._turn, left - 1)
        else:
            self.time, _, future = heapq.heappop(self._timers)
            future.set_result(None)
            loop.call_soon(self._turn, QUIET_TURNS)


class ManualClock:
    """Virtual time beside real sockets: short sleeps end at once, long ones with `pass_time`."""

    def __init__(self, long: float = 60.0) -> None:
        self.time = 1000.0
        self._long = long
        self._changed = asyncio.Event()

    def now(self) -> float:
        """Return the seconds of this clock."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Return at once after a short sleep; after a long one when `pass_time` reaches it."""
        end = self.time + seconds
        if seconds < self._long:
            self.time = end
            await asyncio.sleep(0)
        while self.time < end:
            await self._changed.wait()

    def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        self.time += seconds
        self._changed.set()
        self._changed = asyncio.Event()
