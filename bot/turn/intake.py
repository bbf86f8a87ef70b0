"""From a question to the turn it becomes: claimed before anything is done about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.errors import StorageUnavailable
from bot.storage.records import Claim, TurnRecord
from bot.storage.store import Store
from bot.turn.thread_queue import is_stop, ordering_thread_key
from bot.values import Draft, Phase, Question

CLAIM_RETRY_SECONDS = 0.3  # seconds until a claim is tried a second time

CLAIM_TIMEOUT_SECONDS = 2.4
"""Seconds in which it is decided whether a question is ours: Slack waits three for us to say that
we have it, and then brings it again, perhaps to another process (docs/slack.md#acknowledgement)."""


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of a question. `turn` is to be run by us; `stops_turn` is the turn it ends.

    Neither: it was joined to one that waits, or `is_duplicate` already.
    """

    turn: TurnRecord | None = None
    stops_turn: str | None = None
    is_duplicate: bool = False


class Intake:
    """Claims questions for this replica."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def claim(self, question: Question) -> IntakeResult:
        """Claim a question. Raises StorageUnavailable: then it is not ours and must not be
        answered.

        A message that only asks to stop, from the person whose answer is being written above,
        ends that answer and asks nothing. Every other message is a question, whole.
        """
        try:
            async with asyncio.timeout(CLAIM_TIMEOUT_SECONDS):
                return await self._claim_or_stop(question)
        except TimeoutError as error:
            raise StorageUnavailable(f"no answer within {CLAIM_TIMEOUT_SECONDS:g} s") from error

    async def _claim_or_stop(self, question: Question) -> IntakeResult:
        above = await self._turn_to_stop(question)
        claim = await self._claim_with_retry(question, Draft(Phase.DONE) if above else None)
        if claim is Claim.DUPLICATE:
            return IntakeResult(is_duplicate=True)
        if above:
            return IntakeResult(stops_turn=above.question.id)
        if claim is Claim.MERGED:
            return IntakeResult()
        waiting = claim is Claim.QUEUED
        mine = self._store.replica
        return IntakeResult(TurnRecord(question, Draft(Phase.ASKING), mine, 1, waiting=waiting))

    async def _turn_to_stop(self, question: Question) -> TurnRecord | None:
        """The turn that a question wants to end; None if it wants nothing of the kind."""
        thread = ordering_thread_key(question)
        if thread is None or question.files or question.unreadable or not is_stop(question.text):
            return None
        above = await self._store.get_live_turn(thread)
        return above if above and above.question.is_controlled_by(question.user) else None

    async def _claim_with_retry(self, question: Question, end: Draft | None) -> Claim:
        thread = ordering_thread_key(question)
        try:
            return await self._store.claim(question, thread, end)
        except StorageUnavailable:
            await asyncio.sleep(CLAIM_RETRY_SECONDS)
            return await self._store.claim(question, thread, end)
