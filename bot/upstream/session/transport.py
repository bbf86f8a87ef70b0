"""One HTTP request, its reply, and the guard that breaks a wait on a stalled connection.

httpx's read timeout starts over with every comment a server sends, and says nothing about progress
(docs/upstream.md#transport-failures). The guard here measures both: the time without a byte, and
the time without anything new.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from bot.errors import StreamDropped
from bot.words import Phrase, Saying

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
    """A response whose body has not been read. The caller must await `close`.

    Header names are in lower case. `chunks` raises one of `connection_errors` when the connection
    breaks; they are not translated, because every chunk would pay for that.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]
    connection_errors: tuple[type[Exception], ...] = ()


# Sends a request; raises `UpstreamError` when no reply comes.
SendRequest = Callable[[HttpRequest], Awaitable[HttpReply]]


@dataclass(frozen=True, slots=True)
class StallLimits:
    """How many seconds a wait may last without a byte, and without anything new."""

    idle_seconds: float
    progress_seconds: float


class StreamStalled(StreamDropped):
    """The connection is open, but nothing (or nothing new) comes."""

    message_is_loggable = True
    user_message: Saying = Phrase.SERVER_WENT_SILENT


class StallGuard:
    """Breaks the waits of one request when nothing, or nothing new, comes for too long.

    Use it as an async context manager around the request, and wait with `wait_for`. Only time
    spent in waits counts. A timer polls the counters every tenth of the shorter limit, which is
    cheaper than restarting a timer for every chunk. So a stall may be noticed that much late.

    The loop that reads a stream does by hand what `wait_for` does: it keeps `waiting_task` set
    while it waits, counts chunks in `activity_count`, and asks `error_for_cancellation` what a
    cancellation meant. `asyncio.timeout` can't take this over: entering it for every chunk costs
    several times as much, and one that stays open while the generator yields would cancel the
    code that consumes the events.
    """

    def __init__(self, limits: StallLimits, now: Now, sleep: Sleep) -> None:
        self.waiting_task: asyncio.Task[object] | None = None
        self.activity_count = 0
        self.progress_count: Callable[[], int] = int
        """Returns a number that grows with everything new; without one nothing is new."""
        self._limits = self._initial_limits = limits
        self._now = now
        self._sleep = sleep
        self._stall_description = ""  # set between our cancellation and its arrival
        self._prior_cancellations = 0  # of the task, when the guard was entered
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
        """Return the result of `awaitable`; raises `StreamStalled` if a limit is reached first."""
        self.waiting_task = asyncio.current_task()
        try:
            return await awaitable
        except asyncio.CancelledError as error:
            raise self.error_for_cancellation(error) from None
        finally:
            self.waiting_task = None
            self.activity_count += 1

    def error_for_cancellation(self, error: asyncio.CancelledError) -> BaseException:
        """Return `StreamStalled` if the guard alone cancelled the wait, else `error`."""
        description, self._stall_description = self._stall_description, ""
        task = self.waiting_task
        if description and task is not None and task.uncancel() <= self._prior_cancellations:
            return StreamStalled(description, code="silence")
        return error

    def shorten(self, seconds: float) -> None:
        """Allow only `seconds` without a byte from now on: everything that matters has come."""
        self._apply_limits(StallLimits(seconds, seconds))

    def restore(self) -> None:
        """Return to the limits the guard was made with."""
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
        activity, progress = self.activity_count, self.progress_count()
        idle = stuck = 0.0
        while idle < limits.idle_seconds and stuck < limits.progress_seconds:
            before = self._now()
            await self._sleep(min(limits.idle_seconds, limits.progress_seconds) / 10)
            passed = self._now() - before if self.waiting_task is not None else 0.0
            idle = idle + passed if activity == self.activity_count else 0.0
            stuck = stuck + passed if progress == self.progress_count() else 0.0
            activity, progress = self.activity_count, self.progress_count()
        if self.waiting_task is not None:
            self._stall_description = f"nothing for {idle:g} s, nothing new for {stuck:g} s"
            self.waiting_task.cancel()


async def with_stall_timeout(seconds: float, awaitable: Awaitable[T], now: Now, sleep: Sleep) -> T:
    """Return the result of `awaitable`; raises `StreamStalled` after `seconds`."""
    async with StallGuard(StallLimits(seconds, seconds), now, sleep) as stall_guard:
        return await stall_guard.wait_for(awaitable)


async def read_bounded(stall_guard: StallGuard, reply: HttpReply, max_bytes: int) -> bytes:
    """Return the body up to `max_bytes`, or the part received before it stalled or broke off."""
    body = bytearray()
    with suppress(StopAsyncIteration, StreamDropped, *reply.connection_errors):
        while len(body) < max_bytes:
            body += await stall_guard.wait_for(anext(reply.chunks))
    return bytes(body[:max_bytes])
