"""Remembers who was told that the bot does not answer them, so that they are told once a day."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

REFUSAL_REMEMBERED_SECONDS = 24 * 3600.0
MAX_REMEMBERED_PEOPLE = 5000
"""Ours: about half a megabyte. Beyond it the person who was told first is forgotten."""


class RefusalNotices:
    """The people whom this process told within a day. `now` is a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told_at: OrderedDict[str, float] = OrderedDict()

    def mark_told(self, person: str) -> bool:
        """Mark a person as told; False if the person was already told within a day."""
        now = self._now()
        told_at = self._told_at.get(person)
        if told_at is not None and now - told_at < REFUSAL_REMEMBERED_SECONDS:
            return False
        self._told_at[person] = now
        self._told_at.move_to_end(person)
        while len(self._told_at) > MAX_REMEMBERED_PEOPLE:
            self._told_at.popitem(last=False)
        return True
