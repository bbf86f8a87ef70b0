"""Removes or replaces answers whose question is deleted or edited in Slack.

A deletion is stored as a command to each turn of the question. The replica that owns the turn, now
or after a take-over, deletes the messages of the answer.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.errors import StorageUnavailable
from bot.storage.records import TurnCommand, TurnRecord
from bot.storage.store import Store
from bot.storage.turn_ids import all_turn_ids, ask_count, retry_turn_id
from bot.turn.supervisor import Supervisor, Verdict
from bot.values import REMOVED_DRAFT, Question, message_key

log = logging.getLogger(__name__)


class Revisions:
    """Handles deleted and edited questions, on whichever replica they are answered."""

    def __init__(self, store: Store, supervisor: Supervisor) -> None:
        self._store = store
        self._supervisor = supervisor

    async def on_message_deleted(
        self, team: str, channel: str, ts: str, question: Question | None = None
    ) -> None:
        """Remove the answers that are being written to a deleted message. Ended answers stay.

        `question` is what the message asked, if anything. It is claimed with an empty final answer,
        so that a delivery that arrives after the deletion is not answered. If the question has
        other messages, they become a new turn when the owner of the old one ends it.
        """
        for turn in self._supervisor.turns_of_message(channel, ts):
            self._supervisor.remove(turn, ts)
        try:
            if question:
                await self._store.claim(question, None, REMOVED_DRAFT)
            for turn in await self._store.request_removal(message_key(team, channel, ts), ts):
                log.info("a question was deleted; its answer is removed", extra={"turn": turn})
                self._supervisor.remove(turn, ts)
        except StorageUnavailable as error:
            log.warning(
                "a deletion could not be stored; another replica may go on with the answer: %s",
                error,
            )

    async def next_turn_id(self, question: Question) -> str | None:
        """The id for the turn that asks an edited question: the next id of its turns, or
        `question.id` if it has none yet.

        None while the question waits in its thread: its turn will read the edited text from Slack.
        Raises StorageUnavailable.
        """
        earlier = await self._turns_of_key(question.keys[0])
        if any(_is_waiting_with(one, question) for one in earlier):
            return None
        asked = [one.question.id for one in earlier]
        return retry_turn_id(max(asked, key=ask_count)) if asked else question.id

    async def ask_edited(self, question: Question, turn: str) -> Verdict:
        """Ask an edited question in a new turn with the id `turn`, once, and stop the answers to
        its earlier text.

        Does nothing while the question waits in its thread: its turn will read the edited text from
        Slack.
        """
        try:
            asked = await self._turns_of_key(question.keys[0])
            if any(one.question.id == turn for one in asked):
                return Verdict.ALREADY_DONE
            if any(_is_waiting_with(one, question) for one in asked):
                return Verdict.DONE
            for one in asked:
                if not _has_several_messages(one):
                    await self._supervisor.stop(one.question.id, question.user)
            if not await self._supervisor.submit(_as_turn(question, turn)):
                return Verdict.ALREADY_DONE
            for one in filter(_has_several_messages, asked):
                await self._remove_message(one.question.id, question.ts or "")
        except StorageUnavailable:
            return Verdict.STORAGE_UNAVAILABLE
        return Verdict.DONE

    async def _remove_message(self, turn: str, ts: str) -> None:
        """End an answer to several messages, one of which is now asked alone. The others become a
        new turn."""
        if await self._store.send_command(TurnCommand(turn, ts, "remove")):
            self._supervisor.remove(turn, ts)

    async def _turns_of_key(self, key: str) -> list[TurnRecord]:
        """All turns of the question with this idempotency key. Raises StorageUnavailable."""
        turn = await self._store.get_claiming_turn_id(key)
        return await self._store.get_turns(all_turn_ids(turn)) if turn else []


def _is_waiting_with(record: TurnRecord, question: Question) -> bool:
    """Whether the message of `question` is part of a turn that waits in its thread."""
    is_waiting = record.waiting and not record.draft.phase.is_final
    return is_waiting and question.ts in record.question.messages


def _has_several_messages(record: TurnRecord) -> bool:
    return len(record.question.messages) > 1


def _as_turn(question: Question, turn: str) -> Question:
    """The question for the turn with the id `turn`, with that turn's idempotency key."""
    return question if turn == question.id else replace(question, id=turn, keys=(f"turn:{turn}",))
