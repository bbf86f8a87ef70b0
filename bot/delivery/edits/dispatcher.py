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
from bot.delivery.ratelimit.budgets import Bucket, Budget
from bot.delivery.ratelimit.shared_quota import Share
from bot.delivery.scheduling.pace import NEVER, How, Pace
from bot.delivery.scheduling.wakeup_loop import Loop
from bot.errors import SlackRateLimited

DELETES_PER_MINUTE = 40  # tier 3 with a margin (docs/slack.md#tiers)
LAST_MOMENT = 1.0  # seconds writes under way may take when the room is closed
LEARN = 1.0  # seconds until it is asked again what others spend
EDITS, DELETES = "chat.update", "chat.delete"
CROWD = 5  # answers at once that are called many
IDLE = 60.0  # seconds until the loop looks again though nothing has changed

MANY = "Thinking… Many questions at once: what is written may show late."
SPENT = "Thinking… Slack takes few changes from me this minute: what is written may show late."


class Dispatcher:
    """Writes the replies of one workspace."""

    def __init__(
        self,
        config: DeliveryConfig,
        *,
        share: Share,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._config = config
        self._share = share
        self._now = now
        self._sleep = sleep
        self._pace = Pace(config)
        self._budgets: dict[type[Step], Budget] = {
            Edit: self._pace.edits,
            Post: Budget(config.posts_per_minute),
            Delete: Budget(DELETES_PER_MINUTE),
        }
        self._channels: dict[str, Bucket] = {}
        self._replies: dict[EditedReply, None] = {}  # in the order they came
        self._loop = Loop(self._begin, lambda: bool(self._replies), now=now, sleep=sleep)
        self._learning: asyncio.Task[None] | None = None
        self._writes: set[asyncio.Task[None]] = set()

    def changed(self, reply: EditedReply) -> None:
        """A reply has something new to write."""
        self._replies.setdefault(reply)
        self._loop.wake()
        if self._share.shared and (self._learning is None or self._learning.done()):
            self._learning = asyncio.create_task(self._learn())

    def has_room(self) -> bool:
        """Whether one more answer is likely to be shown as it is written."""
        return self._pace.has_room([reply.standing for reply in self._replies], self._now())

    async def aclose(self) -> None:
        """Stop writing, after old messages are rid of their sign that more comes, where a last
        moment and the budget allow it."""
        now = self._now()
        for reply in [reply for reply in self._replies if reply.standing.untidy]:
            if reply.standing.waits and reply.opens(now) <= now and self._pace.edits.free(now):
                self._write(reply, now)
        if self._writes:
            await asyncio.wait(self._writes, timeout=LAST_MOMENT)
        await self._loop.aclose()
        tasks = [*self._writes, *([self._learning] if self._learning else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _learn(self) -> None:
        """While there are answers, learn what others spend."""
        while self._replies:
            await self._share.learn(EDITS)
            await self._share.settle(EDITS, DELETES)
            self._share_out()
            await self._sleep(LEARN)

    def _share_out(self) -> None:
        now, share = self._now(), self._share
        self._budgets[Edit].share(share.parts, share.theirs(EDITS), now)
        self._pace.elsewhere = share.living(EDITS)
        self._budgets[Delete].share(share.parts, share.theirs(DELETES), now)
        if not share.knows(DELETES):
            self._budgets[Delete].close(now + LEARN)
        self._budgets[Post].share(share.replicas, (), now)  # the ledger knows of channels only
        for bucket in self._channels.values():
            bucket.rate = self._config.posts_per_second / share.parts

    def _begin(self, now: float) -> float:
        """Begin every write that may begin now; say when to look again."""
        self._let_go(now)
        again = [self._begin_other(reply, now) for reply in self._replies]
        return min(*again, self._begin_edits(now), now + IDLE) if again else now

    def _let_go(self, now: float) -> None:
        for reply in [reply for reply in self._replies if reply.ended]:
            del self._replies[reply]
            self._pace.ended(now)

    def _begin_other(self, reply: EditedReply, now: float) -> float:
        """Begin a reply's post or delete if it may; say when, if later."""
        if reply.under_way or reply.standing.unseen_since == NEVER:
            return NEVER
        if (opens := reply.opens(now)) > now:
            return opens
        if reply.next is Edit:
            return NEVER
        at = self._posts_at(reply, now) if reply.next is Post else self._budgets[Delete].opens(now)
        if at <= now:
            self._write(reply, now)
        return at if at > now else NEVER

    def _begin_edits(self, now: float) -> float:
        """Begin every edit that is due; say when the next one is."""
        by_standing = {reply.standing: reply for reply in self._replies}
        for standing, reply in by_standing.items():
            standing.busy = reply.under_way or reply.opens(now) > now or reply.next is not Edit
            standing.posts_at = self._posts_at(reply, now)
        while choice := self._pace.choose(by_standing, now):
            if choice.at > now:
                return choice.at
            reply, standing = by_standing[choice.who], choice.who
            if choice.how is How.EDIT or reply.roll_over():
                self._write(reply, now)
                standing.busy = True
            else:
                standing.posts_at = NEVER
        return NEVER

    def _posts_at(self, reply: EditedReply, now: float) -> float:
        """Say when a reply's channel takes another message."""
        return max(self._budgets[Post].opens(now), self._channel(reply).opens(now))

    def _channel(self, reply: EditedReply) -> Bucket:
        return self._channels.setdefault(
            reply.question.place.channel,
            Bucket(self._config.posts_per_second / self._share.parts, self._config.post_burst),
        )

    def _warning(self, now: float) -> str:
        """Say why what is written may show late; "" where it will not."""
        live = [reply.standing for reply in self._replies]
        if not self._pace.is_crowded(live, now):
            return ""
        return MANY if len(live) >= CROWD else SPENT

    def _write(self, reply: EditedReply, now: float) -> None:
        """Begin a reply's next step, if it is of the kind it was expected to be."""
        expected = reply.next
        if expected is Post:
            reply.warning = self._warning(now)
        step = reply.step()
        if step is None or type(step) is not expected:
            self._loop.wake()
            return
        reply.begin()
        if expected is Edit:
            self._pace.begin(now)
        else:
            self._budgets[expected].begin()
        if expected is Post:
            self._channel(reply).take(now)
        task = asyncio.create_task(self._perform(reply, step))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _perform(self, reply: EditedReply, step: Step) -> None:
        if not self._share.shared or await self._take(reply, step):
            await self._send(reply, step)
        else:
            self._budgets[type(step)].withdraw()
            reply.postpone()
        self._loop.wake()

    async def _take(self, reply: EditedReply, step: Step) -> bool:
        """Take a call from what all processes share; False if it can't be made now."""
        now, budget = self._now(), self._budgets[type(step)]
        if isinstance(step, Post):
            burst, rate = self._config.post_burst, self._config.posts_per_second
            channel = reply.question.place.channel
            wait = await self._share.take(f"{channel}:chat.postMessage", burst, burst / rate)
        else:
            name = EDITS if isinstance(step, Edit) else DELETES
            wait = await self._share.take(name, int(budget.estimate(now)))
        if wait and isinstance(step, Post):
            self._channel(reply).refused(self._now(), wait)
        elif wait:
            await self._share.learn(EDITS)
            budget.close(self._now() + wait)
        if wait is None or wait > 0:
            self._share_out()
        return wait == 0.0

    async def _send(self, reply: EditedReply, step: Step) -> None:
        try:
            await reply.perform(step)
        except SlackRateLimited as error:
            if isinstance(step, Post):  # its limit is one of the channel
                self._channel(reply).refused(self._now(), error.retry_after)
            else:
                self._budgets[type(step)].refused(self._now(), error.retry_after)
        finally:
            self._budgets[type(step)].end(self._now())
