"""*Regenerate*: answers a question again, in the messages of its finished answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bot.errors import SlackError, StorageUnavailable
from bot.history.conversation import History
from bot.storage.records import Claim, ShownMessage, TurnRecord
from bot.storage.store import Store
from bot.storage.turn_ids import all_turn_ids, ask_count, retry_turn_id
from bot.turn.answering.rewriting import version_of
from bot.turn.running import RunningTurns
from bot.turn.supervisor import RETRYABLE_PHASES, Verdict, askable_question
from bot.turn.thread_queue import ordering_thread_key
from bot.values import Draft, Phase, Question, Rewrite

log = logging.getLogger(__name__)

CLOSE_WAIT_SECONDS = 5.0
"""How long a press waits for the end of an answer whose text is complete. Ours: usually it takes a
few milliseconds, but a mention of the asker or a last edit may have to wait for Slack's limits."""

CLOSE_POLL_SECONDS = 0.1


class Regeneration:
    """Starts turns that write an answer again."""

    def __init__(self, store: Store, running: RunningTurns, history: History) -> None:
        self._store = store
        self._running = running
        self._history = history

    async def start(self, turn: str, number: int, user: str) -> Verdict:
        """Start turn `number` of an answer whose messages were written last by `turn`, once, for
        its asker."""
        return await self._press(turn, user, lambda record: self._start(record, number))

    async def show_version(self, turn: str, number: int, user: str, step: int) -> Verdict:
        """Show the version that is `step` after the one that is shown (-1: the one before) in the
        same messages, as turn `number` of the answer, once, for its asker."""
        return await self._press(turn, user, lambda record: self._show(record, number, step))

    async def _press(
        self, turn: str, user: str, act: Callable[[TurnRecord], Awaitable[Verdict]]
    ) -> Verdict:
        try:
            record = await self._closed_turn(turn)
            if record is None:
                return Verdict.UNKNOWN_QUESTION
            if not record.question.is_controlled_by(user):
                return Verdict.NOT_ASKER
            if not record.draft.phase.is_final or record.draft.phase in RETRYABLE_PHASES:
                return Verdict.ALREADY_DONE
            if record.owner:
                return Verdict.STORAGE_UNAVAILABLE
            return await act(record)
        except StorageUnavailable:
            return Verdict.STORAGE_UNAVAILABLE
        except SlackError as error:
            log.warning(
                "an answer is not written again, because Slack can't be read: %s",
                error,
                extra={"turn": turn},
            )
            return Verdict.STORAGE_UNAVAILABLE

    async def _start(self, record: TurnRecord, number: int) -> Verdict:
        rewrite = _next_rewrite(record, number)
        asked = await self._store.get_turns(all_turn_ids(record.question.id))
        if rewrite is None or any(_is_of(one.question, rewrite) for one in asked):
            return Verdict.ALREADY_DONE
        known = askable_question(record)
        question = await self._history.current_question(known) if known else None
        if question is None:
            return Verdict.QUESTION_DELETED if known else Verdict.UNKNOWN_QUESTION
        earlier = await self._shown_draft(record, rewrite)
        if earlier is None:
            return Verdict.UNKNOWN_ANSWER
        turn = retry_turn_id(max((one.question.id for one in asked), key=ask_count))
        return await self._claim(_as_rewrite(question, turn, rewrite), earlier, record.messages)

    async def _show(self, record: TurnRecord, number: int, step: int) -> Verdict:
        rewrite = _next_rewrite(record, number)
        asked = await self._store.get_turns(all_turn_ids(record.question.id))
        if rewrite is None or any(_is_of(one.question, rewrite) for one in asked):
            return Verdict.ALREADY_DONE
        position = version_of(record.question.id, record.question.rewrite, record.shows)
        wanted = position[0] + step if position else 0
        if position is None or not 1 <= wanted <= position[1]:
            return Verdict.ALREADY_DONE
        rewrite = replace(rewrite, earlier=rewrite.versions[wanted - 1])
        version = await self._store.get_turn(rewrite.earlier)
        if version is None or not version.draft.text:
            return Verdict.UNKNOWN_ANSWER
        turn = retry_turn_id(max((one.question.id for one in asked), key=ask_count))
        question = _as_rewrite(record.question, turn, rewrite)
        return await self._claim(question, version.draft, record.messages, rewrite.earlier)

    async def _claim(
        self,
        question: Question,
        earlier: Draft,
        shown: tuple[ShownMessage, ...],
        shows: str = "",
    ) -> Verdict:
        thread = ordering_thread_key(question)
        messages = tuple(replace(one, method="edit") for one in shown)
        match await self._store.claim_rewrite(question, thread, earlier, messages, shows):
            case Claim.CLAIMED:
                record = TurnRecord(
                    question,
                    earlier if shows else Draft(Phase.ASKING),
                    self._store.replica,
                    1,
                    messages=messages,
                    earlier=None if shows else earlier,
                    shows=shows,
                )
                # One of the messages may have been deleted since.
                self._running.start(record, messages_verified=False)
                return Verdict.DONE
            case Claim.BUSY:
                return Verdict.THREAD_BUSY
        return Verdict.ALREADY_DONE

    async def _closed_turn(self, turn: str) -> TurnRecord | None:
        """The record of a turn. If Slack shows its whole text already, this waits until the turn is
        closed, at most CLOSE_WAIT_SECONDS."""
        deadline = asyncio.get_running_loop().time() + CLOSE_WAIT_SECONDS
        while True:
            record = await self._store.get_turn(turn)
            is_ending = record and record.owner and record.draft.phase.is_final
            if not is_ending or asyncio.get_running_loop().time() > deadline:
                return record
            await asyncio.sleep(CLOSE_POLL_SECONDS)

    async def _shown_draft(self, record: TurnRecord, rewrite: Rewrite) -> Draft | None:
        """What the messages of an answer show, without the line of a failed attempt. Where no texts
        are stored it is read from Slack; None if it can't be found."""
        if record.shows and (source := await self._store.get_turn(record.shows)):
            record = source
        if record.draft.text:
            return record.draft
        text = await self._history.read_answer(record.question, record.messages)
        return Draft(record.draft.phase, text) if text else None


def _next_rewrite(record: TurnRecord, number: int) -> Rewrite | None:
    """What a press asks for; None if `number` does not follow the last turn of the answer."""
    turn, last = record.question.id, record.question.rewrite
    if number != (last.number + 1 if last else 2):
        return None
    return Rewrite(last.answer if last else turn, number, record.shows or turn, _versions(record))


def _versions(record: TurnRecord) -> tuple[str, ...]:
    """The turns of an answer whose texts can be shown again, oldest first; this needs stored texts.
    A turn that was stopped, or shows another one's text, is no version."""
    last = record.question.rewrite
    versions = last.versions if last else ()
    is_version = not record.shows and record.draft.text
    return (*versions, record.question.id) if is_version else versions


def _is_of(question: Question, rewrite: Rewrite) -> bool:
    """Whether a turn has written the same answer as often, or more often."""
    one = question.rewrite
    return one is not None and one.answer == rewrite.answer and one.number >= rewrite.number


def _as_rewrite(question: Question, turn: str, rewrite: Rewrite) -> Question:
    key = f"rewrite:{rewrite.answer}:{rewrite.number}"
    return replace(question, id=turn, keys=(key,), response_url=None, rewrite=rewrite)
