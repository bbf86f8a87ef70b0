"""Who answers a question: whoever claims one of its names first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

# Slack's own retries end after about six minutes (slack-facts §4); a day covers delayed events.
CLAIM_SECONDS = 24 * 3600


class Claims:
    """Claims in memory; they end with the process, or after a day."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._claimed: OrderedDict[str, float] = OrderedDict()

    async def claim(self, keys: Iterable[str]) -> bool:
        """Take a question by all its names; False when one of them is taken already.

        All names are taken in either case: a later delivery may share only the new ones.
        """
        now = self._now()
        self._forget(now - CLAIM_SECONDS)
        names = list(keys)
        free = not any(name in self._claimed for name in names)
        for name in names:
            self._claimed.setdefault(name, now)
        return free

    def _forget(self, before: float) -> None:
        while self._claimed and next(iter(self._claimed.values())) < before:
            self._claimed.popitem(last=False)
