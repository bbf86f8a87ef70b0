"""One workspace's writes: which goes next, within Slack's limits.

Nothing is queued: each reply holds its newest draft, and every turn of the loop looks at all of
them afresh. At most one write of a reply is under way. What a failed write means to its answer is
the reply's business; what it means to the budgets is ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.delivery.config import DeliveryConfig
from bot.delivery.edits.reconcile import Delete, Edit, Post, Step
from bot.delivery.edits.reply import EditedReply
from bot.delivery.ratelimit.limiters import RollingWindowLimiter, TokenBucket
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.delivery.scheduling.edit_scheduler import NEVER, EditScheduler, WriteKind
from bot.delivery.scheduling.wakeup_loop import WakeupLoop
from bot.errors import SlackRateLimited

DELETES_PER_MINUTE = 40  # tier 3 with a margin (docs/slack.md#tiers)
CLOSE_TIMEOUT_SECONDS = 1.0  # seconds writes under way may take when the room is closed
QUOTA_REFRESH_SECONDS = 1.0  # seconds until it is asked again what others spend
EDIT_METHOD, DELETE_METHOD = "chat.update", "chat.delete"
MANY_ANSWERS = 5  # answers at once that are called many
MAX_IDLE_SECONDS = 60.0  # seconds until the loop looks again though nothing has changed

MANY_QUESTIONS_NOTICE = "Thinking… Many questions at once: what is written may show late."
FEW_EDITS_NOTICE = (
    "Thinking… Slack takes few changes from me this minute: what is written may show late."
)


class EditDispatcher:
    """Writes the replies of one workspace."""

    def __init__(
        self,
        config: DeliveryConfig,
        *,
        quota: SharedQuota,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._config = config
        self._quota = quota
        self._now = now
        self._sleep = sleep
        self._scheduler = EditScheduler(config)
        self._limiters: dict[type[Step], RollingWindowLimiter] = {
            Edit: self._scheduler.limiter,
            Post: RollingWindowLimiter(config.posts_per_minute),
            Delete: RollingWindowLimiter(DELETES_PER_MINUTE),
        }
        self._channel_buckets: dict[str, TokenBucket] = {}
        self._replies: dict[EditedReply, None] = {}  # in the order they came
        self._loop = WakeupLoop(self._start_due, lambda: bool(self._replies), now=now, sleep=sleep)
        self._quota_task: asyncio.Task[None] | None = None
        self._writes: set[asyncio.Task[None]] = set()

    def on_reply_changed(self, reply: EditedReply) -> None:
        """A reply has something new to write."""
        self._replies.setdefault(reply)
        self._loop.wake()
        if self._quota.is_shared and (self._quota_task is None or self._quota_task.done()):
            self._quota_task = asyncio.create_task(self._refresh_quota())

    def has_room(self) -> bool:
        """Whether one more answer is likely to be shown as it is written."""
        return self._scheduler.has_room([reply.reader for reply in self._replies], self._now())

    async def aclose(self) -> None:
        """Stop writing, after old messages are rid of their sign that more comes, where a last
        moment and the budget allow it."""
        now = self._now()
        for reply in [reply for reply in self._replies if reply.reader.has_stale_footer]:
            if (
                reply.reader.needs_write
                and reply.writable_at(now) <= now
                and self._scheduler.limiter.available(now)
            ):
                self._start_write(reply, now)
        if self._writes:
            await asyncio.wait(self._writes, timeout=CLOSE_TIMEOUT_SECONDS)
        await self._loop.aclose()
        tasks = [*self._writes, *([self._quota_task] if self._quota_task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _refresh_quota(self) -> None:
        """While there are answers, learn what others spend."""
        while self._replies:
            await self._quota.refresh(EDIT_METHOD)
            await self._quota.record_missing_calls(EDIT_METHOD, DELETE_METHOD)
            self._apply_quota()
            await self._sleep(QUOTA_REFRESH_SECONDS)

    def _apply_quota(self) -> None:
        now, share = self._now(), self._quota
        self._limiters[Edit].set_remote_calls(
            share.fair_share_divisor, share.remote_expiries(EDIT_METHOD), now
        )
        self._scheduler.remote_edits = share.live_remote_calls(EDIT_METHOD)
        self._limiters[Delete].set_remote_calls(
            share.fair_share_divisor, share.remote_expiries(DELETE_METHOD), now
        )
        if not share.knows_remote_calls(DELETE_METHOD):
            self._limiters[Delete].block_until(now + QUOTA_REFRESH_SECONDS)
        self._limiters[Post].set_remote_calls(
            share.replica_count, (), now
        )  # the ledger knows of channels only
        for bucket in self._channel_buckets.values():
            bucket.rate_per_second = self._config.posts_per_second / share.fair_share_divisor

    def _start_due(self, now: float) -> float:
        """Begin every write that may begin now; say when to look again."""
        self._forget_ended(now)
        again = [self._start_post_or_delete(reply, now) for reply in self._replies]
        return min(*again, self._start_edits(now), now + MAX_IDLE_SECONDS) if again else now

    def _forget_ended(self, now: float) -> None:
        for reply in [reply for reply in self._replies if reply.is_ended]:
            del self._replies[reply]
            self._scheduler.record_answer_ended(now)

    def _start_post_or_delete(self, reply: EditedReply, now: float) -> float:
        """Begin a reply's post or delete if it may; say when, if later."""
        if reply.write_in_flight or reply.reader.unseen_since == NEVER:
            return NEVER
        if (opens := reply.writable_at(now)) > now:
            return opens
        if reply.next_step_type is Edit:
            return NEVER
        at = (
            self._next_post_at(reply, now)
            if reply.next_step_type is Post
            else self._limiters[Delete].available_at(now)
        )
        if at <= now:
            self._start_write(reply, now)
        return at if at > now else NEVER

    def _start_edits(self, now: float) -> float:
        """Begin every edit that is due; say when the next one is."""
        by_standing = {reply.reader: reply for reply in self._replies}
        for standing, reply in by_standing.items():
            standing.is_blocked = (
                reply.write_in_flight
                or reply.writable_at(now) > now
                or reply.next_step_type is not Edit
            )
            standing.next_post_at = self._next_post_at(reply, now)
        while choice := self._scheduler.choose(by_standing, now):
            if choice.due_at > now:
                return choice.due_at
            reply, standing = by_standing[choice.reader], choice.reader
            if choice.kind is WriteKind.EDIT or reply.roll_over():
                self._start_write(reply, now)
                standing.is_blocked = True
            else:
                standing.next_post_at = NEVER
        return NEVER

    def _next_post_at(self, reply: EditedReply, now: float) -> float:
        """Say when a reply's channel takes another message."""
        return max(
            self._limiters[Post].available_at(now), self._channel_bucket(reply).available_at(now)
        )

    def _channel_bucket(self, reply: EditedReply) -> TokenBucket:
        return self._channel_buckets.setdefault(
            reply.question.place.channel,
            TokenBucket(
                self._config.posts_per_second / self._quota.fair_share_divisor,
                self._config.post_burst,
            ),
        )

    def _delay_notice(self, now: float) -> str:
        """Say why what is written may show late; "" where it will not."""
        live = [reply.reader for reply in self._replies]
        if not self._scheduler.is_crowded(live, now):
            return ""
        return MANY_QUESTIONS_NOTICE if len(live) >= MANY_ANSWERS else FEW_EDITS_NOTICE

    def _start_write(self, reply: EditedReply, now: float) -> None:
        """Begin a reply's next step, if it is of the kind it was expected to be."""
        expected = reply.next_step_type
        if expected is Post:
            reply.delay_notice = self._delay_notice(now)
        step = reply.plan_step()
        if step is None or type(step) is not expected:
            self._loop.wake()
            return
        reply.begin_write()
        if expected is Edit:
            self._scheduler.record_edit_start(now)
        else:
            self._limiters[expected].record_start()
        if expected is Post:
            self._channel_bucket(reply).take_token(now)
        task = asyncio.create_task(self._perform(reply, step))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _perform(self, reply: EditedReply, step: Step) -> None:
        if not self._quota.is_shared or await self._take_slot(reply, step):
            await self._send(reply, step)
        else:
            self._limiters[type(step)].record_cancel()
            reply.postpone()
        self._loop.wake()

    async def _take_slot(self, reply: EditedReply, step: Step) -> bool:
        """Take a call from what all processes share; False if it can't be made now."""
        now, budget = self._now(), self._limiters[type(step)]
        if isinstance(step, Post):
            burst, rate = self._config.post_burst, self._config.posts_per_second
            channel = reply.question.place.channel
            wait = await self._quota.take_slot(f"{channel}:chat.postMessage", burst, burst / rate)
        else:
            name = EDIT_METHOD if isinstance(step, Edit) else DELETE_METHOD
            wait = await self._quota.take_slot(name, int(budget.estimated_limit(now)))
        if wait and isinstance(step, Post):
            self._channel_bucket(reply).record_rate_limited(self._now(), wait)
        elif wait:
            await self._quota.refresh(EDIT_METHOD)
            budget.block_until(self._now() + wait)
        if wait is None or wait > 0:
            self._apply_quota()
        return wait == 0.0

    async def _send(self, reply: EditedReply, step: Step) -> None:
        try:
            await reply.perform(step)
        except SlackRateLimited as error:
            if isinstance(step, Post):  # its limit is one of the channel
                self._channel_bucket(reply).record_rate_limited(self._now(), error.retry_after)
            else:
                self._limiters[type(step)].record_rate_limited(self._now(), error.retry_after)
        finally:
            self._limiters[type(step)].record_end(self._now())
