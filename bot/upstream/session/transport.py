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
class HttpRequest:
    """A request below the base URL."""

    method: str
    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An answer whose body has not been read. Whoever holds it closes it.

    Headers are found by names in lower case. `chunks` raises one of `connection_errors` when the
    line falls; they are not translated on the way, because every chunk would pay for that.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]
    connection_errors: tuple[type[Exception], ...] = ()


# Raises `UpstreamError` when there is no reply.
SendRequest = Callable[[HttpRequest], Awaitable[HttpReply]]


@dataclass(frozen=True, slots=True)
class StallLimits:
    """Seconds without a byte, and without anything new, after which a wait is broken."""

    idle_seconds: float
    progress_seconds: float


class StreamStalled(StreamDropped):
    """The connection stands, but nothing (or nothing new) comes."""

    message_is_loggable = True
    user_message = "The model's server went silent before the answer was complete."


class StallGuard:
    """Breaks the wait of one attempt when nothing, or nothing new, comes for too long.

    Whoever waits says so in `waiting_task`, counts each sign of life in `activity_count`, and asks
    `error_for_cancellation` what a cancellation meant. `progress_seconds` counts what is new. The
    timer looks at these now and then, so that a chunk costs no clock; it is late by a tenth at
    most. Time spent elsewhere than waiting does not count.
    """

    def __init__(self, limits: StallLimits, now: Now, sleep: Sleep) -> None:
        self.waiting_task: asyncio.Task[object] | None = None
        self.activity_count = 0
        self.progress_count: Callable[[], int] = int
        self._limits = self._initial_limits = limits
        self._now = now
        self._sleep = sleep
        self._stall_description = ""
        self._prior_cancellations = 0  # cancellations of the reader that are older than this watch
        self._timer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        self._prior_cancellations = 0 if task is None else task.cancelling()
        self._timer = asyncio.create_task(self._run_timer())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def wait_for(self, awaitable: Awaitable[T]) -> T:
        """Await it; raises `StreamStalled` when a timer runs out first."""
        self.waiting_task = asyncio.current_task()
        try:
            return await awaitable
        except asyncio.CancelledError as error:
            raise self.error_for_cancellation(error) from None
        finally:
            self.waiting_task = None
            self.activity_count += 1

    def error_for_cancellation(self, error: asyncio.CancelledError) -> BaseException:
        """Return `StreamStalled` if the timer cancelled the reader, else the error."""
        task = self.waiting_task
        if (
            self._stall_description
            and task is not None
            and task.uncancel() <= self._prior_cancellations
        ):
            return StreamStalled(self._stall_description, code="silence")
        return error

    def shorten(self, seconds: float) -> None:
        """All that matters has come: wait only `seconds` of silence for the rest."""
        self._apply_limits(StallLimits(seconds, seconds))

    def restore(self) -> None:
        """More has come after all: wait as at first."""
        self._apply_limits(self._initial_limits)

    def _apply_limits(self, limits: StallLimits) -> None:
        if limits == self._limits:
            return
        self._limits = limits
        if self._timer is not None:
            self._timer.cancel()
            self._timer = asyncio.create_task(self._run_timer())

    async def _run_timer(self) -> None:
        limits = self._limits
        beats, progress = self.activity_count, self.progress_count()
        quiet = stuck = 0.0
        while quiet < limits.idle_seconds and stuck < limits.progress_seconds:
            before = self._now()
            await self._sleep(min(limits.idle_seconds, limits.progress_seconds) / 10)
            passed = self._now() - before if self.waiting_task is not None else 0.0
            quiet = quiet + passed if beats == self.activity_count else 0.0
            stuck = stuck + passed if progress == self.progress_count() else 0.0
            beats, progress = self.activity_count, self.progress_count()
        self._stall_description = f"nothing for {quiet:g} s, nothing new for {stuck:g} s"
        if self.waiting_task is not None:
            self.waiting_task.cancel()


async def with_stall_timeout(seconds: float, awaitable: Awaitable[T], now: Now, sleep: Sleep) -> T:
    """Await it for so many seconds; raises `StreamStalled` after that."""
    async with StallGuard(StallLimits(seconds, seconds), now, sleep) as watch:
        return await watch.wait_for(awaitable)


async def read_bounded(stall_guard: StallGuard, reply: HttpReply, max_bytes: int) -> bytes:
    """Return at most `max_bytes` bytes of the body; a body that breaks off is what came of it."""
    body = bytearray()
    with suppress(StopAsyncIteration, StreamDropped, *reply.connection_errors):
        while len(body) < max_bytes:
            body += await stall_guard.wait_for(anext(reply.chunks))
    return bytes(body[:max_bytes])
