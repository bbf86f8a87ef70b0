"""One workspace's writes: which reply goes next, within Slack's limits, and what a failure means.

Replies are never queued: each holds its newest draft, and every turn of the loop looks at all of
them afresh. At most one write of a reply is under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from bot.delivery.budget import Bucket, Budget
from bot.delivery.edits import EditedReply
from bot.delivery.pace import Policy, first, gap
from bot.delivery.steps import Delete, Edit, Post, Step
from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable

log = logging.getLogger(__name__)

POSTS_PER_MINUTE = 240  # "several hundred" a workspace (slack-facts §2)
DELETES_PER_MINUTE = 40  # tier 3 with a margin
POSTS_PER_SECOND, POST_BURST = 1.0, 3  # one channel's
MOMENT = 0.001  # no wait is shorter: clocks round


class Dispatcher:
    """Writes the replies of one workspace."""

    def __init__(
        self,
        policy: Policy,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.policy = policy
        self._now = now
        self._sleep = sleep
        self._budgets: dict[type[Step], Budget] = {
            Edit: Budget(policy.edits_per_minute),
            Post: Budget(POSTS_PER_MINUTE),
            Delete: Budget(DELETES_PER_MINUTE),
        }
        self._channels: dict[str, Bucket] = {}
        self._replies: dict[EditedReply, None] = {}  # in the order they came
        self._edited_at = float("-inf")
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._writes: set[asyncio.Task[None]] = set()

    def changed(self, reply: EditedReply) -> None:
        """A reply has something new to write."""
        self._replies.setdefault(reply)
        self._wake.set()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Stop writing; what is under way is cancelled."""
        tasks = [*self._writes, *([self._loop] if self._loop else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while self._replies or self._writes:
            self._wake.clear()
            await self._pause(self._begin(self._now()))

    async def _pause(self, until: float) -> None:
        """Wait for something to change, at most until then."""
        timer = asyncio.ensure_future(self._sleep(max(MOMENT, until - self._now())))
        timer.add_done_callback(self._time_is_up)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    def _time_is_up(self, timer: asyncio.Future[None]) -> None:
        if not timer.cancelled():
            self._wake.set()

    def _begin(self, now: float) -> float:
        """Begin every write that may begin now; say when to look again."""
        self._replies = {reply: None for reply in self._replies if not reply.ended}
        again = now + 60.0
        for reply in [reply for reply in self._replies if reply.waits]:
            if reply.retry_at > now:
                again = min(again, reply.retry_at)
            elif reply.next is not Edit:
                at = self._opens(reply, reply.next, now)
                again = min(again, at)
                if at <= now:
                    self._write(reply, now)
        return min(again, self._begin_edits(now))

    def _begin_edits(self, now: float) -> float:
        while reply := first(self._editable(now)):
            at = self._opens(reply, Edit, now)
            if at > now:
                return at
            self._write(reply, now)
        return now + 60.0

    def _editable(self, now: float) -> Iterable[EditedReply]:
        return (r for r in self._replies if r.waits and r.next is Edit and r.retry_at <= now)

    def _opens(self, reply: EditedReply, kind: type[Step], now: float) -> float:
        """Say when a reply's step of this kind may begin."""
        budget = self._budgets[kind]
        at = budget.opens(now)
        if kind is Post:
            return max(at, self._channel(reply).opens(now))
        if kind is Edit and not reply.final:
            return max(at, self._edited_at + gap(self.policy, budget.free(now)))
        return at

    def _channel(self, reply: EditedReply) -> Bucket:
        return self._channels.setdefault(
            reply.question.place.channel, Bucket(POSTS_PER_SECOND, POST_BURST)
        )

    def _write(self, reply: EditedReply, now: float) -> None:
        """Begin a reply's next step, if it is of the kind it was expected to be."""
        expected = reply.next
        step = reply.step()
        if type(step) is not expected:
            self._wake.set()
            return
        assert step
        reply.begin()
        self._budgets[expected].begin()
        if expected is Post:
            self._channel(reply).take(now)
        elif expected is Edit:
            self._edited_at = now
        task = asyncio.create_task(self._perform(reply, step))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _perform(self, reply: EditedReply, step: Step) -> None:
        budget = self._budgets[type(step)]
        try:
            await reply.perform(step)
        except SlackRateLimited as error:
            if isinstance(step, Post):
                self._channel(reply).refused(self._now(), error.retry_after)
            else:
                budget.refused(self._now(), error.retry_after)
        except SlackUnreachable as error:
            log.info("Slack could not be reached: %s", error)
            reply.back_off()
        except SlackRefused as error:
            log.warning("Slack refused a part of an answer: %s", error)
            reply.give_up(error)
        finally:
            budget.end(self._now())
            self._wake.set()
