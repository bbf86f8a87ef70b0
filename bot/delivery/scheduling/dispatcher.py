"""The base class of `EditDispatcher` and `NativeDispatcher`.

Nothing is queued. Each reply holds its newest draft, and each run of the loop looks at all replies
again.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from bot.background import BackgroundTasks
from bot.delivery.clock import loop_time
from bot.delivery.ratelimit.limiters import RollingWindowLimiter
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.delivery.scheduling.edit_scheduler import EditScheduler, WriteKind
from bot.delivery.scheduling.live_reply import LiveReply
from bot.delivery.scheduling.reader_state import NEVER
from bot.delivery.scheduling.wakeup_loop import WakeupLoop
from bot.errors import SlackRateLimited

R = TypeVar("R", bound=LiveReply[Any])
S = TypeVar("S")

CLOSE_TIMEOUT_SECONDS = 1.0  # seconds that writes in flight may still take when delivery closes
QUOTA_REFRESH_SECONDS = 1.0  # seconds between two reads of what other replicas spend
MAX_IDLE_SECONDS = 60.0  # seconds until the loop looks again though nothing has changed


class Dispatcher(ABC, Generic[R, S]):
    """Writes the replies of one workspace, within the limits of Slack's methods.

    A subclass says which writes start now. The base class runs its loop, counts each write against
    its limiter, and shares the limits with other replicas.

    `limiters` has the limiter of every type of step; one of them is the scheduler's.
    `methods` names the method of each step whose limit is shared through `quota`.
    `refreshed_methods` are those whose use by other replicas is read every
    `QUOTA_REFRESH_SECONDS`.
    """

    def __init__(
        self,
        quota: SharedQuota,
        scheduler: EditScheduler,
        *,
        limiters: Mapping[type[S], RollingWindowLimiter],
        methods: Mapping[type[S], str],
        refreshed_methods: Sequence[str],
    ) -> None:
        self._quota = quota
        self._scheduler = scheduler
        self._limiters = limiters
        self._methods = methods
        self._refreshed_methods = refreshed_methods
        self._replies: dict[R, None] = {}  # in the order of their first change
        self._expected: WeakSet[R] = WeakSet()
        self._loop = WakeupLoop(self._run_due, lambda: bool(self._replies))
        self._quota_task: asyncio.Task[None] | None = None
        self._writes = BackgroundTasks()

    def expect(self, reply: R) -> R:
        """Count a new reply as live before its first change; return it."""
        self._expected.add(reply)
        return reply

    def on_reply_changed(self, reply: R) -> None:
        """Take note that a reply has something new to write, and return at once."""
        self._expected.discard(reply)
        self._replies.setdefault(reply)
        self._loop.wake()
        if self._quota.is_shared and (self._quota_task is None or self._quota_task.done()):
            self._quota_task = asyncio.create_task(self._refresh_quota())

    async def aclose(self) -> None:
        """Stop writing. Takes a few times `CLOSE_TIMEOUT_SECONDS` at most."""
        await self._write_last_steps()
        await self._loop.aclose()
        await self._writes.cancel()
        if self._quota_task:
            self._quota_task.cancel()
            await asyncio.gather(self._quota_task, return_exceptions=True)

    @abstractmethod
    async def _write_last_steps(self) -> None:
        """Before closing, wait for the writes in flight, and make those that can't be left out."""

    @abstractmethod
    def _start_unscheduled(self, reply: R, now: float) -> float:
        """Start the reply's next write if the scheduler has no say in it; return when to look
        again, `NEVER` if only after a change."""

    @abstractmethod
    def _is_schedulable(self, reply: R, now: float) -> bool:
        """Whether the scheduler may choose the reply now."""

    @abstractmethod
    def _next_post_at(self, reply: R, now: float) -> float:
        """Return when the missing text could go out as a new message; `NEVER` if it can't."""

    @abstractmethod
    def _start_chosen(self, reply: R, kind: WriteKind, now: float) -> float:
        """Start the write the scheduler has chosen; return when to look again.

        Blocks the reply's reader, or rules this kind of write out: the scheduler must not choose
        the same write twice.
        """

    @abstractmethod
    async def _take_slot(self, reply: R, step: S) -> bool:
        """Take a call from what all replicas share; False if it can't be made now."""

    @abstractmethod
    def _apply_quota(self) -> None:
        """Tell the limiters what other replicas spend."""

    def _in_order(self) -> Sequence[R]:
        """Return the replies in the order in which unscheduled writes start."""
        return list(self._replies)

    def _run_due(self, now: float) -> float:
        """Start every write that may start now; return when to look again."""
        for reply in [reply for reply in self._replies if reply.is_ended]:
            del self._replies[reply]
            self._scheduler.record_answer_ended(now)
        again = [self._start_unscheduled(reply, now) for reply in self._in_order()]
        return min(*again, self._start_scheduled(now), now + MAX_IDLE_SECONDS) if again else now

    def _start_scheduled(self, now: float) -> float:
        """Start every write the scheduler finds due; return when to look again."""
        by_reader = {reply.reader: reply for reply in self._replies}
        for reader, reply in by_reader.items():
            reader.is_blocked = not self._is_schedulable(reply, now)
            reader.next_post_at = self._next_post_at(reply, now)
        again = NEVER
        while choice := self._scheduler.choose(by_reader, now):
            if choice.due_at > now:
                return min(again, choice.due_at)
            again = min(again, self._start_chosen(by_reader[choice.reader], choice.kind, now))
        return again

    def _start_write(self, reply: R, step: S, now: float) -> None:
        """Begin a step that the reply has just planned."""
        reply.begin_write()
        limiter = self._limiters[type(step)]
        if limiter is self._scheduler.limiter:
            self._scheduler.record_edit_start(now)
        else:
            limiter.record_start()
        self._writes.start(self._write(reply, step))

    async def _write(self, reply: R, step: S) -> None:
        if not self._quota.is_shared or await self._take_slot(reply, step):
            await self._send(reply, step)
        else:
            self._limiters[type(step)].record_cancel()
            reply.postpone()
        self._loop.wake()

    async def _send(self, reply: R, step: S) -> None:
        try:
            await reply.perform(step)
        except SlackRateLimited as error:
            self._record_rate_limited(reply, step, error.retry_after)
        finally:
            self._limiters[type(step)].record_end(loop_time())

    def _record_rate_limited(self, reply: R, step: S, retry_after: float) -> None:
        """Learn from a 429 that a step got; `retry_after` is in seconds."""
        self._limiters[type(step)].record_rate_limited(loop_time(), retry_after)

    async def _take_method_slot(self, step: S, refreshed_method: str) -> bool:
        """Take a slot of the step's method. If there is none, wait for it, and read what other
        replicas spend of `refreshed_method`."""
        limiter = self._limiters[type(step)]
        size = int(limiter.estimated_limit(loop_time()))
        wait = await self._quota.take_slot(self._methods[type(step)], size)
        if wait:
            await self._quota.refresh(refreshed_method)
            limiter.block_until(loop_time() + wait)
        if wait is None or wait > 0:
            self._apply_quota()
        return wait == 0.0

    async def _refresh_quota(self) -> None:
        """While there are replies, read what other replicas spend."""
        while self._replies:
            for method in self._refreshed_methods:
                await self._quota.refresh(method)
            await self._quota.record_missing_calls(*self._methods.values())
            self._apply_quota()
            await asyncio.sleep(QUOTA_REFRESH_SECONDS)
