"""The dispatcher of answers that Slack streams, one for each workspace.

Starts, appends and stops each have a limit of their own, apart from that of edits
(docs/slack.md#streaming-methods).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.background import BackgroundTasks
from bot.delivery.clock import loop_time
from bot.delivery.config import DeliveryConfig
from bot.delivery.native.layout import Append, Start, Stop, StreamStep, SwitchToEdits
from bot.delivery.native.reply import NativeReply
from bot.delivery.ratelimit.limiters import RollingWindowLimiter
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.delivery.scheduling.dispatcher import CLOSE_TIMEOUT_SECONDS, Dispatcher
from bot.delivery.scheduling.edit_scheduler import EditScheduler, WriteKind
from bot.delivery.scheduling.reader_state import NEVER
from bot.errors import SlackError

log = logging.getLogger(__name__)

MAX_START_WAIT_SECONDS = 2.0  # seconds a first text may wait for a stream of its own
RESERVED_FINAL_APPENDS = 5  # appends kept for final texts whose stop has to wait
PAUSE_AT_LAST_APPEND = 6.0  # longer than for edits, because no post can take an append's place
RESERVED_STARTS = 4  # starts kept for answers that outgrow their stream

METHODS: Mapping[type[StreamStep], str] = MappingProxyType(
    {Start: "chat.startStream", Append: "chat.appendStream", Stop: "chat.stopStream"},
)


class NativeDispatcher(Dispatcher[NativeReply, StreamStep]):
    """Writes the streamed replies of one workspace.

    The scheduler chooses among appends. Starts and stops go out at once. An answer whose start
    would have to wait is shown by editing messages instead.
    """

    def __init__(
        self,
        config: DeliveryConfig,
        *,
        quota: SharedQuota,
    ) -> None:
        appends = config.appends_per_minute
        scheduler = EditScheduler(
            replace(config, edits_per_minute=appends, reserved_final_edits=RESERVED_FINAL_APPENDS),
            pause_at_last_edit=PAUSE_AT_LAST_APPEND,
        )
        super().__init__(
            quota,
            scheduler,
            limiters={
                Start: RollingWindowLimiter(config.starts_per_minute),
                Append: scheduler.limiter,
                Stop: RollingWindowLimiter(config.stops_per_minute),
            },
            methods=METHODS,
            refreshed_methods=tuple(METHODS.values()),
        )

    def has_room(self) -> bool:
        """Whether one more answer is likely to get a stream when its text comes."""
        live = (*self._replies, *self._expected)
        waiting = sum(not reply.needs_no_start for reply in live)
        return self._limiters[Start].available(loop_time()) - waiting > RESERVED_STARTS

    async def _write_last_steps(self) -> None:
        """Stop live streams as they are, as far as stops are available."""
        await self._loop.aclose()
        await self._writes.wait(CLOSE_TIMEOUT_SECONDS)
        available = self._limiters[Stop].available(loop_time())
        live = [
            reply for reply in self._replies if reply.has_live_stream and not reply.write_in_flight
        ]
        stops = BackgroundTasks()
        for reply in live[:available]:
            stops.start(_stop_stream(reply))
        await stops.wait(CLOSE_TIMEOUT_SECONDS)
        await stops.cancel()

    def _start_unscheduled(self, reply: NativeReply, now: float) -> float:
        due_at = reply.due_at(now)
        if due_at > now or reply.is_deferrable(now):
            return due_at if due_at > now else NEVER
        writable_at = reply.writable_at(now)
        return writable_at if writable_at > now else self._start_next_step(reply, now)

    def _is_schedulable(self, reply: NativeReply, now: float) -> bool:
        return (
            reply.is_deferrable(now) and reply.due_at(now) <= now and reply.writable_at(now) <= now
        )

    def _next_post_at(self, reply: NativeReply, now: float) -> float:
        return NEVER

    def _start_chosen(self, reply: NativeReply, kind: WriteKind, now: float) -> float:
        again = self._start_next_step(reply, now)
        reply.reader.is_blocked = True
        return again

    def _start_next_step(self, reply: NativeReply, now: float) -> float:
        """Begin a reply's next step if its limit allows it; return when it will, if later."""
        step = reply.plan_step()
        if step is None:
            return NEVER
        if isinstance(step, SwitchToEdits):
            reply.switch_to_edits(step.reason)
            return NEVER
        at = self._limiters[type(step)].available_at(now)
        if at > now and isinstance(step, Stop) and step.markdown and reply.reader.final:
            step = Append(step.markdown, step.source_end)  # the text does not wait for the stop
            at = self._limiters[Append].available_at(now)
        if at > now + MAX_START_WAIT_SECONDS and isinstance(step, Start):
            reply.switch_to_edits("there are too many streams")
            return NEVER
        if at <= now:
            self._start_write(reply, step, now)
        return at if at > now else NEVER

    async def _take_slot(self, reply: NativeReply, step: StreamStep) -> bool:
        return await self._take_method_slot(step, METHODS[type(step)])

    def _apply_quota(self) -> None:
        for kind, method in METHODS.items():
            self._limiters[kind].set_remote_calls(
                self._quota.fair_share_divisor, self._quota.remote_expiries(method), loop_time()
            )


async def _stop_stream(reply: NativeReply) -> None:
    try:
        await reply.stop_stream()
    except SlackError as error:
        log.warning("a stream could not be stopped at shutdown; Slack ends it later: %s", error)
