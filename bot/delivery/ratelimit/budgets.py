"""What Slack lets us call in a rolling minute, and what its refusals teach. Pure: time is an
argument, in seconds of any monotonic clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MINUTE = 60.05
"""Seconds a call counts; a little more than a minute, because clocks and networks are not exact."""

LEAST = 1 / 4
"""Part of the limit below which the estimate never falls: one odd 429 proves little."""

RECOVERY = 1 / 8
"""Part of the limit by which a lowered estimate grows back in a minute."""


@dataclass(slots=True)
class Budget:
    """Calls of one method, never more than `limit` in any rolling minute (docs/slack.md#tiers).

    A call counts from its beginning until a minute after its end: Slack counts it somewhere in
    between. Calls that other processes make of the same limit count until they are said to.
    """

    limit: int
    _estimate: float = field(init=False)
    _estimated_at: float = field(default=0.0, init=False)
    _closed_until: float = field(default=float("-inf"), init=False)
    _under_way: int = field(default=0, init=False)
    _had: int = field(default=0, init=False)  # our calls when we last knew all that was spent
    _ours: list[float] = field(default_factory=list, init=False)  # when each stops counting
    _theirs: list[float] = field(default_factory=list, init=False)
    _back: deque[float] = field(default_factory=deque, init=False)  # of both, sorted

    def __post_init__(self) -> None:
        self._estimate = float(self.limit)

    def begin(self) -> None:
        """Count a call that begins."""
        self._under_way += 1

    def end(self, now: float) -> None:
        """Take note that a call has ended, however it ended."""
        self._under_way -= 1
        self._ours.append(now + MINUTE)
        self._merge(now)

    def withdraw(self) -> None:
        """Take note that a call that was to begin is not made."""
        self._under_way -= 1

    def share(self, parts: int, theirs: Iterable[float], now: float) -> None:
        """Learn what others spend of the limit: when each call of theirs stops counting.

        Where that is not all they spend, what is left of the limit is taken to be in `parts`, one
        of them ours; what we had of it when it came to that stays ours, up to such a part.
        """
        limit = int(self.estimate(now))
        known = sorted(at for at in theirs if at > now)
        if parts == 1:
            self._had = self.ours(now)
        ours = max(min(self._had, limit // parts), (limit - len(known)) // parts)
        reserved = limit - max(0, ours) if parts > 1 else 0
        self._theirs = known[: max(0, len(known) - reserved)] + [float("inf")] * reserved
        self._merge(now)

    def close(self, until: float) -> None:
        """Begin nothing before then."""
        self._closed_until = max(self._closed_until, until)

    def refused(self, now: float, retry_after: float) -> None:
        """Learn from a 429: stay away as told, and expect less of the minute from now on.

        Somebody unknown spends the same budget, so what was used was more than there is for us.
        """
        self.close(now + retry_after)
        self._estimate = max(LEAST * self.limit, min(self.estimate(now), 0.9 * self._used(now)))
        self._estimated_at = now

    def estimate(self, now: float) -> float:
        """Say how many calls a minute seems to hold for us; a lowered estimate recovers slowly."""
        grown = (now - self._estimated_at) / MINUTE * RECOVERY * self.limit
        return min(float(self.limit), self._estimate + grown)

    def free(self, now: float) -> int:
        """Count the calls that may begin now."""
        return 0 if now < self._closed_until else max(0, self._room(now))

    def ours(self, now: float) -> int:
        """Count our own calls of the last minute."""
        return self._under_way + sum(at > now for at in self._ours)

    def opens(self, now: float, calls: int = 1) -> float:
        """Say when so many calls may begin if no other does: `now`, later, or never (infinity)
        as long as it depends on calls under way."""
        missing = calls - self._room(now)
        if missing <= 0:
            return max(now, self._closed_until)
        if missing > len(self._back):
            return float("inf")
        return max(self._back[missing - 1], self._closed_until)

    def until(self, then: float, now: float) -> int:
        """Count the calls that may begin between now and then."""
        return self.free(now) + sum(at <= then for at in self._back)

    def spare(self, needs: Sequence[float], now: float) -> int:
        """Count the calls nobody will miss: how many may begin now so that one call can still
        begin at each of the times `needs`. Negative if that many are missing already."""
        free, back, least = self.free(now), 0, self.free(now)
        for needed, at in enumerate(sorted(needs), 1):
            while back < len(self._back) and self._back[back] <= at:
                back += 1
            least = min(least, free + back - needed)
        return least

    def _room(self, now: float) -> int:
        return int(self.estimate(now)) - self._used(now)

    def _used(self, now: float) -> int:
        while self._back and self._back[0] <= now:
            self._back.popleft()
        return self._under_way + len(self._back)

    def _merge(self, now: float) -> None:
        self._ours = [at for at in self._ours if at > now]
        self._back = deque(sorted([*self._ours, *self._theirs]))


@dataclass(slots=True)
class Bucket:
    """Posts in one channel: `rate` a second, up to `burst` at once (docs/slack.md#posting)."""

    rate: float
    burst: int
    _empty_until: float = field(default=float("-inf"), init=False)  # when the last token came

    def opens(self, now: float) -> float:
        """Say when the next post may begin; `now` if at once."""
        return max(now, self._empty_until - (self.burst - 1) / self.rate)

    def take(self, now: float) -> None:
        """Count a post that begins now."""
        self._empty_until = max(self._empty_until, now) + 1 / self.rate

    def refused(self, now: float, retry_after: float) -> None:
        """Stay away as long as a 429 says, and begin with one post then."""
        self._empty_until = now + retry_after + (self.burst - 1) / self.rate
