"""One request and its bytes, under our own timers.

httpx's read timeout starts anew with every comment a server sends, and knows nothing of progress
(upstream-facts §3.4): these timers measure silence, and time without anything new.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from bot.errors import StreamDropped

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

MAX_ERROR_BYTES = 64 * 1024
MIN_NAP = 0.05


@dataclass(frozen=True, slots=True)
class Call:
    """A request below the base URL."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body has not been read. Whoever holds it closes it."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]


# Raises `UpstreamUnreachable`; `Reply.chunks` raises `StreamDropped`.
Send = Callable[[Call], Awaitable[Reply]]


class Silence(StreamDropped):
    """The connection stands, but nothing (or nothing new) comes."""

    sentence = "The model's server went silent before the answer was complete."


class Watch:
    """Awaits on behalf of one attempt, and breaks the wait when a timer runs out.

    Time its user spends elsewhere does not count. Leave it before the task that uses it ends.
    """

    def __init__(
        self,
        idle: float,
        progress: float,
        now: Callable[[], float],
        sleep: Sleep,
    ) -> None:
        self._idle = idle
        self._progress = progress
        self._now = now
        self._sleep = sleep
        self._since = now()
        self._quiet = 0.0  # waited since the last progress
        self._waiting: asyncio.Task[object] | None = None
        self._fired = ""
        self._timer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._timer = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def over(self, awaitable: Awaitable[T]) -> T:
        """Await it; raise `Silence` when a timer runs out first."""
        task = asyncio.current_task()
        self._waiting = task
        self._since = self._now()
        try:
            return await awaitable
        except asyncio.CancelledError:
            if self._fired and task is not None and task.uncancel() == 0:
                raise Silence(self._fired, code="silence") from None
            raise
        finally:
            self._waiting = None
            self._quiet += self._now() - self._since

    def progressed(self) -> None:
        """Something new came."""
        self._quiet = 0.0

    def hurry(self, seconds: float) -> None:
        """All that matters has come: wait only `seconds` of silence for the rest."""
        self._idle = seconds
        if self._timer is not None:
            self._timer.cancel()
            self._timer = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while (left := self._left()) > 0 or self._waiting is None:
            await self._sleep(max(left, MIN_NAP))
        idle = self._now() - self._since >= self._idle
        seconds = self._idle if idle else self._progress
        self._fired = f"{'no sign of life' if idle else 'nothing new'} for {seconds:g} s"
        self._waiting.cancel()

    def _left(self) -> float:
        waited = 0.0 if self._waiting is None else self._now() - self._since
        return min(self._idle - waited, self._progress - self._quiet - waited)


async def read_bounded(watch: Watch, reply: Reply, most: int) -> bytes:
    """Return at most `most` bytes of the body; a body that breaks off is what came of it."""
    body = bytearray()
    try:
        while len(body) < most:
            body += await watch.over(anext(reply.chunks))
    except (StopAsyncIteration, StreamDropped):
        pass
    return bytes(body[:most])
