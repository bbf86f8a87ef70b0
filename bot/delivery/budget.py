"""What Slack lets us call in a rolling minute, and what its refusals teach. Pure: time is an
argument, in seconds of any monotonic clock.

`Budget` is one method of one workspace; `Bucket` is the pace of posts in one channel.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MINUTE = 60.0
MARGIN = 0.05
"""Seconds a minute is taken longer than it is: clocks and networks are not exact."""


@dataclass(slots=True)
class Budget:
    """Calls of one method, never more than `limit` in any rolling minute (slack-facts §2).

    A call counts from the moment it is begun until a minute after it has ended, because Slack
    counts it at some moment in between.
    """

    limit: int
    estimate: float = field(init=False)
    closed_until: float = field(default=float("-inf"), init=False)
    flying: int = field(default=0, init=False)
    _ended: deque[float] = field(default_factory=deque, init=False)
    _estimated_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.estimate = float(self.limit)

    def used(self, now: float) -> int:
        """Count the calls that lie in the minute before `now`, or are under way."""
        while self._ended and self._ended[0] + MINUTE + MARGIN <= now:
            self._ended.popleft()
        return self.flying + len(self._ended)

    def free(self, now: float) -> int:
        """Count the calls that may begin at `now`."""
        if now < self.closed_until:
            return 0
        return max(0, int(self._recovered(now)) - self.used(now))

    def opens(self, now: float, need: int = 1) -> float:
        """Say when `need` calls may begin, if no other is made; `now` if at once.

        Infinity if that depends on calls which are still under way.
        """
        missing = need - max(0, int(self._recovered(now)) - self.used(now))
        if missing <= 0:
            return max(now, self.closed_until)
        if missing > len(self._ended):
            return float("inf")
        return max(self._ended[missing - 1] + MINUTE + MARGIN, self.closed_until)

    def begin(self) -> None:
        """Count a call that begins."""
        self.flying += 1

    def end(self, now: float) -> None:
        """Note that a call has ended, however it ended."""
        self.flying -= 1
        self._ended.append(now)

    def refused(self, now: float, retry_after: float) -> None:
        """Learn from a 429: stay away as told, and expect less of the minute from now on.

        Someone else spends the same budget; what we had used is the most there is for us.
        """
        self.closed_until = max(self.closed_until, now + retry_after)
        self.estimate = max(1.0, min(self._recovered(now), 0.9 * self.used(now)))
        self._estimated_at = now

    def _recovered(self, now: float) -> float:
        """The estimate, grown back by a twelfth of the limit for every minute of peace."""
        growth = max(0.0, now - self._estimated_at) / MINUTE * self.limit / 12
        return min(float(self.limit), self.estimate + growth)


@dataclass(slots=True)
class Bucket:
    """Posts in one channel: `rate` a second, up to `burst` at once (slack-facts §2)."""

    rate: float
    burst: int
    _tokens: float = field(init=False)
    _at: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._tokens = float(self.burst)

    def opens(self, now: float) -> float:
        """Say when the next post may begin; `now` if at once."""
        return now + max(0.0, 1 - self._level(now)) / self.rate

    def take(self, now: float) -> None:
        """Count a post that begins now."""
        self._tokens, self._at = self._level(now) - 1, now

    def refused(self, now: float, retry_after: float) -> None:
        """Stay away as long as a 429 says, and then begin with one."""
        self._tokens, self._at = 1 - retry_after * self.rate, now

    def _level(self, now: float) -> float:
        if self._at == float("-inf"):
            return float(self.burst)
        return min(float(self.burst), self._tokens + (now - self._at) * self.rate)
