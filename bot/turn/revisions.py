"""What becomes of answers when their question is deleted or edited in Slack.

A deletion is left as a wish of each turn, so that whichever replica owns the turn, now or after a
crash, deletes what stands of the answer.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.errors import StorageAway
from bot.storage.chain import chain_of, count_of, next_of
from bot.storage.records import TurnRecord, Wish
from bot.storage.store import Store
from bot.turn.supervisor import Supervisor, Verdict
from bot.values import REMOVED, Question, message_key

log = logging.getLogger(__name__)


class Revisions:
    """Deletions and edits of questions, whichever replica answers them."""

    def __init__(self, store: Store, turns: Supervisor) -> None:
        self._store = store
        self._turns = turns

    async def deleted(
        self, team: str, channel: str, ts: str, question: Question | None = None
    ) -> None:
        """A message was deleted: end the answers that are being written to it, and let nothing of
        them stay. An answer that has its end stays.

        `question` is what it asked, if anything: one that is delivered after its deletion is not
        answered. What was to be answered together with it is asked anew by whoever owns the turn.
        """
        for turn in self._turns.asked_by(channel, ts):
            self._turns.remove(turn, ts)
        try:
            if question:
                await self._store.claim(question, None, REMOVED)
            for turn in await self._store.remove(message_key(team, channel, ts), ts):
                log.info("a question was deleted", extra={"turn": turn})
                self._turns.remove(turn, ts)
        except StorageAway as error:
            log.warning("the answer to a deleted question may go on elsewhere: %s", error)

    async def next_turn(self, question: Question) -> str | None:
        """The id of the turn that asks an edited question again; its own if it was never asked.
        None while it waits: it will be asked as it reads then.

        Raises StorageAway.
        """
        chain = await self._chain(question.keys[0])
        if any(_waits_with(one, question) for one in chain):
            return None
        asked = [one.question.id for one in chain]
        return next_of(max(asked, key=count_of)) if asked else question.id

    async def ask(self, question: Question, turn: str) -> Verdict:
        """Ask an edited question as `turn`, once; what is still being written to it ends.

        Where it still waits nothing is to be done: it will be asked as Slack shows it then.
        """
        try:
            asked = await self._chain(question.keys[0])
            if any(one.question.id == turn for one in asked):
                return Verdict.OVER
            if any(_waits_with(one, question) for one in asked):
                return Verdict.TAKEN
            for one in asked:
                if not _with_others(one):
                    await self._turns.stop(one.question.id, question.user)
            if not await self._turns.submit(_as(question, turn)):
                return Verdict.OVER
            for one in filter(_with_others, asked):
                await self._take_out(one.question.id, question.ts or "")
        except StorageAway:
            return Verdict.AWAY
        return Verdict.TAKEN

    async def _take_out(self, turn: str, ts: str) -> None:
        """End an answer to several messages because one of them is asked by itself; the others are
        asked anew."""
        if await self._store.wish(Wish(turn, ts, "remove")):
            self._turns.remove(turn, ts)

    async def _chain(self, key: str) -> list[TurnRecord]:
        """The turns that the question of a key has had. Raises StorageAway."""
        turn = await self._store.claimed(key)
        return await self._store.among(chain_of(turn)) if turn else []


def _waits_with(record: TurnRecord, question: Question) -> bool:
    """Whether a question is part of one that has not been asked yet, and will be."""
    will_be = record.waiting and not record.draft.phase.final
    return will_be and question.ts in record.question.messages


def _with_others(record: TurnRecord) -> bool:
    return len(record.question.messages) > 1


def _as(question: Question, turn: str) -> Question:
    """The question as another turn than its first."""
    return question if turn == question.id else replace(question, id=turn, keys=(f"turn:{turn}",))
