"""From a question to the turn it becomes: claimed before anything is done about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.errors import StorageAway
from bot.storage.records import Claim, TurnRecord
from bot.storage.store import Store
from bot.turn.thread_queue import is_stop, thread_of
from bot.values import Draft, Phase, Question

AGAIN = 0.3  # seconds until a claim is tried a second time

IN_TIME = 2.4
"""Seconds in which it is decided whether a question is ours: Slack waits three for us to say that
we have it, and then brings it again, perhaps to another process (docs/slack.md#acknowledgement)."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a question. `turn` is to be run by us; `stops` is the turn it ends.

    Neither: it was joined to one that waits, or `known` already.
    """

    turn: TurnRecord | None = None
    stops: str | None = None
    known: bool = False


class Intake:
    """Claims questions for this replica."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, question: Question) -> Taken:
        """Claim a question. Raises StorageAway: then it is not ours and must not be answered.

        A message that only asks to stop, from the person whose answer is being written above,
        ends that answer and asks nothing. Every other message is a question, whole.
        """
        try:
            async with asyncio.timeout(IN_TIME):
                return await self._take(question)
        except TimeoutError as error:
            raise StorageAway(f"no answer within {IN_TIME:g} s") from error

    async def _take(self, question: Question) -> Taken:
        above = await self._stopped_by(question)
        claim = await self._claim(question, Draft(Phase.DONE) if above else None)
        if claim is Claim.DUPLICATE:
            return Taken(known=True)
        if above:
            return Taken(stops=above.question.id)
        if claim is Claim.MERGED:
            return Taken()
        waiting = claim is Claim.QUEUED
        mine = self._store.replica
        return Taken(TurnRecord(question, Draft(Phase.ASKING), mine, 1, waiting=waiting))

    async def _stopped_by(self, question: Question) -> TurnRecord | None:
        """The turn that a question wants to end; None if it wants nothing of the kind."""
        thread = thread_of(question)
        if thread is None or question.files or question.unreadable or not is_stop(question.text):
            return None
        above = await self._store.get_live_turn(thread)
        return above if above and above.question.obeys(question.user) else None

    async def _claim(self, question: Question, end: Draft | None) -> Claim:
        thread = thread_of(question)
        try:
            return await self._store.claim(question, thread, end)
        except StorageAway:
            await asyncio.sleep(AGAIN)
            return await self._store.claim(question, thread, end)
