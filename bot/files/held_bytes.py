"""Bounds the bytes of files that a process holds in memory."""

from __future__ import annotations

import asyncio
from collections import deque


class HeldBytes:
    """A number of bytes that answers share. They wait for them in the order in which they came."""

    def __init__(self, limit: int) -> None:
        self.free = limit
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def acquire(self, count: int) -> None:
        """Take `count` bytes, at most the limit, once they are free."""
        if not self._waiting and count <= self.free:
            self.free -= count
            return
        ready = asyncio.get_running_loop().create_future()
        self._waiting.append((count, ready))
        try:
            await ready
        except asyncio.CancelledError:
            if ready.done() and not ready.cancelled():
                self.release(count)
            elif (count, ready) in self._waiting:
                self._waiting.remove((count, ready))
                self._wake()
            raise

    def release(self, count: int) -> None:
        """Give bytes back."""
        self.free += count
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.free:
            count, ready = self._waiting.popleft()
            if ready.cancelled():
                continue
            self.free -= count
            ready.set_result(None)
