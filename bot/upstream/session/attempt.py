"""One request and its bytes, under our own timers.

httpx's read timeout starts anew with every comment a server sends, and knows nothing of progress
(docs/upstream.md#transport-failures): these timers measure silence, and time without anything new.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from bot.errors import StreamDropped

T = TypeVar("T")
Now = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

MAX_ERROR_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """A request below the base URL."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body has not been read. Whoever holds it closes it.

    Headers are found by names in lower case. `chunks` raises one of `drops` when the line falls;
    they are not translated on the way, because every chunk would pay for that.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]
    drops: tuple[type[Exception], ...] = ()


# Raises `UpstreamError` when there is no reply.
Send = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds without a byte, and without anything new, after which a wait is broken."""

    idle: float
    progress: float


class Silence(StreamDropped):
    """The connection stands, but nothing (or nothing new) comes."""

    ours = True
    sentence = "The model's server went silent before the answer was complete."


class Watch:
    """Breaks the wait of one attempt when nothing, or nothing new, comes for too long.

    Whoever waits says so in `reader`, counts each sign of life in `beats`, and asks `broken` what
    a cancellation meant. `progress` counts what is new. The timer looks at these now and then, so
    that a chunk costs no clock; it is late by a tenth at most. Time spent elsewhere than waiting
    does not count.
    """

    def __init__(self, limits: Limits, now: Now, sleep: Sleep) -> None:
        self.reader: asyncio.Task[object] | None = None
        self.beats = 0
        self.progress: Callable[[], int] = int
        self._limits = self._usual = limits
        self._now = now
        self._sleep = sleep
        self._fired = ""
        self._cancelling = 0  # cancellations of the reader that are older than this watch
        self._timer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        self._cancelling = 0 if task is None else task.cancelling()
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
        """Await it; raises `Silence` when a timer runs out first."""
        self.reader = asyncio.current_task()
        try:
            return await awaitable
        except asyncio.CancelledError as error:
            raise self.broken(error) from None
        finally:
            self.reader = None
            self.beats += 1

    def broken(self, error: asyncio.CancelledError) -> BaseException:
        """Return `Silence` when it was the timer that cancelled the reader, else the error."""
        task = self.reader
        if self._fired and task is not None and task.uncancel() <= self._cancelling:
            return Silence(self._fired, code="silence")
        return error

    def hurry(self, seconds: float) -> None:
        """All that matters has come: wait only `seconds` of silence for the rest."""
        self._limit(Limits(seconds, seconds))

    def relax(self) -> None:
        """More has come after all: wait as at first."""
        self._limit(self._usual)

    def _limit(self, limits: Limits) -> None:
        if limits == self._limits:
            return
        self._limits = limits
        if self._timer is not None:
            self._timer.cancel()
            self._timer = asyncio.create_task(self._run())

    async def _run(self) -> None:
        limits = self._limits
        beats, progress = self.beats, self.progress()
        quiet = stuck = 0.0
        while quiet < limits.idle and stuck < limits.progress:
            before = self._now()
            await self._sleep(min(limits.idle, limits.progress) / 10)
            passed = self._now() - before if self.reader is not None else 0.0
            quiet = quiet + passed if beats == self.beats else 0.0
            stuck = stuck + passed if progress == self.progress() else 0.0
            beats, progress = self.beats, self.progress()
        self._fired = f"nothing for {quiet:g} s, nothing new for {stuck:g} s"
        if self.reader is not None:
            self.reader.cancel()


async def within(seconds: float, awaitable: Awaitable[T], now: Now, sleep: Sleep) -> T:
    """Await it for so many seconds; raises `Silence` after that."""
    async with Watch(Limits(seconds, seconds), now, sleep) as watch:
        return await watch.over(awaitable)


async def read_bounded(watch: Watch, reply: Reply, most: int) -> bytes:
    """Return at most `most` bytes of the body; a body that breaks off is what came of it."""
    body = bytearray()
    with suppress(StopAsyncIteration, StreamDropped, *reply.drops):
        while len(body) < most:
            body += await watch.over(anext(reply.chunks))
    return bytes(body[:most])
