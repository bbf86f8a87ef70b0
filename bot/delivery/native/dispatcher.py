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
from bot.delivery.native.layout import Append, HandOver, Start, Stop, StreamStep
from bot.delivery.native.reply import NativeReply
from bot.delivery.ratelimit.budgets import Budget
from bot.delivery.ratelimit.shared_quota import Share
from bot.delivery.scheduling.pace import NEVER, Pace
from bot.delivery.scheduling.wakeup_loop import Loop
from bot.errors import SlackError, SlackRateLimited

log = logging.getLogger(__name__)

LAST_MOMENT = 1.0  # seconds writes under way, and stops, may take when the room is closed
IDLE = 60.0  # seconds until the loop looks again though nothing has changed
LEARN = 1.0  # seconds until it is asked again what others spend
STARVES = 2.0  # seconds a first text may wait for a stream of its own
APPENDS_KEPT = 5  # for ends whose stop has to wait
STARTS_KEPT = 4  # for answers that outgrow their stream

METHODS: Mapping[type[StreamStep], str] = MappingProxyType(
    {Start: "chat.startStream", Append: "chat.appendStream", Stop: "chat.stopStream"},
)


class NativeDispatcher:
    """Writes the streamed replies of one workspace."""

    def __init__(
        self,
        config: DeliveryConfig,
        *,
        share: Share,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._share = share
        self._now = now
        self._sleep = sleep
        appends = config.appends_per_minute
        self._pace = Pace(replace(config, edits_per_minute=appends, finals_kept=APPENDS_KEPT))
        self._budgets: dict[type[StreamStep], Budget] = {
            Start: Budget(config.starts_per_minute),
            Append: self._pace.edits,
            Stop: Budget(config.stops_per_minute),
        }
        self._replies: dict[NativeReply, None] = {}  # in the order they came
        self._loop = Loop(self._begin, lambda: bool(self._replies), now=now, sleep=sleep)
        self._learning: asyncio.Task[None] | None = None
        self._writes: set[asyncio.Task[None]] = set()

    def has_room(self) -> bool:
        """Whether one more answer is likely to get a stream when its text comes."""
        now = self._now()
        waiting = sum(not reply.began for reply in self._replies)
        return self._budgets[Start].free(now) - waiting > STARTS_KEPT

    def changed(self, reply: NativeReply) -> None:
        """A reply has something new to write."""
        self._replies.setdefault(reply)
        self._loop.wake()
        if self._share.shared and (self._learning is None or self._learning.done()):
            self._learning = asyncio.create_task(self._learn())

    async def aclose(self) -> None:
        """Stop writing, after live streams are stopped as they stand, where a last moment and
        the budget allow it."""
        await self._loop.aclose()
        if self._writes:
            await asyncio.wait(self._writes, timeout=LAST_MOMENT)
        free = self._budgets[Stop].free(self._now())
        live = [reply for reply in self._replies if reply.live and not reply.under_way][:free]
        stops = [asyncio.create_task(_stop(reply)) for reply in live]
        if stops:
            await asyncio.wait(stops, timeout=LAST_MOMENT)
        tasks = [*stops, *self._writes, *([self._learning] if self._learning else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, now: float) -> float:
        """Begin every write that may begin now; say when to look again."""
        for reply in [reply for reply in self._replies if reply.ended]:
            del self._replies[reply]
            self._pace.ended(now)
        again = [self._begin_at_once(reply, now) for reply in list(self._replies)]
        return min(*again, self._begin_appends(now), now + IDLE) if again else now

    def _begin_at_once(self, reply: NativeReply, now: float) -> float:
        """Begin what does not wait for others, if it may; say when, if later."""
        due = reply.due(now)
        if due > now or reply.is_paced(now):
            return due if due > now else NEVER
        opens = reply.opens(now)
        return opens if opens > now else self._try(reply, now)

    def _begin_appends(self, now: float) -> float:
        """Begin every append that is due; say when the next one is."""
        by_standing = {reply.standing: reply for reply in self._replies}
        again = NEVER
        for standing, reply in by_standing.items():
            standing.busy = (
                not reply.is_paced(now) or reply.due(now) > now or reply.opens(now) > now
            )
            standing.posts_at = NEVER
        while choice := self._pace.choose(by_standing, now):
            if choice.at > now:
                return min(again, choice.at)
            again = min(again, self._try(by_standing[choice.who], now))
            choice.who.busy = True
        return again

    def _try(self, reply: NativeReply, now: float) -> float:
        """Begin a reply's next step, if there is room for it; say when, if later."""
        step = reply.step(now)
        if step is None:
            return NEVER
        if isinstance(step, HandOver):
            reply.hand_over(step.why)
            return NEVER
        at = self._budgets[type(step)].opens(now)
        if at > now and isinstance(step, Stop) and step.markdown and reply.standing.final:
            step = Append(step.markdown, step.upto)  # the words do not wait for the stop
            at = self._budgets[Append].opens(now)
        if at > now + STARVES and isinstance(step, Start):
            reply.hand_over("there are too many streams")
            return NEVER
        if at <= now:
            self._write(reply, step, now)
        return at if at > now else NEVER

    def _write(self, reply: NativeReply, step: StreamStep, now: float) -> None:
        reply.begin()
        if isinstance(step, Append):
            self._pace.begin(now)
        else:
            self._budgets[type(step)].begin()
        task = asyncio.create_task(self._perform(reply, step))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _perform(self, reply: NativeReply, step: StreamStep) -> None:
        if await self._take(step):
            await self._send(reply, step)
        else:
            self._budgets[type(step)].withdraw()
            reply.postpone()
        self._loop.wake()

    async def _take(self, step: StreamStep) -> bool:
        """Take a call from what all processes share; False if it can't be made now."""
        if not self._share.shared:
            return True
        budget, name = self._budgets[type(step)], METHODS[type(step)]
        wait = await self._share.take(name, int(budget.estimate(self._now())))
        if wait:
            await self._share.learn(name)
            budget.close(self._now() + wait)
        if wait is None or wait > 0:
            self._share_out()
        return wait == 0.0

    async def _send(self, reply: NativeReply, step: StreamStep) -> None:
        budget = self._budgets[type(step)]
        try:
            await reply.perform(step)
        except SlackRateLimited as error:
            budget.refused(self._now(), error.retry_after)
        finally:
            budget.end(self._now())

    async def _learn(self) -> None:
        """While there are answers, learn what others spend."""
        while self._replies:
            for name in METHODS.values():
                await self._share.learn(name)
            await self._share.settle(*METHODS.values())
            self._share_out()
            await self._sleep(LEARN)

    def _share_out(self) -> None:
        for kind, name in METHODS.items():
            self._budgets[kind].share(self._share.parts, self._share.theirs(name), self._now())


async def _stop(reply: NativeReply) -> None:
    try:
        await reply.close()
    except SlackError as error:
        log.warning("a stream is left behind: %s", error)
