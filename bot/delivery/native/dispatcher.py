"""One workspace's streams: which is written next, within Slack's limits.

Starts, appends and stops have a limit each, apart from that of edits
(docs/slack.md#streaming-methods). Appends are spent as edits are, where a reader needs them most
(pace.py); starts and stops go out at once, and where there is no room for a start, edits take the
answer over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.delivery.config import DeliveryConfig
from bot.delivery.native.layout import Append, Start, Stop, StreamStep, SwitchToEdits
from bot.delivery.native.reply import NativeReply
from bot.delivery.ratelimit.limiters import RollingWindowLimiter
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.delivery.scheduling.edit_scheduler import NEVER, EditScheduler
from bot.delivery.scheduling.wakeup_loop import WakeupLoop
from bot.errors import SlackError, SlackRateLimited

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_SECONDS = 1.0  # seconds writes under way, and stops, may take when the room is closed
MAX_IDLE_SECONDS = 60.0  # seconds until the loop looks again though nothing has changed
QUOTA_REFRESH_SECONDS = 1.0  # seconds until it is asked again what others spend
MAX_START_WAIT_SECONDS = 2.0  # seconds a first text may wait for a stream of its own
RESERVED_FINAL_APPENDS = 5  # for ends whose stop has to wait
RESERVED_STARTS = 4  # for answers that outgrow their stream

METHODS: Mapping[type[StreamStep], str] = MappingProxyType(
    {Start: "chat.startStream", Append: "chat.appendStream", Stop: "chat.stopStream"},
)


class NativeDispatcher:
    """Writes the streamed replies of one workspace."""

    def __init__(
        self,
        config: DeliveryConfig,
        *,
        quota: SharedQuota,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._quota = quota
        self._now = now
        self._sleep = sleep
        appends = config.appends_per_minute
        self._scheduler = EditScheduler(
            replace(config, edits_per_minute=appends, reserved_final_edits=RESERVED_FINAL_APPENDS)
        )
        self._limiters: dict[type[StreamStep], RollingWindowLimiter] = {
            Start: RollingWindowLimiter(config.starts_per_minute),
            Append: self._scheduler.limiter,
            Stop: RollingWindowLimiter(config.stops_per_minute),
        }
        self._replies: dict[NativeReply, None] = {}  # in the order they came
        self._loop = WakeupLoop(self._start_due, lambda: bool(self._replies), now=now, sleep=sleep)
        self._quota_task: asyncio.Task[None] | None = None
        self._writes: set[asyncio.Task[None]] = set()

    def has_room(self) -> bool:
        """Whether one more answer is likely to get a stream when its text comes."""
        now = self._now()
        waiting = sum(not reply.needs_no_start for reply in self._replies)
        return self._limiters[Start].available(now) - waiting > RESERVED_STARTS

    def on_reply_changed(self, reply: NativeReply) -> None:
        """A reply has something new to write."""
        self._replies.setdefault(reply)
        self._loop.wake()
        if self._quota.is_shared and (self._quota_task is None or self._quota_task.done()):
            self._quota_task = asyncio.create_task(self._refresh_quota())

    async def aclose(self) -> None:
        """Stop writing, after live streams are stopped as they stand, where a last moment and
        the budget allow it."""
        await self._loop.aclose()
        if self._writes:
            await asyncio.wait(self._writes, timeout=CLOSE_TIMEOUT_SECONDS)
        free = self._limiters[Stop].available(self._now())
        live = [
            reply for reply in self._replies if reply.has_live_stream and not reply.write_in_flight
        ][:free]
        stops = [asyncio.create_task(_stop_stream(reply)) for reply in live]
        if stops:
            await asyncio.wait(stops, timeout=CLOSE_TIMEOUT_SECONDS)
        tasks = [*stops, *self._writes, *([self._quota_task] if self._quota_task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start_due(self, now: float) -> float:
        """Begin every write that may begin now; say when to look again."""
        for reply in [reply for reply in self._replies if reply.is_ended]:
            del self._replies[reply]
            self._scheduler.record_answer_ended(now)
        again = [self._start_immediate(reply, now) for reply in list(self._replies)]
        return min(*again, self._start_appends(now), now + MAX_IDLE_SECONDS) if again else now

    def _start_immediate(self, reply: NativeReply, now: float) -> float:
        """Begin what does not wait for others, if it may; say when, if later."""
        due = reply.due_at(now)
        if due > now or reply.is_deferrable(now):
            return due if due > now else NEVER
        opens = reply.writable_at(now)
        return opens if opens > now else self._start_next_step(reply, now)

    def _start_appends(self, now: float) -> float:
        """Begin every append that is due; say when the next one is."""
        by_standing = {reply.reader: reply for reply in self._replies}
        again = NEVER
        for standing, reply in by_standing.items():
            standing.is_blocked = (
                not reply.is_deferrable(now)
                or reply.due_at(now) > now
                or reply.writable_at(now) > now
            )
            standing.next_post_at = NEVER
        while choice := self._scheduler.choose(by_standing, now):
            if choice.due_at > now:
                return min(again, choice.due_at)
            again = min(again, self._start_next_step(by_standing[choice.reader], now))
            choice.reader.is_blocked = True
        return again

    def _start_next_step(self, reply: NativeReply, now: float) -> float:
        """Begin a reply's next step, if there is room for it; say when, if later."""
        step = reply.plan_step(now)
        if step is None:
            return NEVER
        if isinstance(step, SwitchToEdits):
            reply.switch_to_edits(step.reason)
            return NEVER
        at = self._limiters[type(step)].available_at(now)
        if at > now and isinstance(step, Stop) and step.markdown and reply.reader.final:
            step = Append(step.markdown, step.source_end)  # the words do not wait for the stop
            at = self._limiters[Append].available_at(now)
        if at > now + MAX_START_WAIT_SECONDS and isinstance(step, Start):
            reply.switch_to_edits("there are too many streams")
            return NEVER
        if at <= now:
            self._start_write(reply, step, now)
        return at if at > now else NEVER

    def _start_write(self, reply: NativeReply, step: StreamStep, now: float) -> None:
        reply.begin_write()
        if isinstance(step, Append):
            self._scheduler.record_edit_start(now)
        else:
            self._limiters[type(step)].record_start()
        task = asyncio.create_task(self._perform(reply, step))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _perform(self, reply: NativeReply, step: StreamStep) -> None:
        if await self._take_slot(step):
            await self._send(reply, step)
        else:
            self._limiters[type(step)].record_cancel()
            reply.postpone()
        self._loop.wake()

    async def _take_slot(self, step: StreamStep) -> bool:
        """Take a call from what all processes share; False if it can't be made now."""
        if not self._quota.is_shared:
            return True
        budget, name = self._limiters[type(step)], METHODS[type(step)]
        wait = await self._quota.take_slot(name, int(budget.estimated_limit(self._now())))
        if wait:
            await self._quota.refresh(name)
            budget.block_until(self._now() + wait)
        if wait is None or wait > 0:
            self._apply_quota()
        return wait == 0.0

    async def _send(self, reply: NativeReply, step: StreamStep) -> None:
        budget = self._limiters[type(step)]
        try:
            await reply.perform(step)
        except SlackRateLimited as error:
            budget.record_rate_limited(self._now(), error.retry_after)
        finally:
            budget.record_end(self._now())

    async def _refresh_quota(self) -> None:
        """While there are answers, learn what others spend."""
        while self._replies:
            for name in METHODS.values():
                await self._quota.refresh(name)
            await self._quota.record_missing_calls(*METHODS.values())
            self._apply_quota()
            await self._sleep(QUOTA_REFRESH_SECONDS)

    def _apply_quota(self) -> None:
        for kind, name in METHODS.items():
            self._limiters[kind].set_remote_calls(
                self._quota.fair_share_divisor, self._quota.remote_expiries(name), self._now()
            )


async def _stop_stream(reply: NativeReply) -> None:
    try:
        await reply.stop_stream()
    except SlackError as error:
        log.warning("a stream is left behind: %s", error)
