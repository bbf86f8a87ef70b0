"""One answer from start to end: wait, read the conversation, ask the model, run its tools, show it.

Reading the stream never waits for Slack: each draft is handed to the reply, which shows the newest
when it can.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace

from bot.delivery import Reply
from bot.errors import (
    LeaseLost,
    QuestionDeleted,
    SlackError,
    SlackRateLimited,
    SlackUnreachable,
    Stopped,
    ThreadGone,
)
from bot.files.reader import QuestionFiles
from bot.history.conversation import Conversation
from bot.storage.records import ShownMessage
from bot.turn.answering.mentions import mention_asker
from bot.turn.answering.model_rounds import ModelRounds
from bot.turn.answering.rewriting import RewritingReply, restored_draft, version_of
from bot.turn.answering.services import AnswerServices
from bot.turn.answering.side_tasks import running_alongside, uncancel
from bot.turn.durability.resume import initial_state, predetermined_end, resume_point_of
from bot.turn.durability.tool_progress import parse_progress
from bot.turn.state.answer_state import AnswerState, join_status_lines
from bot.turn.state.limits import AnswerLimitReached
from bot.turn.state.unreadable_parts import (
    files_remark,
    join_remarks,
    not_read_remark,
    unreadable_remark,
    wordless_question_reply,
)
from bot.turn.turn import Turn
from bot.values import REMOVED_DRAFT, Draft, Phase
from bot.words import Phrase, say

log = logging.getLogger(__name__)

SLACK_RETRY_SECONDS = 1.0  # seconds until messages are read again after Slack did not answer


class AnswerRunner(AnswerServices):
    """Answers turns. Holds what all answers share, and keeps no state of a single turn."""

    async def answer(self, turn: Turn) -> Phase | None:
        """Answer a turn's question in Slack. Returns the final phase; None if another process owns
        the turn now.

        Cancelling this interrupts the answer: its text stays in Slack, with a sentence that says
        so. If the turn was released before, nothing more is written.
        """
        existing = await self._find_existing_messages(turn)
        state = self._initial_state(turn, existing)
        reply: Reply = self.delivery.create_reply(
            turn.question,
            on_reader_lost=turn.reader_lost,
            existing=existing,
            guard=turn.checkpoint,
        )
        if turn.record.earlier:
            reply = RewritingReply(reply, turn.record.earlier)
        answer = AnswerInProgress(self, turn, state, reply)
        try:
            await answer.run_to_end()
            await answer.show_end()
        except SlackError as error:
            log.warning("Slack does not accept an answer there; the turn failed: %s", error)
            await turn.checkpoint.close(state.fail())
        except (LeaseLost, asyncio.CancelledError) as error:
            reply.abandon()
            if not turn.released and not isinstance(error, LeaseLost):
                raise
            return None
        return answer.outcome

    async def _find_existing_messages(self, turn: Turn) -> Sequence[ShownMessage]:
        """The messages of the answer that are in Slack already. If the record may be incomplete,
        they are read from Slack, again and again until it responds."""
        known = turn.checkpoint.messages
        while not turn.messages_verified:
            try:
                return await self.delivery.find_messages(turn.question, known) or known
            except SlackRateLimited as error:
                await asyncio.sleep(error.retry_after)
            except SlackUnreachable:
                await asyncio.sleep(SLACK_RETRY_SECONDS)
            except ThreadGone as error:
                turn.reader_lost(QuestionDeleted(turn.id))
                channel = turn.question.place.channel
                return [*known, *(ShownMessage(ts, channel) for ts in error.misplaced)]
            except SlackError as error:
                log.warning(
                    "the messages of an answer can't be read from Slack; "
                    "the recorded ones are used: %s",
                    error,
                )
                break
        return known

    def _initial_state(self, turn: Turn, existing: Sequence[ShownMessage]) -> AnswerState:
        state = initial_state(turn.record, time.time())
        state.model_name = self.upstream.model_name
        state.shows_reasoning = self.show_reasoning
        if turn.record.send_unverifiable and not existing and state.phase is Phase.DONE:
            notice = say(state.language, Phrase.POSSIBLE_DUPLICATE)
            status_line = join_status_lines(notice, state.status_line)
            state.end(replace(state.draft, status_line=status_line))
        return state


class AnswerInProgress:
    """One answer while it is written: asks the model, runs its tools, and shows the outcome.

    Call `run_to_end`, then `show_end`; both raise SlackError and LeaseLost.
    """

    def __init__(self, runner: AnswerRunner, turn: Turn, state: AnswerState, reply: Reply) -> None:
        self._runner = runner
        self._turn = turn
        self._state = state
        self._reply = reply
        self._model_rounds = ModelRounds(runner, turn, state, reply)
        self._conversation: Conversation | None = None
        self._shows = turn.record.shows  # the turn that has written the final text, if another one
        self._failed_as: Phase | None = None

    @property
    def outcome(self) -> Phase:
        """How the turn has ended. An answer that failed to be written again may show the earlier
        text, as it had ended."""
        return self._failed_as or self._state.phase

    async def run_to_end(self) -> None:
        """Run until the state has an outcome: done, stopped, cut off, failed or interrupted."""
        state = self._state
        try:
            await self._turn.stop_scope.run_until_stopped(
                self._post_placeholder(), self._wait_and_write()
            )
        except Stopped as stopped:
            state.stop(stopped.user)
        except AnswerLimitReached as limit:
            log.info("the answer was cut off: %s", limit)
            state.cut_off(limit.user_message, self._runner.limits.characters)
        except QuestionDeleted:
            state.remove()
        except asyncio.CancelledError:
            if self._turn.released:
                raise
            uncancel()
            state.interrupt()
        except (SlackError, LeaseLost):
            raise
        except Exception:
            log.exception("the turn failed with an unexpected error")
            state.fail()
        self._restore_earlier()

    def _restore_earlier(self) -> None:
        """Show the earlier text again if the answer failed to be written again."""
        state, earlier = self._state, self._turn.record.earlier
        rewrite = self._turn.question.rewrite
        if self._shows or not (rewrite and earlier):
            return
        if draft := restored_draft(earlier, state.draft, state.language):
            log.info("the earlier version of the answer is shown again")
            self._shows, self._failed_as = rewrite.earlier, state.phase
            state.end(draft)

    def _with_version(self, draft: Draft) -> Draft:
        """A draft; a final one with its position among the versions of the answer."""
        question = self._turn.question
        if not draft.phase.is_final or draft == REMOVED_DRAFT:
            return draft
        return replace(draft, version=version_of(question.id, question.rewrite, self._shows))

    async def show_end(self) -> None:
        """Journal the outcome, show it, close the turn. After a crash the next owner shows it."""
        turn, state = self._turn, self._state
        await turn.checkpoint.record_end(state.draft, state.usage, self._shows or None)
        try:
            await self._reply.finish(self._with_version(state.draft))
            is_shown = True
        except SlackError as error:
            is_shown = False
            log.warning("the end of the answer could not be shown in Slack: %s", error)
        if state.draft != REMOVED_DRAFT:
            messages = [message.ts for message in turn.checkpoint.messages]
            self._runner.history.remember_answer(turn.question, state.text, messages)
            self._runner.history.summarise(self._conversation)
        self._runner.metrics.answer_seconds.observe(time.monotonic() - turn.asked_at)
        turn.checkpoint.mark_readable()
        if is_shown:
            await mention_asker(
                turn, state.draft, self._runner.delivery, self._runner.notify_after_seconds
            )
        await self._reply.wait_cleanup()
        await turn.checkpoint.close(state.draft)

    async def _post_placeholder(self) -> None:
        self._turn.checkpoint.display_started()
        await self._reply.open(self._with_version(self._state.draft))
        self._runner.metrics.placeholder_seconds.observe(time.monotonic() - self._turn.asked_at)

    async def _wait_and_write(self) -> None:
        """Wait for the thread and for a free slot, then read what the model writes."""
        turn, state, reply = self._turn, self._state, self._reply
        if state.phase.is_final:
            return
        may_be_outdated = turn.waiting or turn.fence > 1
        if turn.waiting:
            await turn.wait_for_thread_slot()
            reply.show(state.start_asking())
        async with self._runner.concurrency.slot(lambda ahead: reply.show(state.queue(ahead))):
            if state.phase is Phase.QUEUED:
                may_be_outdated = True
                reply.show(state.start_asking())
            async with self._reading_files() as files:
                conversation = await self._read_conversation(files, may_be_outdated=may_be_outdated)
                self._conversation = replace(conversation, messages=())  # the bytes are not kept
                await self._ask(conversation, files)

    @asynccontextmanager
    async def _reading_files(self) -> AsyncIterator[QuestionFiles | None]:
        """What reads the files of the question; None if they are not read."""
        reader = self._runner.files
        async with reader.reading() if reader else nullcontext() as files:
            yield files

    async def _ask(self, conversation: Conversation, files: QuestionFiles | None) -> None:
        """Ask the model, unless the answer is known without it."""
        question, state = self._turn.question, self._state
        about_files = ""
        if files:
            about_files = files_remark(state.language, files.skipped, files.attachments)
        end = predetermined_end(question, conversation.end)
        if not (end or question.text.strip() or (files and files.attachments)):
            end = Draft(Phase.DONE, wordless_question_reply(question), about_files)
        if end:
            state.end(end)
            return
        unread = unreadable_remark(question, except_files=files is not None)
        state.remark = join_remarks(state.language, conversation.remark, unread, about_files)
        if conversation.knows_files and files:
            await self._model_rounds.ask(conversation)
            return
        async with running_alongside(self._remark_unreadable_attachments()):
            await self._model_rounds.ask(conversation)

    async def _read_conversation(
        self, files: QuestionFiles | None, *, may_be_outdated: bool
    ) -> Conversation:
        """The conversation the model is asked with, and its files. If the question
        `may_be_outdated`, it is read from Slack again, unless the model was asked before. Raises
        QuestionDeleted."""
        record = self._turn.record
        was_asked = resume_point_of(record) or parse_progress(record.tool_rounds).rounds
        conversation = await self._runner.history.read_conversation(
            self._turn.question,
            refresh=may_be_outdated and not was_asked,
            files=files,
        )
        self._turn.record_question(conversation.question)
        return conversation

    async def _remark_unreadable_attachments(self) -> None:
        """Once the model writes, look for attachments that the event did not name. The answer does
        not wait for that: what is found after its end is not mentioned."""
        await self._model_rounds.started.wait()
        if unlisted := await self._runner.history.find_unlisted_parts(self._turn.question):
            state = self._state
            remark = not_read_remark(state.language, unlisted)
            state.remark = join_remarks(state.language, state.remark, remark)
