"""An answer streamed by Slack itself: `chat.startStream`, `.appendStream`, `.stopStream`.

Before there is text, a status below the thread says what the model does: what is appended can't be
taken back, so no line of state may stand in a stream. Where Slack takes no status, an empty stream
is the placeholder. A stream carries no buttons before it is stopped, so there is no *Stop* of ours
below it; Slack's own tells us with the next append (docs/slack.md#streaming-errors).

Whatever streams can't do (text written anew, a stream that is over, writes that may be lost) goes
on as edits of the same messages, by the reply that `heir` makes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from bot.delivery import Kept
from bot.delivery.edits.reply import LONGEST_BACKOFF, SHORTEST_BACKOFF, UNHELD, EditedReply
from bot.delivery.native.layout import Append, HandOver, NativeLayout, Start, Stop, StreamStep
from bot.delivery.native.status import StatusLine, status_of
from bot.delivery.native.writer import StreamWriter
from bot.delivery.scheduling.pace import NEVER, Standing, words
from bot.errors import (
    QuestionDeleted,
    SlackRateLimited,
    SlackRefused,
    SlackUnreachable,
    Stopped,
    ThreadGone,
    TurnLost,
)
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import REMOVED, Draft, Phase, Question

log = logging.getLogger(__name__)


class NativeReply:
    """One answer in a thread of a channel or direct message.

    `heir(standing, opened)` makes the reply that goes on by edits of the messages that stand.
    `on_refused` is told why Slack will not have a stream there. `on_lost` is told when nobody reads
    on: the messages or their thread are gone or forbidden, or the reader has stopped the stream.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        status: StatusLine,
        kept: Kept | None,
        speed: float,
        now: Callable[[], float],
        heir: Callable[[Sequence[ShownMessage], bool], EditedReply],
        on_change: Callable[[NativeReply], None],
        on_refused: Callable[[Question, SlackRefused], None],
        on_lost: Callable[[SlackRefused | Stopped | QuestionDeleted], None],
    ) -> None:
        self.question = question
        self.standing = Standing(speed)
        self.under_way = False
        self._status = status
        self._kept = kept
        self._now = now
        self._make_heir = heir
        self._on_change = on_change
        self._on_refused = on_refused
        self._on_lost = on_lost
        self._layout = NativeLayout(question.id, dm=question.place.surface == "dm")
        self._writer = StreamWriter(slack, question)
        self._draft: Draft | None = None
        self._planned = Draft(Phase.ASKING)  # the draft of the step under way
        self._taken = NEVER  # since when what is being written had been unseen
        self._opened = False
        self._empty = False  # a stream without text is to be the placeholder
        self._retry_at = float("-inf")
        self._failures = 0
        self._heir: EditedReply | None = None
        self._lost: TurnLost | None = None
        self._stands = asyncio.Event()
        self._over = asyncio.Event()  # nothing more is to be streamed

    async def open(self, draft: Draft) -> None:
        """Say that the model thinks; return when that, or the placeholder, stands in Slack."""
        self._take(draft)
        if not draft.phase.final:
            await self._until_status()
        await self._stands.wait()
        if self._lost:
            raise self._lost
        self._opened = True
        if self._heir:
            await self._heir.open(draft)

    def show(self, draft: Draft) -> None:
        """Take the newest draft and return at once."""
        self._take(draft)

    async def finish(self, draft: Draft) -> None:
        """Return when this last draft stands in Slack, whatever it takes."""
        self._take(draft)
        await self._over.wait()
        if self._lost:
            raise self._lost
        if self._heir:
            await self._heir.finish(draft)

    async def settled(self) -> None:
        """After `finish`: return when no message says any more that more comes."""
        if self._heir:
            await self._heir.settled()

    def abandon(self) -> None:
        """Begin no write any more, and tell whoever waits."""
        if self._heir:
            self._heir.abandon()
        if self._lost or self._over.is_set():
            return
        self._lost = TurnLost(f"the turn {self.question.id} is somebody else's now")
        self._status.end(replied=True)
        self._end()
        self._on_change(self)

    @property
    def ended(self) -> bool:
        """Whether nothing is to be streamed any more."""
        return self._over.is_set() and not self.under_way

    @property
    def began(self) -> bool:
        """Whether it needs no first stream."""
        return bool(self._layout.shown) or self._over.is_set()

    @property
    def live(self) -> bool:
        """Whether there is a stream that has to be stopped."""
        return self._layout.live and self._heir is None and self._lost is None

    def opens(self, now: float) -> float:
        """Say when a write of it may begin, as far as that is its own business."""
        return max(now if self._allowed() else now + UNHELD, self._retry_at)

    def due(self, now: float) -> float:
        """Say when there is something to do: `now`, when its stream is too old, or never."""
        if self._over.is_set() or self.under_way:
            return NEVER
        return now if self.standing.unseen_since < NEVER else self._layout.ages_at()

    def is_paced(self, now: float) -> bool:
        """Whether it can wait for what is best for all readers: text for a live stream."""
        young = now < self._layout.ages_at()
        return self._layout.live and young and not self.standing.final

    def step(self, now: float) -> StreamStep | None:
        """Say what to do first so that what is certain of the newest draft stands."""
        assert self._draft
        if self._writer.unsure:
            return self._writer.unsure
        if self._draft == REMOVED:
            return HandOver("nothing of it is to stay")
        step = self._layout.plan(self._draft, now)
        if step is None and self._empty and not self._layout.shown:
            step = Start("", 0)
        if step is None:
            self.standing.unseen_since = NEVER
            if self.standing.final:
                self._status.end(replied=False)
                self._end()
            elif not self._layout.live:
                self._status.show(status_of(self._draft))
        return step

    def begin(self) -> None:
        """The step just given is about to be performed; drafts from now on are newer than it."""
        self.under_way = True
        if self._draft and not self._writer.unsure:
            self._planned = self._draft
        self._taken, self.standing.unseen_since = self.standing.unseen_since, NEVER

    def postpone(self) -> None:
        """The step just given is not taken now: there is no room for it."""
        self.under_way = False
        self._again()

    async def perform(self, step: StreamStep) -> None:
        """Take a step. What goes wrong is mended, or goes on by edits.

        Raises SlackRateLimited: whoever keeps the budgets must know.
        """
        try:
            done = await self._writer.write(step, self._layout.shown) if self._allowed() else None
        except SlackRateLimited:
            self._again()
            raise
        except SlackUnreachable as error:
            log.info("a write to a stream may be lost: %s", error)
            self._unsure(step)
        except ThreadGone as gone:
            self._take_back(step, gone)
        except SlackRefused as error:
            self._refused(step, error)
        except Exception:
            log.exception("a write to a stream failed in a way nobody thought of")
            self.hand_over("it failed")
        else:
            if done:
                self._settle(*done)
            else:
                self._again()
        finally:
            self.under_way = False

    def hand_over(self, why: str, *, quiet: bool = False) -> None:
        """Let edits go on with what stands from here, or (`quiet`) from the answer's end on."""
        if self._heir or self._lost or self._over.is_set():
            return
        log.info("a streamed answer goes on by edits: %s", why)
        self._heir = self._make_heir(
            self._layout.messages(self.question.place.channel), self._opened
        )
        if self._layout.live or self._status.shown:
            self._status.clear()
        self._end()
        if self._draft and not quiet:
            self._heir.show(self._draft)

    async def close(self) -> None:
        """Stop a live stream as it stands: the room is closed. Raises SlackError."""
        await self._writer.write(Stop("", 0, ""), self._layout.shown)
        self._layout.live = False

    def _take(self, draft: Draft) -> None:
        if self._heir:
            self._heir.show(draft)
        if self._lost or self._heir or self.standing.final:
            return
        before, self._draft = self._draft, draft
        standing, now = self.standing, self._now()
        standing.final = draft.phase.final
        self._writer.closed = draft == REMOVED
        standing.writes(draft.text)
        if draft.text and standing.began == NEVER:
            standing.began = now
        if not (standing.final or self._layout.live) and (not draft.text or self._status.shown):
            self._status.show(status_of(draft))
        if standing.final or before is None or before.text != draft.text:
            standing.unseen_since = now if standing.final else min(now, standing.unseen_since)
            self._on_change(self)

    async def _until_status(self) -> None:
        """Wait until a status or something better stands; else ask for an empty stream."""
        if await self._status.is_taken(unless=self._stands):
            self._stands.set()
        elif not self._stands.is_set():
            self._empty = True
            self.standing.unseen_since = min(self._now(), self.standing.unseen_since)
            self._on_change(self)

    def _settle(self, step: StreamStep, ts: str) -> None:
        """A step was taken: go on with the next one, or rest."""
        if isinstance(step, HandOver):
            self.hand_over(step.why)
        if self._lost or self._heir:
            return
        now = self._now()
        self._layout.done(step, now, self._planned, ts)
        self._failures = 0
        if isinstance(step, Start):
            self._status.end(replied=True)
        if self._kept:
            self._kept.shown(self._layout.messages(self.question.place.channel), self._layout.text)
        self._stands.set()
        self.standing.sees(words(self._layout.text), now)
        if not isinstance(step, Append) or self.standing.final:
            self._taken = min(now, self._taken)
            self._again()

    def _allowed(self) -> bool:
        return not self._lost and (self._kept is None or self._kept.held())

    def _again(self) -> None:
        if not self._over.is_set():
            self.standing.unseen_since = min(self._taken, self.standing.unseen_since)

    def _unsure(self, step: StreamStep) -> None:
        """A write may have been taken or not: a start is looked for, all else is written anew."""
        if not isinstance(step, Start):
            self.hand_over("a write may be lost")
            return
        pause = min(LONGEST_BACKOFF, SHORTEST_BACKOFF * 2**self._failures)
        self._retry_at, self._failures = self._now() + pause, self._failures + 1
        self._again()

    def _refused(self, step: StreamStep, error: SlackRefused) -> None:
        log.warning("a write to a stream was refused: %s", error)
        if error.code == "msg_too_long" and self._layout.shrink():
            self._again()
            return
        if isinstance(step, Start):
            self._on_refused(self.question, error)
        stopped = error.code == "stopped_by_user" and not self.standing.final
        self.hand_over(error.code, quiet=stopped)
        if stopped:
            self._on_lost(Stopped(self.question.user))

    def _take_back(self, step: StreamStep, gone: ThreadGone) -> None:
        """A stream turned out to stand outside of its thread: the whole answer is deleted."""
        log.info("the thread of a streamed answer is gone; what stands of it is deleted")
        self._on_lost(QuestionDeleted(self.question.id))  # known before what stands is
        if isinstance(step, Start):
            self._layout.done(step, self._now(), self._planned, gone.astray[0])
        self._draft = REMOVED
        self.hand_over(gone.code)

    def _end(self) -> None:
        self.standing.unseen_since = NEVER
        self._stands.set()
        self._over.set()
