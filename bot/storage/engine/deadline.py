"""The deadline of a transaction, and what its caller is told when it passes.

A caller that gives up has to know whether the transaction may still be written: never if the commit
had not begun, possibly if it had.
"""

from __future__ import annotations

import threading
import time
from enum import Enum
from typing import Any

from bot.errors import CommitUnknown, StorageUnavailable

DEFAULT_TIMEOUT_SECONDS = 2.0  # a claim has to be decided within Slack's 3 s; our choice


class TransactionMode(Enum):
    """How the statements of a piece of work are run."""

    READ = "a transaction that changes nothing"
    WRITE = "one transaction"
    AUTOCOMMIT = "each statement on its own"


class DeadlineExceeded(Exception):
    """The caller gave up before the commit; the transaction has to be rolled back."""


class TransactionDeadline:
    """The deadline of one transaction. Its caller may abandon it from another thread than the one
    that runs it."""

    def __init__(self, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        self.expires_at = time.monotonic() + timeout_seconds
        self.last_error: BaseException | None = None  # of earlier attempts
        self._lock = threading.Lock()
        self._committing = False
        self._abandoned = False

    @property
    def remaining_seconds(self) -> float:
        """Seconds until the deadline, at least 0.0."""
        return max(0.0, self.expires_at - time.monotonic())

    @property
    def committing(self) -> bool:
        """Whether the commit has begun. If it is not confirmed, its outcome is unknown."""
        return self._committing

    def mark_committing(self) -> None:
        """Call this right before the commit. Raises DeadlineExceeded if it was abandoned."""
        with self._lock:
            if self._abandoned:
                raise DeadlineExceeded
            self._committing = True

    def abandon(self) -> None:
        """Give up: if the commit has not begun, it never will."""
        with self._lock:
            self._abandoned = True

    def unavailable_error(self, error: BaseException | None = None) -> StorageUnavailable:
        """The error to raise: CommitUnknown if the commit had begun. Its message is the cause's,
        without statement and values."""
        cause = error or self.last_error
        kind = CommitUnknown if self._committing else StorageUnavailable
        return kind(
            driver_message(cause) if cause else f"no answer within {self.timeout_seconds:g} s"
        )


def driver_message(error: BaseException) -> str:
    """The first line of a driver's message, without the statement and its values, which contain
    what people wrote."""
    cause: Any = getattr(error, "orig", None) or error
    lines = str(cause).splitlines()
    return lines[0] if lines else type(cause).__name__
