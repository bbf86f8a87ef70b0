"""One try to do something in the database, within a caller's patience.

A caller gives up after `timeout_seconds` seconds and must know whether what it gave up on may still
happen: not before the commit has begun, perhaps after.
"""

from __future__ import annotations

import threading
import time
from enum import Enum
from typing import Any

from bot.errors import CommitUnknown, StorageUnavailable

DEFAULT_TIMEOUT_SECONDS = 2.0  # seconds a caller waits for the database; ours, nobody else's limit


class TransactionMode(Enum):
    """What a piece of work asks of its transaction."""

    READ = "changes nothing"
    WRITE = "all of it or nothing"
    AUTOCOMMIT = "each statement for itself"


class DeadlineExceeded(Exception):
    """The caller has given up before the commit: nothing is to be written any more."""


class TransactionDeadline:
    """One transaction's way: it may be given up by one thread while another one works on it."""

    def __init__(self, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.expires_at = time.monotonic() + timeout_seconds
        self.last_error: BaseException | None = None  # what stood in the way so far
        self._lock = threading.Lock()
        self._committing = False
        self._abandoned = False

    @property
    def remaining_seconds(self) -> float:
        """Seconds until the caller gives up; 0.0 when it is time."""
        return max(0.0, self.expires_at - time.monotonic())

    @property
    def committing(self) -> bool:
        """The commit has begun: from here on the outcome is the database's to tell."""
        return self._committing

    def mark_committing(self) -> None:
        """Say that the commit begins. Raises Abandoned if the caller has given up."""
        with self._lock:
            if self._abandoned:
                raise DeadlineExceeded
            self._committing = True

    def abandon(self) -> None:
        """The caller gives up; without a commit begun, none will."""
        with self._lock:
            self._abandoned = True

    def unavailable_error(self, error: BaseException | None = None) -> StorageUnavailable:
        """The error for the caller, which says what stood in the way, without statement or text."""
        cause = error or self.last_error
        kind = CommitUnknown if self._committing else StorageUnavailable
        return kind(
            driver_message(cause) if cause else f"no answer within {self.timeout_seconds:g} s"
        )


def driver_message(error: BaseException) -> str:
    """The driver's own words; never the statement and its values, which hold what people wrote."""
    cause: Any = getattr(error, "orig", None) or error
    lines = str(cause).splitlines()
    return lines[0] if lines else type(cause).__name__
