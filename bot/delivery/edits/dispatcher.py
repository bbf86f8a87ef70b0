"""Starts the posts, edits and deletes of edited replies, within one workspace's rate limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from bot.delivery.clock import loop_time
from bot.delivery.config import DeliveryConfig
from bot.delivery.edits.reconcile import Delete, Edit, Post, Step
from bot.delivery.edits.reply import EditedReply
from bot.delivery.ratelimit.limiters import RollingWindowLimiter, TokenBucket
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.delivery.scheduling.dispatcher import (
    CLOSE_TIMEOUT_SECONDS,
    QUOTA_REFRESH_SECONDS,
    Dispatcher,
)
from bot.delivery.scheduling.edit_scheduler import RECHECK_SECONDS, EditScheduler, WriteKind
from bot.delivery.scheduling.reader_state import NEVER
from bot.errors import SlackRateLimited
from bot.words import Phrase

T = TypeVar("T")

DELETES_PER_MINUTE = 40  # tier 3 with a margin (docs/slack.md#tiers)
EDIT_METHOD, DELETE_METHOD = "chat.update", "chat.delete"
METHODS: Mapping[type[Step], str] = MappingProxyType({Edit: EDIT_METHOD, Delete: DELETE_METHOD})
MANY_ANSWERS = 5  # answers at once that are called many


EXTRA_POST_RECHECK_SECONDS = 0.5  # until a post outside of answers looks at the limits again


class EditDispatcher(Dispatcher[EditedReply, Step]):
    """Writes the edited replies of one workspace.

    The scheduler chooses among edits. Posts and deletes have limits of their own and go out as soon
    as these allow it.
    """

    def __init__(
        self,
        config: DeliveryConfig,
        *,
        quota: SharedQuota,
    ) -> None:
        scheduler = EditScheduler(config)
        super().__init__(
            quota,
            scheduler,
            limiters={
                Edit: scheduler.limiter,
                Post: RollingWindowLimiter(config.posts_per_minute),
                Delete: RollingWindowLimiter(DELETES_PER_MINUTE),
            },
            methods=METHODS,
            refreshed_methods=(EDIT_METHOD,),
        )
        self._config = config
        self._channel_buckets: dict[str, TokenBucket] = {}
        self._unposted = Counter[str]()  # see `_count_unposted`; at the last run of the loop

    def has_room(self, channel: str) -> bool:
        """Whether one more answer in a channel can probably be shown while it is being written."""
        if self._count_unposted()[channel] >= self._config.post_burst:
            return False
        readers = [reply.reader for reply in (*self._replies, *self._expected)]
        return self._scheduler.has_room(readers, loop_time())

    async def post_extra(self, channel: str, post: Callable[[], Awaitable[T]]) -> T:
        """Make a post that is no part of an answer, and return its result. Raises what it raises.

        It waits until the limits leave a post to each live answer, so that no end of an answer is
        late because of it.
        """
        limiter, bucket = self._limiters[Post], self._channel_bucket(channel)
        while not await self._take_extra_post(channel):  # noqa: ASYNC110 - a limit has no event
            await asyncio.sleep(EXTRA_POST_RECHECK_SECONDS)
        try:
            return await post()
        except SlackRateLimited as error:
            bucket.record_rate_limited(loop_time(), error.retry_after)
            raise
        finally:
            limiter.record_end(loop_time())

    async def _take_extra_post(self, channel: str) -> bool:
        """Count a post that is no part of an answer; False if it has to wait."""
        now, limiter, bucket = loop_time(), self._limiters[Post], self._channel_bucket(channel)
        here = sum(reply.question.place.channel == channel for reply in self._replies)
        limiter_at = limiter.available_at(now, 1 + len(self._replies))
        if max(limiter_at, bucket.available_at(now, here)) > now:
            return False
        limiter.record_start()
        bucket.take_token(now)
        taken = False
        try:
            taken = not self._quota.is_shared or await self._take_post_slot(channel)
        finally:
            if not taken:
                limiter.record_cancel()
        return taken

    async def _write_last_steps(self) -> None:
        """Delete replaced placeholders and remove *Writing…* from earlier messages, as far as the
        limits allow it."""
        now = loop_time()
        for reply in list(self._replies):
            step = None if reply.write_in_flight else reply.delete_of_replaced
            if step and reply.writable_at(now) <= now and self._limiters[Delete].available(now):
                self._start_write(reply, step, now)
        for reply in [reply for reply in self._replies if reply.reader.has_stale_footer]:
            if (
                reply.reader.needs_write
                and not reply.write_in_flight
                and reply.writable_at(now) <= now
                and self._scheduler.limiter.available(now)
            ):
                self._start_next_step(reply, now)
        await self._writes.wait(CLOSE_TIMEOUT_SECONDS)

    def _run_due(self, now: float) -> float:
        live = Counter(reply.question.place.channel for reply in self._replies)
        burst = self._config.post_burst
        self._scheduler.ends_without_post = sum(max(0, n - burst) for n in live.values())
        self._unposted = self._count_unposted()
        return super()._run_due(now)

    def _in_order(self) -> Sequence[EditedReply]:
        """Return the replies in the order in which they share the limit of posts of a channel:
        final texts first, then who has waited for longest."""
        return sorted(
            self._replies, key=lambda reply: (not reply.reader.final, reply.reader.unseen_since)
        )

    def _start_unscheduled(self, reply: EditedReply, now: float) -> float:
        unseen = reply.reader.unseen_since < NEVER
        if reply.write_in_flight or not (unseen or reply.delete_of_replaced):
            return NEVER
        if (writable_at := reply.writable_at(now)) > now:
            return writable_at
        again = self._start_delete_of_replaced(reply, now)
        if reply.write_in_flight or not unseen or reply.next_step_type is Edit:
            return again
        at = (
            self._post_at(reply, now)
            if reply.next_step_type is Post
            else self._limiters[Delete].available_at(now)
        )
        if at <= now:
            self._start_next_step(reply, now)
        return min(again, at) if at > now else NEVER

    def _start_delete_of_replaced(self, reply: EditedReply, now: float) -> float:
        """Delete a replaced placeholder, if there is one; return when that can be done if not now,
        `NEVER` if there is nothing to wait for."""
        step = reply.delete_of_replaced
        at = max(self._limiters[Delete].available_at(now), reply.delete_retry_at)
        if step and at <= now:
            self._start_write(reply, step, now)
        return at if step and at > now else NEVER

    def _post_at(self, reply: EditedReply, now: float) -> float:
        """Return when the reply's next message is due; it is looked at again no later."""
        at = self._next_post_at(reply, now)
        crowded = self._unposted[reply.question.place.channel] > self._config.post_burst
        if at > now or reply.is_posted or crowded:
            return at
        readers = [each.reader for each in self._replies]
        hold_until = self._scheduler.hold_first_post_until(reply.reader, readers, now)
        return min(hold_until, now + RECHECK_SECONDS) if hold_until > now else now

    def _count_unposted(self) -> Counter[str]:
        """Return how many answers in each channel have no message yet. They wait for its limit of
        posts if there are more than it takes at once."""
        live = (*self._replies, *self._expected)
        return Counter(reply.question.place.channel for reply in live if not reply.is_posted)

    def _is_schedulable(self, reply: EditedReply, now: float) -> bool:
        return (
            not reply.write_in_flight
            and reply.writable_at(now) <= now
            and reply.next_step_type is Edit
        )

    def _next_post_at(self, reply: EditedReply, now: float) -> float:
        # a further message of a live answer leaves a post to each answer for its end
        kept = len(self._replies) if reply.reader.words_shown and not reply.reader.final else 0
        return max(
            self._limiters[Post].available_at(now, 1 + kept),
            self._channel_bucket(reply.question.place.channel).available_at(now),
        )

    def _start_chosen(self, reply: EditedReply, kind: WriteKind, now: float) -> float:
        if kind is WriteKind.NEW_MESSAGE and (at := self._next_post_at(reply, now)) > now:
            reply.reader.next_post_at = at  # another reply has just posted in the channel
            return NEVER
        replace = self._limiters[Delete].available(now) > 0
        if kind is WriteKind.EDIT or reply.roll_over(replace=replace):
            self._start_next_step(reply, now)
            reply.reader.is_blocked = True
        else:
            reply.reader.next_post_at = NEVER
        return NEVER

    def _start_next_step(self, reply: EditedReply, now: float) -> None:
        """Begin a reply's next step. A step of an unexpected type is not begun, because its rate
        limit was not checked."""
        expected = reply.next_step_type
        if expected is Post:
            reply.delay_notice = self._delay_notice(now)
        step = reply.plan_step()
        if step is None or type(step) is not expected:
            self._loop.wake()
            return
        if expected is Post:
            self._channel_bucket(reply.question.place.channel).take_token(now)
        self._start_write(reply, step, now)

    def _channel_bucket(self, channel: str) -> TokenBucket:
        return self._channel_buckets.setdefault(
            channel,
            TokenBucket(
                self._config.posts_per_second / self._quota.fair_share_divisor,
                self._config.post_burst,
            ),
        )

    def _delay_notice(self, now: float) -> Phrase | None:
        """Return the placeholder's warning that text may show late; None if none is needed."""
        readers = [reply.reader for reply in self._replies]
        if not self._scheduler.is_crowded(readers, now):
            return None
        return Phrase.MANY_QUESTIONS if len(readers) >= MANY_ANSWERS else Phrase.FEW_EDITS

    async def _take_slot(self, reply: EditedReply, step: Step) -> bool:
        if isinstance(step, Post):
            return await self._take_post_slot(reply.question.place.channel)
        return await self._take_method_slot(step, EDIT_METHOD)

    async def _take_post_slot(self, channel: str) -> bool:
        burst, rate = self._config.post_burst, self._config.posts_per_second
        name = f"{channel}:chat.postMessage"
        wait = await self._quota.take_slot(name, burst, burst / rate)
        if wait:
            self._channel_bucket(channel).record_rate_limited(loop_time(), wait)
        if wait is None or wait > 0:
            self._apply_quota()
        return wait == 0.0

    def _record_rate_limited(self, reply: EditedReply, step: Step, retry_after: float) -> None:
        if isinstance(step, Post):  # Slack limits posts by channel
            self._channel_bucket(reply.question.place.channel).record_rate_limited(
                loop_time(), retry_after
            )
        else:
            super()._record_rate_limited(reply, step, retry_after)

    def _apply_quota(self) -> None:
        now, quota = loop_time(), self._quota
        for kind, method in METHODS.items():
            self._limiters[kind].set_remote_calls(
                quota.fair_share_divisor, quota.remote_expiries(method), now
            )
        self._scheduler.remote_edits = quota.live_remote_calls(EDIT_METHOD)
        if not quota.knows_remote_calls(DELETE_METHOD):
            self._limiters[Delete].block_until(now + QUOTA_REFRESH_SECONDS)
        # posts are shared by channel, not by workspace
        self._limiters[Post].set_remote_calls(quota.replica_count, (), now)
        for bucket in self._channel_buckets.values():
            bucket.rate_per_second = self._config.posts_per_second / quota.fair_share_divisor
