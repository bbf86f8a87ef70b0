"""Shows an answer by posting a placeholder and editing it.

The reply holds the newest draft and the layout of the messages. Its dispatcher drives it as a
`LiveReply`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from bot.delivery import TurnGuard
from bot.delivery.clock import loop_time
from bot.delivery.edits.layout import EditLayout
from bot.delivery.edits.reconcile import Delete, Edit, Post, Step
from bot.delivery.edits.refusals import Fallback, fallback_for
from bot.delivery.edits.writer import EditWriter
from bot.delivery.feedback_buttons import FeedbackButtons
from bot.delivery.scheduling.live_reply import LEASE_RECHECK_SECONDS, Backoff
from bot.delivery.scheduling.reader_state import NEVER, ReaderState
from bot.errors import (
    LeaseLost,
    QuestionDeleted,
    SlackRateLimited,
    SlackRefused,
    SlackUnreachable,
)
from bot.render.message import MessageBody
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import REMOVED_DRAFT, Draft, Phase, Question
from bot.words import Phrase, say

log = logging.getLogger(__name__)


class EditedReply:
    """One answer in a channel, thread or direct message: a `Reply` and a `LiveReply[Step]`.

    When its messages are gone or can't be written any more, later drafts are ignored, and `finish`
    raises the `SlackRefused`. If a message exists already, `on_reader_lost` is called with the
    error; else `open` raises it. When the thread is gone, `on_reader_lost` is called with
    `QuestionDeleted`, and the messages are deleted.

    - `first_elsewhere`: the body of the first message, if that was sent to another conversation.
    - `existing`: messages of the answer that exist here.
    - `already_opened`: this reply continues one that was opened before, so an error is reported
      by `on_reader_lost` although `open` of this one has not returned.
    - `feedback`: whether the finished answer has feedback buttons.
    - `on_change`: the dispatcher's `on_reply_changed`.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        first_elsewhere: MessageBody | None = None,
        existing: Sequence[ShownMessage] = (),
        guard: TurnGuard | None = None,
        already_opened: bool = False,
        words_per_second: float,
        feedback: FeedbackButtons,
        on_change: Callable[[EditedReply], None],
        on_reader_lost: Callable[[SlackRefused | QuestionDeleted], None],
    ) -> None:
        self.question = question
        self.reader = ReaderState(words_per_second)
        self.next_step_type: type[Step] = Edit if existing else Post  # as expected of `plan_step`
        self.write_in_flight = False
        self.delay_notice: Phrase | None = (
            None  # shown in the placeholder: why the text may show late
        )
        self._guard = guard
        self._on_change = on_change
        self._on_reader_lost = on_reader_lost
        self._feedback = feedback
        self._feedback_refusal: SlackRefused | None = None  # perhaps because of the buttons
        timestamps = [message.ts for message in existing]
        self._layout = EditLayout(question, first_elsewhere, timestamps, feedback=feedback.shown)
        self.reader.needs_edit = self._layout.needs_edit
        streams = [message.ts for message in existing if message.method == "native"]
        self._writer = EditWriter(
            slack, question, may_write=self._may_write, possible_streams=streams
        )
        self._draft: Draft | None = None
        self._unseen_since_before_write = NEVER  # `unseen_since` of the text in flight
        self._words_in_flight = 0.0  # words of the draft in flight
        self._backoff, self._delete_backoff = Backoff(), Backoff()
        self._failure: SlackRefused | LeaseLost | None = None
        self._already_opened = already_opened
        self._posted, self._finished, self._cleanup_done = (asyncio.Event() for _ in range(3))
        if existing:
            self._posted.set()

    async def open(self, draft: Draft) -> None:
        """As `Reply.open`."""
        self._accept_draft(draft)
        await self._posted.wait()
        if self._failure:
            raise self._failure

    def show(self, draft: Draft) -> None:
        """As `Reply.show`."""
        self._accept_draft(draft)

    async def finish(self, draft: Draft) -> None:
        """As `Reply.finish`."""
        self._accept_draft(draft)
        await self._finished.wait()
        if self._failure:
            raise self._failure

    async def wait_cleanup(self) -> None:
        """As `Reply.wait_cleanup`."""
        await self._cleanup_done.wait()

    def abandon(self) -> None:
        """As `Reply.abandon`."""
        if not self._failure and not self.is_ended:
            self._end_with(LeaseLost(f"the turn {self.question.id} belongs to another process now"))
            if self._draft:
                self._on_change(self)

    @property
    def is_ended(self) -> bool:
        """Whether nothing is left to write and no write is in flight."""
        return (
            self._finished.is_set()
            and self.reader.unseen_since == NEVER
            and not self.write_in_flight
            and not self.delete_of_replaced
        )

    @property
    def is_posted(self) -> bool:
        """Whether a message of the answer exists."""
        return self._posted.is_set()

    @property
    def delete_of_replaced(self) -> Delete | None:
        """The step that deletes a placeholder, because a message with text has replaced it; None if
        there is none. It needs no `plan_step`, and text does not wait for it."""
        return None if self._failure else self._layout.delete_of_replaced

    @property
    def delete_retry_at(self) -> float:
        """When that step may be tried again, after failures."""
        return self._delete_backoff.retry_at

    def writable_at(self, now: float) -> float:
        """As `LiveReply.writable_at`."""
        owned = self._guard is None or self._guard.owns_lease()
        return max(now if owned else now + LEASE_RECHECK_SECONDS, self._backoff.retry_at)

    def plan_step(self) -> Step | None:
        """As `LiveReply.plan_step`."""
        step = self._layout.plan(self._draft_to_show)
        if step is None and self._is_removing:
            step = self._writer.unconfirmed_post  # it may exist, and is deleted then
        self._words_in_flight = self.reader.words_written
        if step:
            self.next_step_type = type(step)
        else:
            self.reader.unseen_since = NEVER
            self._on_up_to_date()
        return step

    def roll_over(self, *, replace: bool) -> bool:
        """Plan the missing text as a new message; False if that can't be done.

        With `replace`, a placeholder that shows no text is deleted afterwards.
        """
        draft = self._draft_to_show
        begun = replace and self._layout.replace_placeholder(draft)
        return (begun or self._layout.roll_over(draft)) and self.plan_step() is not None

    def begin_write(self) -> None:
        """As `LiveReply.begin_write`."""
        self.write_in_flight = True
        self._unseen_since_before_write, self.reader.unseen_since = self.reader.unseen_since, NEVER

    async def perform(self, step: Step) -> None:
        """As `LiveReply.perform`."""
        try:
            done = await self._write(step)
        except SlackRateLimited as error:
            self._restore_unseen()
            if error.method == "chat.stopStream":  # the dispatcher has no limiter for it
                self._backoff.retry_at = loop_time() + error.retry_after
                return
            raise
        except SlackUnreachable as error:
            log.info("a write may be lost and is tried again: %s", error)
            self._mark_unknown(step)
        except SlackRefused as error:
            self._handle_refusal(step, error)
        except Exception:
            log.exception("a write failed unexpectedly and is tried again")
            self._mark_unknown(step)
        else:
            if done is None:
                self._restore_unseen()
            else:
                replaced = step == self._layout.delete_of_replaced
                self._layout.mark_done(*done)
                if self._writer.is_outside_thread:
                    self._remove_answer()
                if replaced:
                    self._after_delete_of_replaced()
                else:
                    self._after_step()
        finally:
            self.write_in_flight = False

    async def _write(self, step: Step) -> tuple[Step, str] | None:
        """Carry out a step; None if nothing was written.

        Before the number of messages changes, the turn journals that, so that a process that takes
        the turn over reads the messages from Slack. The first message needs no journal entry:
        Slack is searched for it in any case. If the turn can't journal, messages are posted all the
        same, but none is deleted.
        """
        shown = self._layout.shown
        if self._guard and shown and not isinstance(step, Edit) and self._may_write():
            journalled = await self._guard.before_layout_change()
            if not journalled and isinstance(step, Delete):
                self._back_off(step)
                return None
        return await self._writer.write(step, shown) if self._may_write() else None

    def postpone(self) -> None:
        """As `LiveReply.postpone`."""
        self.write_in_flight = False
        self._restore_unseen()

    @property
    def _draft_to_show(self) -> Draft:
        """The newest draft, with the delay notice if it is only a placeholder."""
        assert self._draft
        if self.delay_notice and self._draft == Draft(Phase.ASKING):
            notice = say(self.question.language, self.delay_notice)
            return Draft(Phase.ASKING, status_line=notice)
        return self._draft

    def _accept_draft(self, draft: Draft) -> None:
        if self._failure or self.reader.final:
            return
        self._draft = draft
        reader, now = self.reader, loop_time()
        reader.final, reader.has_stale_footer = draft.phase.is_final, False
        if draft == REMOVED_DRAFT:
            self.next_step_type, self._writer.posting_closed = Delete, True
        reader.update_text(draft.text)
        if draft.text and reader.text_began_at == NEVER:
            reader.text_began_at = now
        if reader.unseen_since == NEVER or reader.final:
            reader.unseen_since = now if reader.final else min(now, reader.unseen_since)
            self._on_change(self)

    @property
    def _is_removing(self) -> bool:
        """Whether all messages of the answer are to be deleted."""
        return self._draft == REMOVED_DRAFT

    def _remove_answer(self) -> None:
        """Delete the whole answer, because its thread is gone."""
        if self._is_removing or self._failure:
            return
        log.info("the thread of an answer is gone; its messages are deleted")
        self._on_reader_lost(QuestionDeleted(self.question.id))  # before the deletes are journalled
        self.reader.final = False
        self._accept_draft(REMOVED_DRAFT)

    def _after_step(self) -> None:
        """Report a step that Slack took, and find out whether another one follows."""
        if self._failure:
            return
        self._backoff.record_success()
        if self._feedback_refusal:
            self._feedback.record_refused(self._feedback_refusal)
            self._feedback_refusal = None
        step = self._layout.plan(REMOVED_DRAFT) if self._is_removing else self._layout.next_step()
        self.reader.needs_edit = self._layout.needs_edit
        self._report_messages()
        self._posted.set()
        if step:
            self.next_step_type = type(step)
            self._restore_unseen()
            return
        self.next_step_type = Edit
        self.reader.has_placeholder = self._layout.has_placeholder
        self.reader.record_shown(self._words_in_flight, loop_time())
        if self.reader.unseen_since == NEVER:
            self._on_up_to_date()

    def _after_delete_of_replaced(self) -> None:
        """Report that a replaced placeholder is gone. What was unseen before still is."""
        if self._failure:
            return
        self._delete_backoff.record_success()
        self._report_messages()
        self._restore_unseen()
        if self.reader.unseen_since == NEVER:
            self._on_up_to_date()

    def _on_up_to_date(self) -> None:
        """Take note that Slack shows the newest draft."""
        self.next_step_type = Edit
        if self.reader.final:
            self._posted.set()  # also if the draft shows nothing
            self._finished.set()
        if self._layout.has_stale_footer:
            self.reader.has_stale_footer = True
            self.reader.unseen_since = loop_time()
        elif self.reader.final and not self.delete_of_replaced:
            self._cleanup_done.set()

    def _report_messages(self) -> None:
        """Tell the turn which messages exist."""
        if self._guard:
            channel = self.question.place.channel
            shown = self._layout.shown
            here = [ShownMessage(message.ts, channel) for message in shown if message.ts]
            ephemeral = [ShownMessage("", "", "respond")] * (len(shown) - len(here))
            self._guard.record_messages([*ephemeral, *here], self._layout.shown_text)

    def _may_write(self) -> bool:
        return not self._failure and (self._guard is None or self._guard.owns_lease())

    def _restore_unseen(self) -> None:
        """Count the text in flight as unseen again."""
        if self._failure:
            return
        if self._is_removing:
            self.next_step_type = Delete
        self.reader.unseen_since = min(self._unseen_since_before_write, self.reader.unseen_since)

    def _mark_unknown(self, step: Step) -> None:
        """Record that Slack may have taken a step, and try it again after a pause."""
        self._layout.mark_unknown(step)
        self.reader.needs_edit = self._layout.needs_edit
        self._back_off(step)

    def _back_off(self, step: Step) -> None:
        """Try a step again after a pause. Text does not wait for the deletion of a placeholder."""
        backoff = self._delete_backoff if step == self._layout.delete_of_replaced else self._backoff
        backoff.record_failure(loop_time())
        self._restore_unseen()

    def _handle_refusal(self, step: Step, error: SlackRefused) -> None:
        log.warning("Slack refused a write: %s", error)
        match fallback_for(error.code):
            case _ if self._is_removing and not isinstance(step, Delete):
                self._restore_unseen()
            case Fallback.STOP_STREAM if not isinstance(step, Post) and self._writer.mark_as_stream(
                self._layout.shown[step.index].ts
            ):
                self._restore_unseen()
            # a message that can't be deleted is gone, or may not be deleted any more
            case _ if step == self._layout.delete_of_replaced:
                self._layout.mark_done(step)
                self._after_delete_of_replaced()
            case _ if isinstance(step, Delete):
                self._layout.mark_done(step)
                self._after_step()
            case Fallback.SHORTER_MESSAGES if self._layout.shrink() or self._layout.simplify():
                self._restore_unseen()
            case Fallback.WITHOUT_BLOCKS if self._layout.drop_feedback():
                self._feedback_refusal = error
                self._restore_unseen()
            case Fallback.WITHOUT_BLOCKS if self._layout.simplify():
                self._feedback_refusal = None
                self._restore_unseen()
            case Fallback.STOP_STREAM | Fallback.NEW_MESSAGE if isinstance(step, Edit):
                self._layout.freeze(self._draft_to_show)
                self.next_step_type = Post
                self._restore_unseen()
            case _:
                self._give_up(error)

    def _give_up(self, error: SlackRefused) -> None:
        finished, failed = self._finished.is_set(), self._failure
        opened = self._already_opened or self._posted.is_set()
        self._end_with(failed or error)
        if opened and not finished and not failed:  # else `open` raises it, or all is shown
            self._on_reader_lost(error)

    def _end_with(self, failure: SlackRefused | LeaseLost) -> None:
        self.reader.unseen_since = NEVER
        self._failure = failure
        self._posted.set()
        self._finished.set()
        self._cleanup_done.set()
