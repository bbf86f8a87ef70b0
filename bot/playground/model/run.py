"""One answer being written: its event log, which any number of connections follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass

from bot.playground.model.frames import JSON, Frame
from bot.playground.model.responses_events import grown

Sleep = Callable[[float], Awaitable[None]]

# Shorter waits are added up first: a timer is dearer than the wait.
_SHORTEST_SLEEP = 0.001


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the log; `share` is how much of the answer was out before it, 0 to 1."""

    number: int
    data: bytes
    share: float


class Run:
    """The log of one answer, and its state for those who poll.

    The writer calls `add` for each event, and `close` at the end. Readers `follow` from any event
    on.
    """

    def __init__(self, body: JSON, length: int) -> None:
        self.body = body
        self.log: list[Entry] = []
        self.over = False
        self._length = max(length, 1)
        self._written = 0
        self._more = asyncio.Event()

    @property
    def ended(self) -> bool:
        """The answer came to its own end, or was cancelled."""
        return self.body.get("status") not in {"queued", "in_progress"}

    def add(self, frame: Frame) -> None:
        """The next event."""
        self.log.append(Entry(len(self.log), frame.encode(), self._written / self._length))
        self._written = frame.written
        if frame.payload is not None and "type" in frame.payload:
            self.body = grown(self.body, frame.payload)
        self._wake()

    def close(self) -> None:
        """No more events come."""
        self.over = True
        self._wake()

    def cancel(self) -> None:
        """Cancel the answer: its streams end without a terminal event."""
        self.body = {**self.body, "status": "cancelled"}
        self.close()

    async def follow(self, after: int = -1) -> AsyncGenerator[Entry]:
        """Every event numbered above `after`: those there are, then each as it comes."""
        position = after + 1
        while True:
            more = self._more
            while position < len(self.log):
                yield self.log[position]
                position += 1
            if self.over:
                return
            await more.wait()

    async def finished(self) -> None:
        """Wait for the end."""
        while not self.over:
            await self._more.wait()

    def _wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()


async def write(run: Run, frames: Iterator[Frame], sleep: Sleep) -> None:
    """Write the frames into the log, each after its time."""
    owed = 0.0
    try:
        for frame in frames:
            owed += frame.seconds
            if owed >= _SHORTEST_SLEEP:
                await sleep(owed)
                owed = 0.0
            if run.over:
                return
            run.add(frame)
    finally:
        run.close()
