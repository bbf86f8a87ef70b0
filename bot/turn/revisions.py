"""What becomes of answers when their question is deleted or edited in Slack.

A deletion is left as a wish of each turn, so that whichever replica owns the turn, now or after a
crash, deletes what stands of the answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.errors import StorageAway
from bot.storage.records import TurnRecord, Wish
from bot.storage.store import Store
from bot.turn.again import chain_of, count_of, next_of
from bot.turn.supervisor import Supervisor, Verdict
from bot.values import REMOVED, Place, Question, message_key

log = logging.getLogger(__name__)

LOOK_AGAIN = 0.2  # seconds until it is looked again whether a question has left the queue
LOOKS = 50


class Revisions:
    """Deletions and edits of questions, whichever replica answers them."""

    def __init__(
        self,
        store: Store,
        turns: Supervisor,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._turns = turns
        self._sleep = sleep

    async def deleted(
        self, team: str, channel: str, ts: str, question: Question | None = None
    ) -> list[tuple[Place, str]]:
        """A message was deleted: end the answers that are being written to it, and let nothing of
        them stay. An answer that has its end stays.

        `question` is what it asked, if anything: one that is delivered after its deletion is not
        answered. Returns place and ts of the messages that were to be answered together with it:
        they have to be asked anew.
        """
        for turn in self._turns.asked_by(channel, ts):
            self._turns.remove(turn)
        try:
            if question:
                await self._store.claim(question, None, REMOVED)
            chain = await self._chain(message_key(team, channel, ts))
            removed = [one for one in chain if await self._wish(one)]
        except StorageAway as error:
            log.warning("the answer to a deleted question may go on elsewhere: %s", error)
            return []
        asked = [one.question for one in removed]
        return [(q.place, other) for q in asked for other in _messages(q) if other != ts]

    async def next_turn(self, question: Question) -> str:
        """The id of the turn that asks an edited question again; its own if it was never asked.

        Raises StorageAway.
        """
        asked = [one.question.id for one in await self._chain(question.keys[0])]
        return next_of(max(asked, key=count_of)) if asked else question.id

    async def ask(self, question: Question, turn: str) -> Verdict:
        """Ask an edited question as `turn`, once; what is still being written to it is stopped."""
        try:
            asked = await self._chain(question.keys[0])
            if any(one.question.id == turn for one in asked):
                return Verdict.OVER
            for one in asked:
                await self._turns.stop(one.question.id, question.user)
            await self._out_of_queue(question)
        except StorageAway:
            return Verdict.AWAY
        if turn != question.id:
            question = replace(question, id=turn, keys=(f"turn:{turn}",))
        return Verdict.TAKEN if await self._turns.submit(question) else Verdict.OVER

    async def _wish(self, record: TurnRecord) -> bool:
        """Have an answer removed by whoever writes it; False if it has its end."""
        turn = record.question.id
        wished = await self._store.wish(Wish(turn, "", "remove"))
        if wished:
            log.info("a question was deleted", extra={"turn": turn})
            self._turns.remove(turn)
        return wished

    async def _out_of_queue(self, question: Question) -> None:
        """Wait until no turn of the asker waits with the question as it was: what is asked now
        would be joined to it, and end with it. Raises StorageAway."""
        for _ in range(LOOKS):
            asked = await self._chain(question.keys[0])
            if not any(one.waiting and one.question.user == question.user for one in asked):
                return
            await self._sleep(LOOK_AGAIN)
        raise StorageAway("a turn that was stopped still waits")

    async def _chain(self, key: str) -> list[TurnRecord]:
        """The turns that the question of a key has had. Raises StorageAway."""
        turn = await self._store.claimed(key)
        return await self._store.among(chain_of(turn)) if turn else []


def _messages(question: Question) -> tuple[str, ...]:
    return (*question.earlier, question.ts) if question.ts else question.earlier
