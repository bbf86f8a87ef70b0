"""Limits how many answers are written at the same time. First come, first served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class ConcurrencyLimiter:
    """`limit` slots and a queue for them. Waiters are told their position when it changes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_use = 0
        self._queue: list[tuple[asyncio.Future[None], Callable[[int], None]]] = []

    @property
    def waiting_count(self) -> int:
        """How many wait for a slot."""
        return len(self._queue)

    @asynccontextmanager
    async def slot(self, on_position: Callable[[int], None]) -> AsyncIterator[None]:
        """Hold a slot for the block.

        While it waits, `on_position(ahead)` is called with the number of waiters ahead: at once and
        at every change. It is not called if a slot is free.
        """
        await self._acquire(on_position)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, on_position: Callable[[int], None]) -> None:
        if self.in_use < self.limit and not self._queue:
            self.in_use += 1
            return
        granted = asyncio.get_running_loop().create_future()
        entry = (granted, on_position)
        self._queue.append(entry)
        on_position(len(self._queue) - 1)
        try:
            await granted
        except asyncio.CancelledError:
            if entry in self._queue:
                self._queue.remove(entry)
                self._report_positions()
            elif granted.done() and not granted.cancelled():
                self._release()  # granted and cancelled in the same step of the loop
            raise

    def _release(self) -> None:
        while self._queue:
            granted, _ = self._queue.pop(0)
            if not granted.done():
                granted.set_result(None)
                self._report_positions()
                return
        self.in_use -= 1

    def _report_positions(self) -> None:
        for ahead, (_, on_position) in enumerate(self._queue):
            on_position(ahead)
