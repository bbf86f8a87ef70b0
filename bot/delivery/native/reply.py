"""An answer streamed by Slack itself: `chat.startStream`, `.appendStream`, `.stopStream`.

Before there is text, a status below the thread says what the model does. It can't be in the stream,
because appended text can't be changed. Where Slack takes no status, an empty stream is the
placeholder. A stream has no buttons until it is stopped, so it has no *Stop* of ours; Slack's own
*Stop* is reported by the next append (docs/slack.md#streaming-errors).

Streams can't handle text that was rewritten, a stream that has ended, or a write that may be lost.
Then the reply that `make_edited_reply` creates continues the answer by editing the same messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from bot.delivery import TurnGuard
from bot.delivery.clock import loop_time
from bot.delivery.edits.reply import EditedReply
from bot.delivery.native.layout import Append, NativeLayout, Start, Stop, StreamStep, SwitchToEdits
from bot.delivery.native.status import StatusLine, status_text
from bot.delivery.native.writer import StreamWriter
from bot.delivery.scheduling.live_reply import LEASE_RECHECK_SECONDS, Backoff
from bot.delivery.scheduling.reader_state import NEVER, ReaderState, count_words
from bot.errors import (
    LeaseLost,
    QuestionDeleted,
    SlackRateLimited,
    SlackRefused,
    SlackUnreachable,
    Stopped,
    ThreadGone,
)
from bot.render.buttons import next_number
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import REMOVED_DRAFT, Draft, Phase, Question

log = logging.getLogger(__name__)


class NativeReply:
    """One answer in a thread of a channel or direct message: a `Reply` and a
    `LiveReply[StreamStep]`.

    - `make_edited_reply(existing, opened)` creates the reply that continues by editing the
      `existing` messages; `opened`: `open` of this reply has returned.
    - `feedback`: the finished answer has feedback buttons.
    - `on_stream_refused(question, error)` is called when Slack refuses to start a stream.
    - `on_reader_lost` is that of `Delivery.create_reply`.
    - `on_change` is the dispatcher's `on_reply_changed`.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        status: StatusLine,
        guard: TurnGuard | None,
        words_per_second: float,
        feedback: bool = False,
        make_edited_reply: Callable[[Sequence[ShownMessage], bool], EditedReply],
        on_change: Callable[[NativeReply], None],
        on_stream_refused: Callable[[Question, SlackRefused], None],
        on_reader_lost: Callable[[SlackRefused | Stopped | QuestionDeleted], None],
    ) -> None:
        self.question = question
        self.reader = ReaderState(words_per_second)
        self.write_in_flight = False
        self._status = status
        self._guard = guard
        self._make_edited_reply = make_edited_reply
        self._on_change = on_change
        self._on_stream_refused = on_stream_refused
        self._on_reader_lost = on_reader_lost
        self._layout = NativeLayout(
            question.id,
            question.language,
            dm=question.place.surface == "dm",
            next_number=next_number(question),
            feedback=feedback,
        )
        self._writer = StreamWriter(slack, question)
        self._draft: Draft | None = None
        self._draft_in_flight = Draft(Phase.ASKING)  # the draft of the step in flight
        self._unseen_since_before_write = NEVER  # `unseen_since` of the text in flight
        self._opened = False
        self._wants_empty_stream = False  # as the placeholder
        self._backoff = Backoff()
        self._edited_reply: EditedReply | None = None
        self._lease_lost: LeaseLost | None = None
        self._posted = asyncio.Event()
        self._streaming_ended = asyncio.Event()

    async def open(self, draft: Draft) -> None:
        """As `Reply.open`. The placeholder is a status below the thread, if Slack takes it."""
        self._accept_draft(draft)
        if not draft.phase.is_final:
            await self._wait_for_status()
        await self._posted.wait()
        if self._lease_lost:
            raise self._lease_lost
        self._opened = True
        if self._edited_reply:
            await self._edited_reply.open(draft)

    def show(self, draft: Draft) -> None:
        """As `Reply.show`."""
        self._accept_draft(draft)

    async def finish(self, draft: Draft) -> None:
        """As `Reply.finish`."""
        self._accept_draft(draft)
        await self._streaming_ended.wait()
        if self._lease_lost:
            raise self._lease_lost
        if self._edited_reply:
            await self._edited_reply.finish(draft)

    async def wait_cleanup(self) -> None:
        """As `Reply.wait_cleanup`."""
        if self._edited_reply:
            await self._edited_reply.wait_cleanup()

    def abandon(self) -> None:
        """As `Reply.abandon`."""
        if self._edited_reply:
            self._edited_reply.abandon()
        if self._lease_lost or self._streaming_ended.is_set():
            return
        self._lease_lost = LeaseLost(f"the turn {self.question.id} belongs to another process now")
        self._status.hide(replied=True)
        self._end_streaming()
        self._on_change(self)

    @property
    def is_ended(self) -> bool:
        """Whether nothing is left to stream and no write is in flight."""
        return self._streaming_ended.is_set() and not self.write_in_flight

    @property
    def needs_no_start(self) -> bool:
        """Whether the answer has a stream already, or will not need one."""
        return bool(self._layout.stream_timestamps) or self._streaming_ended.is_set()

    @property
    def has_live_stream(self) -> bool:
        """Whether there is a stream that has to be stopped."""
        return self._layout.is_live and self._edited_reply is None and self._lease_lost is None

    def writable_at(self, now: float) -> float:
        """As `LiveReply.writable_at`."""
        return max(
            now if self._may_write() else now + LEASE_RECHECK_SECONDS, self._backoff.retry_at
        )

    def due_at(self, now: float) -> float:
        """Return when there is something to write: `now`, when the stream expires, or `NEVER`."""
        if self._streaming_ended.is_set() or self.write_in_flight:
            return NEVER
        return now if self.reader.unseen_since < NEVER else self._layout.expires_at()

    def is_deferrable(self, now: float) -> bool:
        """Whether its next write is text for a live stream, which the scheduler may delay."""
        young = now < self._layout.expires_at()
        return self._layout.is_live and young and not self.reader.final

    def plan_step(self) -> StreamStep | None:
        """As `LiveReply.plan_step`. `SwitchToEdits` is no call: pass it to `switch_to_edits`."""
        assert self._draft
        if self._writer.unconfirmed_start:
            return self._writer.unconfirmed_start
        if self._draft == REMOVED_DRAFT:
            return SwitchToEdits("the answer is deleted")
        step = self._layout.plan(self._draft, loop_time())
        if step is None and self._wants_empty_stream and not self._layout.stream_timestamps:
            step = Start("", 0)
        if step is None:
            self.reader.unseen_since = NEVER
            if self.reader.final:
                self._status.hide(replied=False)
                self._end_streaming()
            elif not self._layout.is_live:
                self._status.show(status_text(self._draft, self.question.language))
        return step

    def begin_write(self) -> None:
        """As `LiveReply.begin_write`."""
        self.write_in_flight = True
        if self._draft and not self._writer.unconfirmed_start:
            self._draft_in_flight = self._draft
        self._unseen_since_before_write, self.reader.unseen_since = self.reader.unseen_since, NEVER

    def postpone(self) -> None:
        """As `LiveReply.postpone`."""
        self.write_in_flight = False
        self._restore_unseen()

    async def perform(self, step: StreamStep) -> None:
        """As `LiveReply.perform`. After most failures, edits continue the answer."""
        try:
            done = (
                await self._writer.write(step, self._layout.stream_timestamps)
                if self._may_write()
                else None
            )
        except SlackRateLimited:
            self._restore_unseen()
            raise
        except SlackUnreachable as error:
            log.info("a write to a stream may be lost: %s", error)
            self._handle_lost_write(step)
        except ThreadGone as gone:
            self._remove_answer(step, gone)
        except SlackRefused as error:
            self._handle_refusal(step, error)
        except Exception:
            log.exception("a write to a stream failed unexpectedly")
            self.switch_to_edits("an unexpected failure")
        else:
            if done:
                self._after_step(*done)
            else:
                self._restore_unseen()
        finally:
            self.write_in_flight = False

    def switch_to_edits(self, reason: str, *, final_only: bool = False) -> None:
        """Continue by edits. With `final_only`, the first edit waits for the final draft."""
        if self._edited_reply or self._lease_lost or self._streaming_ended.is_set():
            return
        log.info("a streamed answer continues by edits: %s", reason)
        self._edited_reply = self._make_edited_reply(
            self._layout.messages(self.question.place.channel), self._opened
        )
        if self._layout.is_live or self._status.is_wanted:
            self._status.force_clear()
        self._end_streaming()
        if self._draft and not final_only:
            self._edited_reply.show(self._draft)

    async def stop_stream(self) -> None:
        """Stop a live stream as it is, because delivery closes. Raises SlackError."""
        await self._writer.write(Stop("", 0, ""), self._layout.stream_timestamps)
        self._layout.is_live = False

    def _accept_draft(self, draft: Draft) -> None:
        if self._edited_reply:
            self._edited_reply.show(draft)
        if self._lease_lost or self._edited_reply or self.reader.final:
            return
        before, self._draft = self._draft, draft
        reader, now = self.reader, loop_time()
        reader.final = draft.phase.is_final
        self._writer.starting_closed = draft == REMOVED_DRAFT
        reader.update_text(draft.text)
        if draft.text and reader.text_began_at == NEVER:
            reader.text_began_at = now
        if not (reader.final or self._layout.is_live) and (
            not draft.text or self._status.is_wanted
        ):
            self._status.show(status_text(draft, self.question.language))
        if reader.final or before is None or before.text != draft.text:
            reader.unseen_since = now if reader.final else min(now, reader.unseen_since)
            self._on_change(self)

    async def _wait_for_status(self) -> None:
        """Wait until a status or a message is visible; else ask for an empty stream."""
        if await self._status.wait_accepted(unless=self._posted):
            self._posted.set()
        elif not self._posted.is_set():
            self._wants_empty_stream = True
            self.reader.unseen_since = min(loop_time(), self.reader.unseen_since)
            self._on_change(self)

    def _after_step(self, step: StreamStep, ts: str) -> None:
        """Slack took a step, or edits have to continue: record it."""
        if isinstance(step, SwitchToEdits):
            self.switch_to_edits(step.reason)
        if self._lease_lost or self._edited_reply:
            return
        now = loop_time()
        self._layout.mark_done(step, now, self._draft_in_flight, ts)
        self._backoff.record_success()
        if isinstance(step, Start):
            self._status.hide(replied=True)
        if self._guard:
            self._guard.record_messages(
                self._layout.messages(self.question.place.channel), self._layout.shown_text
            )
        self._posted.set()
        self.reader.record_shown(count_words(self._layout.shown_text), now)
        if not isinstance(step, Append) or self.reader.final:
            self._unseen_since_before_write = min(now, self._unseen_since_before_write)
            self._restore_unseen()

    def _may_write(self) -> bool:
        return not self._lease_lost and (self._guard is None or self._guard.owns_lease())

    def _restore_unseen(self) -> None:
        if not self._streaming_ended.is_set():
            self.reader.unseen_since = min(
                self._unseen_since_before_write, self.reader.unseen_since
            )

    def _handle_lost_write(self, step: StreamStep) -> None:
        """Slack may have taken a step: look for a start; let edits repeat anything else."""
        if not isinstance(step, Start):
            self.switch_to_edits("a write may be lost")
            return
        self._backoff.record_failure(loop_time())
        self._restore_unseen()

    def _handle_refusal(self, step: StreamStep, error: SlackRefused) -> None:
        log.warning("Slack refused a write to a stream: %s", error)
        if error.code == "msg_too_long" and self._layout.shrink():
            self._restore_unseen()
            return
        if isinstance(step, Start):
            self._on_stream_refused(self.question, error)
        stopped = error.code == "stopped_by_user" and not self.reader.final
        self.switch_to_edits(error.code, final_only=stopped)
        if stopped:
            self._on_reader_lost(Stopped(self.question.user))

    def _remove_answer(self, step: StreamStep, gone: ThreadGone) -> None:
        """Delete the whole answer, because its thread is gone."""
        log.info("the thread of a streamed answer is gone; its messages are deleted")
        self._on_reader_lost(QuestionDeleted(self.question.id))  # before the deletes are journalled
        if isinstance(step, Start):
            self._layout.mark_done(step, loop_time(), self._draft_in_flight, gone.misplaced[0])
        self._draft = REMOVED_DRAFT
        self.switch_to_edits(gone.code)

    def _end_streaming(self) -> None:
        self.reader.unseen_since = NEVER
        self._posted.set()
        self._streaming_ended.set()
