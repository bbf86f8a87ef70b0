"""What Slack lets us call in a rolling minute, and what its refusals teach. Pure: time is an
argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.05
"""Seconds a call counts; a little more than a minute, because clocks and networks are not exact."""

MIN_LIMIT_FRACTION = 1 / 4
"""Part of the limit below which the estimate never falls: one odd 429 proves little."""

RECOVERY_FRACTION_PER_WINDOW = 1 / 8
"""Part of the limit by which a lowered estimate grows back in a minute."""


@dataclass(slots=True)
class RollingWindowLimiter:
    """Calls of one method, never more than `limit` in any rolling minute (docs/slack.md#tiers).

    A call counts from its beginning until a minute after its end: Slack counts it somewhere in
    between. Calls that other processes make of the same limit count until they are said to.
    """

    limit: int
    _estimate: float = field(init=False)
    _estimated_at: float = field(default=0.0, init=False)
    _blocked_until: float = field(default=float("-inf"), init=False)
    _in_flight: int = field(default=0, init=False)
    _last_known_own_calls: int = field(
        default=0, init=False
    )  # our calls when we last knew all that was spent
    _own_expiries: list[float] = field(default_factory=list, init=False)  # when each stops counting
    _remote_expiries: list[float] = field(default_factory=list, init=False)
    _expiries: deque[float] = field(default_factory=deque, init=False)  # of both, sorted

    def __post_init__(self) -> None:
        self._estimate = float(self.limit)

    def record_start(self) -> None:
        """Count a call that begins."""
        self._in_flight += 1

    def record_end(self, now: float) -> None:
        """Take note that a call has ended, however it ended."""
        self._in_flight -= 1
        self._own_expiries.append(now + WINDOW_SECONDS)
        self._merge_expiries(now)

    def record_cancel(self) -> None:
        """Take note that a call that was to begin is not made."""
        self._in_flight -= 1

    def set_remote_calls(self, divisor: int, remote_expiries: Iterable[float], now: float) -> None:
        """Learn what others spend of the limit: when each call of theirs stops counting.

        Where that is not all they spend, what is left of the limit is taken to be in `divisor`, one
        of them ours; what we had of it when it came to that stays ours, up to such a part.
        """
        limit = int(self.estimated_limit(now))
        known = sorted(at for at in remote_expiries if at > now)
        if divisor == 1:
            self._last_known_own_calls = self.own_calls(now)
        ours = max(
            min(self._last_known_own_calls, limit // divisor), (limit - len(known)) // divisor
        )
        reserved = limit - max(0, ours) if divisor > 1 else 0
        self._remote_expiries = known[: max(0, len(known) - reserved)] + [float("inf")] * reserved
        self._merge_expiries(now)

    def block_until(self, until: float) -> None:
        """Begin nothing before then."""
        self._blocked_until = max(self._blocked_until, until)

    def record_rate_limited(self, now: float, retry_after: float) -> None:
        """Learn from a 429: stay away as told, and expect less of the minute from now on.

        Somebody unknown spends the same budget, so what was used was more than there is for us.
        """
        self.block_until(now + retry_after)
        self._estimate = max(
            MIN_LIMIT_FRACTION * self.limit,
            min(self.estimated_limit(now), 0.9 * self._used_calls(now)),
        )
        self._estimated_at = now

    def estimated_limit(self, now: float) -> float:
        """Say how many calls a minute seems to hold for us; a lowered estimate recovers slowly."""
        grown = (
            (now - self._estimated_at) / WINDOW_SECONDS * RECOVERY_FRACTION_PER_WINDOW * self.limit
        )
        return min(float(self.limit), self._estimate + grown)

    def available(self, now: float) -> int:
        """Count the calls that may begin now."""
        return 0 if now < self._blocked_until else max(0, self._remaining(now))

    def own_calls(self, now: float) -> int:
        """Count our own calls of the last minute."""
        return self._in_flight + sum(at > now for at in self._own_expiries)

    def available_at(self, now: float, calls: int = 1) -> float:
        """Say when so many calls may begin if no other does: `now`, later, or never (infinity)
        as long as it depends on calls under way."""
        missing = calls - self._remaining(now)
        if missing <= 0:
            return max(now, self._blocked_until)
        if missing > len(self._expiries):
            return float("inf")
        return max(self._expiries[missing - 1], self._blocked_until)

    def available_by(self, then: float, now: float) -> int:
        """Count the calls that may begin between now and then."""
        return self.available(now) + sum(at <= then for at in self._expiries)

    def spare_calls(self, needed_at: Sequence[float], now: float) -> int:
        """Count the calls nobody will miss: how many may begin now so that one call can still
        begin at each of the times `needed_at`. Negative if that many are missing already."""
        free, back, least = self.available(now), 0, self.available(now)
        for needed, at in enumerate(sorted(needed_at), 1):
            while back < len(self._expiries) and self._expiries[back] <= at:
                back += 1
            least = min(least, free + back - needed)
        return least

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
    """Posts in one channel: `rate_per_second` a second, up to `burst` at once
    (docs/slack.md#posting)."""

    rate_per_second: float
    burst: int
    _full_at: float = field(default=float("-inf"), init=False)  # when the last token came

    def available_at(self, now: float) -> float:
        """Say when the next post may begin; `now` if at once."""
        return max(now, self._full_at - (self.burst - 1) / self.rate_per_second)

    def take_token(self, now: float) -> None:
        """Count a post that begins now."""
        self._full_at = max(self._full_at, now) + 1 / self.rate_per_second

    def record_rate_limited(self, now: float, retry_after: float) -> None:
        """Stay away as long as a 429 says, and begin with one post then."""
        self._full_at = now + retry_after + (self.burst - 1) / self.rate_per_second
