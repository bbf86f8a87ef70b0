"""Claims a question in the database before anything is posted for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.errors import StorageUnavailable
from bot.storage.records import Claim, TurnRecord
from bot.storage.store import Store
from bot.turn.thread_queue import is_stop, ordering_thread_key
from bot.values import Draft, Phase, Question

CLAIM_RETRY_SECONDS = 0.3  # before the second and last attempt of a claim

CLAIM_TIMEOUT_SECONDS = 2.4
"""Seconds until a claim counts as failed. Slack redelivers an event that is not acknowledged within
three seconds, perhaps to another process (docs/slack.md#acknowledgement)."""


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """The result of a claim.

    `turn` is to be run by this process. `stops_turn` is the id of the turn that the message stops.
    If there is neither, it was merged into a question that waits, or is a duplicate delivery.
    """

    turn: TurnRecord | None = None
    stops_turn: str | None = None
    is_duplicate: bool = False


class Intake:
    """Claims questions for this replica."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def claim(self, question: Question) -> IntakeResult:
        """Claim a question, or recognise it as a request to stop.

        A message that says nothing but "stop" is one, if the answer that runs in its thread belongs
        to the same person. Raises StorageUnavailable: then the question must not be answered.
        """
        try:
            async with asyncio.timeout(CLAIM_TIMEOUT_SECONDS):
                return await self._claim_or_stop(question)
        except TimeoutError as error:
            raise StorageUnavailable(f"no answer within {CLAIM_TIMEOUT_SECONDS:g} s") from error

    async def _claim_or_stop(self, question: Question) -> IntakeResult:
        stopped = await self._turn_to_stop(question)
        claim = await self._claim_with_retry(question, Draft(Phase.DONE) if stopped else None)
        if claim is Claim.DUPLICATE:
            return IntakeResult(is_duplicate=True)
        if stopped:
            return IntakeResult(stops_turn=stopped.question.id)
        if claim is Claim.MERGED:
            return IntakeResult()
        waiting = claim is Claim.QUEUED
        owner = self._store.replica
        return IntakeResult(TurnRecord(question, Draft(Phase.ASKING), owner, 1, waiting=waiting))

    async def _turn_to_stop(self, question: Question) -> TurnRecord | None:
        """The running turn that a message asks to stop; None if it is a question."""
        thread = ordering_thread_key(question)
        if thread is None or question.files or question.unreadable or not is_stop(question.text):
            return None
        running = await self._store.get_live_turn(thread)
        return running if running and running.question.is_controlled_by(question.user) else None

    async def _claim_with_retry(self, question: Question, end: Draft | None) -> Claim:
        thread = ordering_thread_key(question)
        try:
            return await self._store.claim(question, thread, end)
        except StorageUnavailable:
            await asyncio.sleep(CLAIM_RETRY_SECONDS)
            return await self._store.claim(question, thread, end)
