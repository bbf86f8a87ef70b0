"""An answer shown by a placeholder and edits of it.

A reply knows its newest draft and how the answer lies in its messages; `plan_step` says what brings
the two together, `perform` does it. When a step is taken, and how often, the dispatcher decides.
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
from bot.delivery.scheduling.edit_scheduler import NEVER, ReaderState
from bot.delivery.scheduling.live_reply import LEASE_RECHECK_SECONDS, backoff_seconds
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

log = logging.getLogger(__name__)


class EditedReply:
    """One answer in a channel, thread or direct message.

    When its messages are gone or forbidden, `on_reader_lost` is called (or `open` raises, if it has
    not returned yet), later drafts are ignored and `finish` raises the `SlackRefused` that said so.
    When their thread is gone, they are deleted as with the draft `REMOVED`, and `on_reader_lost` is
    told. `first_elsewhere` is a message of the answer that stands already, somewhere else;
    `existing` are those that stand here. With `already_opened`, nobody will call `open`.
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
        on_change: Callable[[EditedReply], None],
        on_reader_lost: Callable[[SlackRefused | QuestionDeleted], None],
    ) -> None:
        self.question = question
        self.reader = ReaderState(words_per_second)
        self.next_step_type: type[Step] = (
            Edit if existing else Post
        )  # what comes next, if that can be told
        self.write_in_flight = False
        self.delay_notice = ""  # said in the placeholder: why what is written may show late
        self._guard = guard
        self._on_change = on_change
        self._on_reader_lost = on_reader_lost
        self._layout = EditLayout(question, first_elsewhere, [one.ts for one in existing])
        streams = [one.ts for one in existing if one.method == "native"]
        self._writer = EditWriter(
            slack, question, may_write=self._may_write, possible_streams=streams
        )
        self._draft: Draft | None = None
        self._unseen_since_before_write = NEVER  # since when what is being written had been unseen
        self._words_in_flight = 0.0  # of the draft being written
        self._retry_at = float("-inf")
        self._failures = 0
        self._failure: SlackRefused | LeaseLost | None = None
        self._already_opened = already_opened
        self._posted = asyncio.Event()
        self._finished = asyncio.Event()
        self._cleanup_done = asyncio.Event()
        if existing:
            self._posted.set()

    async def open(self, draft: Draft) -> None:
        """Post the placeholder, if nothing stands yet; return when it stands in Slack."""
        self._accept_draft(draft)
        await self._posted.wait()
        if self._failure:
            raise self._failure

    def show(self, draft: Draft) -> None:
        """Take the newest draft and return at once."""
        self._accept_draft(draft)

    async def finish(self, draft: Draft) -> None:
        """Return when this last draft stands in Slack, whatever it takes."""
        self._accept_draft(draft)
        await self._finished.wait()
        if self._failure:
            raise self._failure

    async def wait_cleanup(self) -> None:
        """After `finish`: return when no older message says any more that more comes."""
        await self._cleanup_done.wait()

    def abandon(self) -> None:
        """Begin no write any more, and tell whoever waits."""
        if not self._failure and not self.is_ended:
            self._end_with(LeaseLost(f"the turn {self.question.id} is somebody else's now"))
            if self._draft:
                self._on_change(self)

    @property
    def is_ended(self) -> bool:
        """Whether nothing is to be written any more."""
        return (
            self._finished.is_set()
            and self.reader.unseen_since == NEVER
            and not self.write_in_flight
        )

    def writable_at(self, now: float) -> float:
        """Say when a write of it may begin, as far as that is its own business; `now` if at
        once."""
        held = self._guard is None or self._guard.owns_lease()
        return max(now if held else now + LEASE_RECHECK_SECONDS, self._retry_at)

    def plan_step(self) -> Step | None:
        """Say what to write first so that the newest draft stands; None if it does."""
        step = self._layout.plan(self._draft_to_show)
        if step is None and self._is_removing:
            step = self._writer.unconfirmed_post  # it may stand all the same
        self._words_in_flight = self.reader.words_written
        if step:
            self.next_step_type = type(step)
        else:
            self.reader.unseen_since = NEVER
            self._on_up_to_date()
        return step

    def roll_over(self) -> bool:
        """Let what is missing go out as the next message; False if that can't be."""
        return self._layout.roll_over(self._draft_to_show) and self.plan_step() is not None

    def begin_write(self) -> None:
        """The step just given is about to be performed; drafts from now on are newer than it."""
        self.write_in_flight = True
        self._unseen_since_before_write, self.reader.unseen_since = self.reader.unseen_since, NEVER

    async def perform(self, step: Step) -> None:
        """Take a step. What goes wrong is mended, or tried again later.

        Raises SlackRateLimited: whoever keeps the budgets must know.
        """
        try:
            done = await self._write(step)
        except SlackRateLimited as error:
            self._restore_unseen()
            if error.method == "chat.stopStream":  # not the budget that was counted on
                self._retry_at = loop_time() + error.retry_after
                return
            raise
        except SlackUnreachable as error:
            log.info("a write may be lost: %s", error)
            self._layout.mark_unknown(step)
            self._back_off()
        except SlackRefused as error:
            self._handle_refusal(step, error)
        except Exception:
            log.exception("a write failed in a way nobody thought of")
            self._layout.mark_unknown(step)
            self._back_off()
        else:
            if done is None:
                self._restore_unseen()
            else:
                self._layout.mark_done(*done)
                if self._writer.is_outside_thread:
                    self._remove_answer()
                self._after_step()
        finally:
            self.write_in_flight = False

    async def _write(self, step: Step) -> tuple[Step, str] | None:
        """Make the call; None if it may not be made. That there is one more message, or one less,
        is known to whoever keeps the turn before it is so; of a first one nobody need be told.

        Where that can't be known, what is written goes out all the same, but nothing is deleted:
        whoever takes the turn over would look in vain for a message to edit.
        """
        shown = self._layout.shown
        if self._guard and shown and not isinstance(step, Edit) and self._may_write():
            known = await self._guard.before_layout_change()
            if not known and isinstance(step, Delete):
                self._back_off()
                return None
        return await self._writer.write(step, shown) if self._may_write() else None

    def postpone(self) -> None:
        """The step just given is not taken now: there is no room for it."""
        self.write_in_flight = False
        self._restore_unseen()

    @property
    def _draft_to_show(self) -> Draft:
        """The newest draft, as it should be shown."""
        assert self._draft
        if self.delay_notice and self._draft == Draft(Phase.ASKING):
            return Draft(Phase.ASKING, status_line=self.delay_notice)
        return self._draft

    def _accept_draft(self, draft: Draft) -> None:
        if self._failure or self.reader.final:
            return
        self._draft = draft
        standing, now = self.reader, loop_time()
        standing.final, standing.has_stale_footer = draft.phase.is_final, False
        if draft == REMOVED_DRAFT:
            self.next_step_type, self._writer.posting_closed = Delete, True
        standing.update_text(draft.text)
        if draft.text and standing.text_began_at == NEVER:
            standing.text_began_at = now
        if standing.unseen_since == NEVER or standing.final:
            standing.unseen_since = now if standing.final else min(now, standing.unseen_since)
            self._on_change(self)

    @property
    def _is_removing(self) -> bool:
        """Whether no message of the answer is to stay."""
        return self._draft == REMOVED_DRAFT

    def _remove_answer(self) -> None:
        """A message stands outside of its thread: delete it, and with it the whole answer."""
        if self._is_removing or self._failure:
            return
        log.info("the thread of an answer is gone; what stands of it is deleted")
        self._on_reader_lost(QuestionDeleted(self.question.id))  # known before what stands is
        self.reader.final = False
        self._accept_draft(REMOVED_DRAFT)

    def _after_step(self) -> None:
        """A step was taken: go on with the next one, or rest."""
        if self._failure:
            return
        self._failures = 0
        then = self._layout.plan(REMOVED_DRAFT) if self._is_removing else self._layout.next_step()
        self._report_messages()
        self._posted.set()
        if then:
            self.next_step_type = type(then)
            self._restore_unseen()
            return
        self.next_step_type = Edit
        self.reader.record_shown(self._words_in_flight, loop_time())
        if self.reader.unseen_since == NEVER:
            self._on_up_to_date()

    def _on_up_to_date(self) -> None:
        """The newest draft stands."""
        self.next_step_type = Edit
        if self.reader.final:
            self._posted.set()  # nothing stands if nothing is to
            self._finished.set()
        if self._layout.has_stale_footer:
            self.reader.has_stale_footer = True
            self.reader.unseen_since = loop_time()
        elif self.reader.final:
            self._cleanup_done.set()

    def _report_messages(self) -> None:
        """Tell whoever keeps the turn what stands."""
        if self._guard:
            channel = self.question.place.channel
            stand = [ShownMessage(one.ts, channel) for one in self._layout.shown if one.ts]
            private = [ShownMessage("", "", "respond")] * (len(self._layout.shown) - len(stand))
            self._guard.record_messages([*private, *stand], self._layout.shown_text)

    def _may_write(self) -> bool:
        return not self._failure and (self._guard is None or self._guard.owns_lease())

    def _restore_unseen(self) -> None:
        """What was being written is still to be shown."""
        if self._failure:
            return
        if self._is_removing:
            self.next_step_type = Delete
        self.reader.unseen_since = min(self._unseen_since_before_write, self.reader.unseen_since)

    def _back_off(self) -> None:
        """Try again later, and later still after every failure in a row."""
        self._retry_at = loop_time() + backoff_seconds(self._failures)
        self._failures += 1
        self._restore_unseen()

    def _handle_refusal(self, step: Step, error: SlackRefused) -> None:
        log.warning("a write was refused: %s", error)
        match fallback_for(error.code):
            case _ if self._is_removing and not isinstance(step, Delete):
                self._restore_unseen()
            case Fallback.STOP_STREAM if not isinstance(step, Post) and self._writer.mark_as_stream(
                self._layout.shown[step.index].ts
            ):
                self._restore_unseen()
            case _ if isinstance(step, Delete):  # it is gone, or not ours to remove any more
                self._layout.mark_done(step)
                self._after_step()
            case Fallback.SHORTER_MESSAGES if self._layout.shrink() or self._layout.simplify():
                self._restore_unseen()
            case Fallback.WITHOUT_BLOCKS if self._layout.simplify():
                self._restore_unseen()
            case Fallback.STOP_STREAM | Fallback.NEW_MESSAGE if isinstance(step, Edit):
                self._layout.freeze(self._draft_to_show)
                self.next_step_type = Post
                self._restore_unseen()
            case _:
                self._give_up(error)

    def _give_up(self, error: SlackRefused) -> None:
        finished, lost = self._finished.is_set(), self._failure
        opened = self._already_opened or self._posted.is_set()
        self._end_with(lost or error)
        if opened and not finished and not lost:  # else `open` raises it, or all stands anyway
            self._on_reader_lost(error)

    def _end_with(self, failure: SlackRefused | LeaseLost) -> None:
        self.reader.unseen_since = NEVER
        self._failure = failure
        self._posted.set()
        self._finished.set()
        self._cleanup_done.set()
