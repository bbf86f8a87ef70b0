"""Undoes claims whose commit was not confirmed, in a later transaction.

The caller has treated such a claim as failed, but it may have been written. Without undoing it, a
later delivery of the question would be mistaken for a duplicate.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.storage.transactions import claiming
from bot.values import Question

UNKNOWN_COMMIT_SECONDS = 60.0  # after that no unconfirmed transaction can still be committed


@dataclass(frozen=True, slots=True)
class UnknownCommit:
    """A claim that may have been written at `claimed_at`; it is undone until `expires_at`."""

    question: Question
    claimed_at: float
    expires_at: float  # by time.monotonic()


class UnknownCommits:
    """The claims of one replica whose commit is unknown."""

    def __init__(self) -> None:
        self._commits: list[UnknownCommit] = []

    def add(self, question: Question, claimed_at: float) -> None:
        """Remember a claim whose transaction ended with CommitUnknown or was cancelled."""
        expires_at = time.monotonic() + UNKNOWN_COMMIT_SECONDS
        self._commits.append(UnknownCommit(question, claimed_at, expires_at))

    def pending(self) -> Sequence[UnknownCommit]:
        """The claims to undo in the next transaction. They stay pending until they expire, because
        the unconfirmed transaction may still be committed after the next one."""
        now = time.monotonic()
        self._commits = [commit for commit in self._commits if commit.expires_at > now]
        return tuple(self._commits)


def undo(connection: Connection, commits: Sequence[UnknownCommit]) -> None:
    """Delete what these claims may have written."""
    for commit in commits:
        claiming.undo_claim(connection, commit.question, commit.claimed_at)
