"""Who was told already that the bot does not answer them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

DAY = 24 * 3600.0  # seconds
KEPT = 5000
"""People remembered; ours, about half a megabyte. Beyond it the longest told may be told again."""


class Refusals:
    """Remembers whom this process has told, for a day. `now` is in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told: OrderedDict[str, float] = OrderedDict()

    def first(self, person: str) -> bool:
        """Whether a person has not been told within a day; counts as told from now on."""
        now = self._now()
        told = self._told.get(person)
        if told is not None and now - told < DAY:
            return False
        self._told[person] = now
        self._told.move_to_end(person)
        while len(self._told) > KEPT:
            self._told.popitem(last=False)
        return True
