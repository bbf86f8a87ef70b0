"""Who was told already that the bot does not answer them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

REFUSAL_REMEMBERED_SECONDS = 24 * 3600.0  # seconds
MAX_REMEMBERED_PEOPLE = 5000
"""People remembered; ours, about half a megabyte. Beyond it the longest told may be told again."""


class RefusalNotices:
    """Remembers whom this process has told, for a day. `now` is in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told_at: OrderedDict[str, float] = OrderedDict()

    def mark_told(self, person: str) -> bool:
        """Whether a person has not been told within a day; counts as told from now on."""
        now = self._now()
        told = self._told_at.get(person)
        if told is not None and now - told < REFUSAL_REMEMBERED_SECONDS:
            return False
        self._told_at[person] = now
        self._told_at.move_to_end(person)
        while len(self._told_at) > MAX_REMEMBERED_PEOPLE:
            self._told_at.popitem(last=False)
        return True
