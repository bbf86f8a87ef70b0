"""Limits the calls that read messages of one workspace, in this process and over all replicas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.delivery.clock import loop_time
from bot.delivery.ratelimit.limiters import RollingWindowLimiter
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.errors import SlackRateLimited

READS_PER_MINUTE = 45
"""Calls of each method in a minute. Slack allows about 50 (tier 3, docs/slack.md#tiers); the others
are left for the app's other programs."""

READ_METHODS = ("conversations.history", "conversations.replies")

MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.05, 1.0
"""Until a call that has to wait for the limit of this process asks again."""


class SharedReadLimit:
    """The limit of each of `READ_METHODS`; see `bot.slack.read_limit.ReadLimit`.

    `quota` divides it among the replicas.
    """

    def __init__(self, quota: SharedQuota) -> None:
        self._quota = quota
        self._limiters = {method: RollingWindowLimiter(READS_PER_MINUTE) for method in READ_METHODS}

    @asynccontextmanager
    async def slot(self, method: str, *, wait: bool) -> AsyncIterator[None]:
        """The right to make one call; see `ReadLimit.slot`. Learns from a 429 of that call."""
        limiter = self._limiters[method]
        while pause := await self._start_call(method, limiter):
            if not wait:
                raise SlackRateLimited(method, pause)
            await asyncio.sleep(pause)
        try:
            yield
        except SlackRateLimited as error:
            limiter.record_rate_limited(loop_time(), error.retry_after)
            raise
        finally:
            limiter.record_end(loop_time())

    async def _start_call(self, method: str, limiter: RollingWindowLimiter) -> float:
        """Count a call that begins now and return 0.0, or return after how many seconds to try
        again."""
        now = loop_time()
        divisor = self._quota.fair_share_divisor
        limiter.set_remote_calls(divisor, self._quota.remote_expiries(method), now)
        if not limiter.available(now):
            until_free = limiter.available_at(now) - now
            return min(max(until_free, MIN_PAUSE_SECONDS), MAX_PAUSE_SECONDS)
        limiter.record_start()
        wait: float | None = MIN_PAUSE_SECONDS
        try:
            size = int(limiter.estimated_limit(now))
            wait = await self._quota.take_slot(method, size)
        finally:
            if wait != 0.0:
                limiter.record_cancel()
        return MIN_PAUSE_SECONDS if wait is None else wait
