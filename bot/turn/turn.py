"""One turn that this process owns: waits in its thread, gets its question, and can be stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot.errors import QuestionDeleted, SlackError, Stopped, StorageUnavailable
from bot.storage.records import TurnRecord
from bot.turn.durability.checkpoint import TurnCheckpoint
from bot.turn.durability.write_behind import Journal
from bot.turn.stop_scope import StopScope
from bot.values import REMOVED_DRAFT, Question

Promote = Callable[[str, int], Awaitable[Question | None]]
"""Starts the waiting turn with this id and fencing token if its thread is free. Returns its
question, with all that was asked meanwhile, or None while it has to wait. Raises LeaseLost and
StorageUnavailable."""


class Turn:
    """A turn that this process owns, or owned until it was `released`.

    Arguments:
    - `record`: the stored turn, as of the claim or the take-over.
    - `messages_verified`: `record` has all messages of the answer that are in Slack; otherwise they
      have to be read from Slack.
    - `asked_at`: when the question arrived, on the monotonic clock in seconds.
    - `now`: the time of day in seconds since the epoch.

    Attributes:
    - `checkpoint`: journals the changes of the turn.
    - `stop_scope`: runs the part of the answer that can be stopped.
    - `wakeup`: set it when another answer of the thread may have ended.
    """

    def __init__(
        self,
        record: TurnRecord,
        journal: Journal,
        *,
        owns_lease: Callable[[], bool],
        promote: Promote,
        messages_verified: bool = True,
        asked_at: float | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.record = record
        self.question = record.question
        self.fence = record.fence
        self.waiting = record.waiting
        self.messages_verified = messages_verified
        self.asked_at = time.monotonic() if asked_at is None else asked_at
        self.checkpoint = TurnCheckpoint(record, journal, owns_lease=owns_lease)
        self.stop_scope = StopScope()
        self.wakeup = asyncio.Event()
        self._promote = promote
        self._started_at = asyncio.get_running_loop().time()
        self._age_at_start = max(0.0, now() - record.asked_at) if record.asked_at else 0.0
        if record.draft == REMOVED_DRAFT:  # the last owner died while it deleted the messages
            self.stop(QuestionDeleted(self.id))

    @property
    def id(self) -> str:
        """The id of the turn, as in logs, buttons and message metadata."""
        return self.question.id

    @property
    def released(self) -> bool:
        """Whether the turn was left to another process, so that this one writes no more for it."""
        return self.checkpoint.released

    @property
    def age_seconds(self) -> float:
        """How long ago the question was claimed, by whichever process. Only the part before a
        take-over depends on the time of day."""
        return self._age_at_start + asyncio.get_running_loop().time() - self._started_at

    async def wait_for_thread_slot(self) -> Question:
        """Wait until the answers before this one in its thread have ended; returns the question
        with all that was asked meanwhile. The database is asked at each `wakeup`.

        Raises LeaseLost.
        """
        while True:
            self.wakeup.clear()
            with suppress(StorageUnavailable):
                if question := await self._promote(self.id, self.fence):
                    self.question, self.waiting = question, False
                    return question
            await self.wakeup.wait()

    def record_question(self, question: Question) -> None:
        """Replace the question by its newest version, read from Slack before the model is asked."""
        if question != self.question:
            self.question = question
            self.checkpoint.record_question(question)

    def stop(self, reason: Exception) -> bool:
        """End the answer with the text it has; False if it has ended, or was stopped before.

        QuestionDeleted removes all of the answer. That is journalled before a message is deleted.
        """
        if self.stop_scope.stop_requested.done():
            return False
        if isinstance(reason, QuestionDeleted):
            self.checkpoint.record_removal(reason.message_ts)
        return self.stop_scope.stop(reason)

    def reader_lost(self, reason: SlackError | Stopped | QuestionDeleted) -> None:
        """Stop the answer because it can't be shown any more, its thread is gone, or its reader
        pressed Slack's own *Stop*."""
        if not self.stop(reason) and isinstance(reason, QuestionDeleted):
            self.checkpoint.record_removal()  # the final text is deleted instead of shown
