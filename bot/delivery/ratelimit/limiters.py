"""Rate limiters for Slack's methods, which adapt to its 429 responses. Pure: time is an argument,
in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.05
"""How long a call counts: a little more than a minute, because clocks and networks vary."""

MIN_LIMIT_FRACTION = 1 / 4
"""The estimate never falls below this fraction of the limit: one odd 429 proves little."""

RECOVERY_FRACTION_PER_WINDOW = 1 / 8
"""A lowered estimate grows by this fraction of the limit per window."""


@dataclass(slots=True)
class RollingWindowLimiter:
    """Allows at most `limit` calls of one method in any rolling minute (docs/slack.md#tiers).

    A call counts from `record_start` until a minute after `record_end`, because Slack counts it at
    an unknown moment between start and end. Each start is followed by one `record_end` or
    `record_cancel`. Calls of other processes are set by `set_remote_calls`.
    """

    limit: int
    _estimate: float = field(init=False)
    _estimated_at: float = field(default=0.0, init=False)
    _blocked_until: float = field(default=float("-inf"), init=False)
    _in_flight: int = field(default=0, init=False)
    # calls of this process when `set_remote_calls` last had all calls of the others
    _last_known_own_calls: int = field(default=0, init=False)
    _own_expiries: list[float] = field(default_factory=list, init=False)  # when each stops counting
    _remote_expiries: list[float] = field(default_factory=list, init=False)
    _expiries: deque[float] = field(default_factory=deque, init=False)  # of both, sorted

    def __post_init__(self) -> None:
        self._estimate = float(self.limit)

    def record_start(self) -> None:
        """Count a call that begins; allowed if `available` is not 0."""
        self._in_flight += 1

    def record_end(self, now: float) -> None:
        """Record that a call has ended, in whatever way."""
        self._in_flight -= 1
        self._own_expiries.append(now + WINDOW_SECONDS)
        self._merge_expiries(now)

    def record_cancel(self) -> None:
        """Record that a started call is not made after all."""
        self._in_flight -= 1

    def set_remote_calls(self, divisor: int, remote_expiries: Iterable[float], now: float) -> None:
        """Set when each known call of other processes stops counting.

        `divisor` is 1 if all of their calls are known, else the number of processes. With a
        divisor above 1 this process may use an equal share of what the known calls leave of the
        limit. If it had used more than that when all calls were last known, it may go on using as
        many, but at most an equal share of the whole limit.
        """
        limit = int(self.estimated_limit(now))
        known = sorted(at for at in remote_expiries if at > now)
        if divisor == 1:
            self._last_known_own_calls = self.own_calls(now)
        own_part = max(
            min(self._last_known_own_calls, limit // divisor), (limit - len(known)) // divisor
        )
        reserved = limit - max(0, own_part) if divisor > 1 else 0
        self._remote_expiries = known[: max(0, len(known) - reserved)] + [float("inf")] * reserved
        self._merge_expiries(now)

    def block_until(self, until: float) -> None:
        """Allow no call before then."""
        self._blocked_until = max(self._blocked_until, until)

    def record_rate_limited(self, now: float, retry_after: float) -> None:
        """Adapt to a 429: allow no call for `retry_after` seconds, and lower the estimated limit.

        A 429 means that a client we don't know uses the same limit. So the new estimate is less
        than the calls that count now, but at least `MIN_LIMIT_FRACTION` of the limit.
        """
        self.block_until(now + retry_after)
        self._estimate = max(
            MIN_LIMIT_FRACTION * self.limit,
            min(self.estimated_limit(now), 0.9 * self._used_calls(now)),
        )
        self._estimated_at = now

    def estimated_limit(self, now: float) -> float:
        """Return the estimated limit per minute; after a 429 it recovers slowly."""
        grown = (
            (now - self._estimated_at) / WINDOW_SECONDS * RECOVERY_FRACTION_PER_WINDOW * self.limit
        )
        return min(float(self.limit), self._estimate + grown)

    def available(self, now: float) -> int:
        """Return how many calls may begin now."""
        return 0 if now < self._blocked_until else max(0, self._remaining(now))

    def own_calls(self, now: float) -> int:
        """Return how many calls of the last minute are our own."""
        return self._in_flight + sum(at > now for at in self._own_expiries)

    def available_at(self, now: float, calls: int = 1) -> float:
        """Return when `calls` calls may begin, if no other begins before: `now` or later. Infinity
        while that depends on calls in flight."""
        missing = calls - self._remaining(now)
        if missing <= 0:
            return max(now, self._blocked_until)
        if missing > len(self._expiries):
            return float("inf")
        return max(self._expiries[missing - 1], self._blocked_until)

    def available_by(self, then: float, now: float) -> int:
        """Return how many calls may begin between `now` and `then`."""
        return self.available(now) + sum(at <= then for at in self._expiries)

    def spare_calls(self, needed_at: Sequence[float], now: float) -> int:
        """Return how many calls may begin now if one call must still be possible at each of the
        times `needed_at`. Negative if there are too few calls for these times alone."""
        available, expired, spare = self.available(now), 0, self.available(now)
        for needed, at in enumerate(sorted(needed_at), 1):
            while expired < len(self._expiries) and self._expiries[expired] <= at:
                expired += 1
            spare = min(spare, available + expired - needed)
        return spare

    def _remaining(self, now: float) -> int:
        return int(self.estimated_limit(now)) - self._used_calls(now)

    def _used_calls(self, now: float) -> int:
        while self._expiries and self._expiries[0] <= now:
            self._expiries.popleft()
        return self._in_flight + len(self._expiries)

    def _merge_expiries(self, now: float) -> None:
        self._own_expiries = [at for at in self._own_expiries if at > now]
        self._expiries = deque(sorted([*self._own_expiries, *self._remote_expiries]))


@dataclass(slots=True)
class TokenBucket:
    """Allows `rate_per_second` posts a second in one channel, and up to `burst` at once
    (docs/slack.md#posting)."""

    rate_per_second: float
    burst: int
    _full_at: float = field(default=float("-inf"), init=False)  # when no token is missing

    def available_at(self, now: float, kept: int = 0) -> float:
        """Return when the next post may begin: `now` or later. It leaves `kept` posts that may
        begin at once after it, but never more than a full bucket has."""
        missing = max(0, self.burst - 1 - kept)
        return max(now, self._full_at - missing / self.rate_per_second)

    def take_token(self, now: float) -> None:
        """Count a post that begins now."""
        self._full_at = max(self._full_at, now) + 1 / self.rate_per_second

    def record_rate_limited(self, now: float, retry_after: float) -> None:
        """Adapt to a 429: allow no post for `retry_after` seconds, then one without a burst."""
        self._full_at = now + retry_after + (self.burst - 1) / self.rate_per_second
