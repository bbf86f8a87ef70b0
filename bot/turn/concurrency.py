"""How many answers may be written at once, and who is next. First come, first served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class ConcurrencyLimiter:
    """`limit` seats and a queue before them; everyone in it is told when it moves."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_use = 0
        self._queue: list[tuple[asyncio.Future[None], Callable[[int], None]]] = []

    @property
    def waiting_count(self) -> int:
        """How many wait for a seat."""
        return len(self._queue)

    @asynccontextmanager
    async def slot(self, on_position: Callable[[int], None]) -> AsyncIterator[None]:
        """Hold a seat; until there is one, `on_position(before)` is called at once and on every
        change.

        It is not called when a seat is free.
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
        seat = asyncio.get_running_loop().create_future()
        entry = (seat, on_position)
        self._queue.append(entry)
        on_position(len(self._queue) - 1)
        try:
            await seat
        except asyncio.CancelledError:
            if entry in self._queue:
                self._queue.remove(entry)
                self._report_positions()
            elif seat.done() and not seat.cancelled():
                self._release()  # the seat was handed over in the very moment we were cancelled
            raise

    def _release(self) -> None:
        while self._queue:
            seat, _ = self._queue.pop(0)
            if not seat.done():
                seat.set_result(None)
                self._report_positions()
                return
        self.in_use -= 1

    def _report_positions(self) -> None:
        for before, (_, moved) in enumerate(self._queue):
            moved(before)
