"""How many answers may be written at once, and who is next. First come, first served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Seats:
    """`limit` seats and a queue before them; everyone in it is told when it moves."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        self._queue: list[tuple[asyncio.Future[None], Callable[[int], None]]] = []

    @property
    def waiting(self) -> int:
        """How many wait for a seat."""
        return len(self._queue)

    @asynccontextmanager
    async def take(self, moved: Callable[[int], None]) -> AsyncIterator[None]:
        """Hold a seat; until there is one, `moved(before)` is called at once and on every change.

        It is not called when a seat is free.
        """
        await self._wait(moved)
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, moved: Callable[[int], None]) -> None:
        if self.taken < self.limit and not self._queue:
            self.taken += 1
            return
        seat = asyncio.get_running_loop().create_future()
        entry = (seat, moved)
        self._queue.append(entry)
        moved(len(self._queue) - 1)
        try:
            await seat
        except asyncio.CancelledError:
            if entry in self._queue:
                self._queue.remove(entry)
                self._announce()
            elif seat.done() and not seat.cancelled():
                self._leave()  # the seat was handed over in the very moment we were cancelled
            raise

    def _leave(self) -> None:
        while self._queue:
            seat, _ = self._queue.pop(0)
            if not seat.done():
                seat.set_result(None)
                self._announce()
                return
        self.taken -= 1

    def _announce(self) -> None:
        for before, (_, moved) in enumerate(self._queue):
            moved(before)
