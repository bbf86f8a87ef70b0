"""An answer shown by a placeholder and edits of it.

A reply knows its newest draft and how the answer lies in its messages; `step` says what brings the
two together, `perform` does it. When a step is taken, and how often, the dispatcher decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from bot.delivery import Kept
from bot.delivery.edits.layout import Layout
from bot.delivery.edits.reconcile import Delete, Edit, Post, Step
from bot.delivery.edits.refusals import Remedy, remedy
from bot.delivery.edits.writer import Writer
from bot.delivery.scheduling.pace import NEVER, Standing
from bot.errors import (
    QuestionDeleted,
    SlackRateLimited,
    SlackRefused,
    SlackUnreachable,
    TurnLost,
)
from bot.render.message import Body
from bot.slack import Slack
from bot.storage.records import ShownMessage
from bot.values import REMOVED, Draft, Phase, Question

log = logging.getLogger(__name__)

SHORTEST_BACKOFF, LONGEST_BACKOFF = 0.5, 8.0  # seconds until a write is tried again
UNHELD = 0.4  # seconds until it is asked again whether the turn is ours


class EditedReply:
    """One answer in a channel, thread or direct message.

    When its messages are gone or forbidden, `on_lost` is called (or `open` raises, if it has not
    returned yet), later drafts are ignored and `finish` raises the `SlackRefused` that said so.
    When their thread is gone, they are deleted as with the draft `REMOVED`, and `on_lost` is told.
    `first` is a message of the answer that stands already, somewhere else; `standing` are those
    that stand here. With `opened`, nobody will call `open`.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        first: Body | None = None,
        standing: Sequence[ShownMessage] = (),
        kept: Kept | None = None,
        opened: bool = False,
        speed: float,
        now: Callable[[], float],
        on_change: Callable[[EditedReply], None],
        on_lost: Callable[[SlackRefused | QuestionDeleted], None],
    ) -> None:
        self.question = question
        self.standing = Standing(speed)
        self.next: type[Step] = Edit if standing else Post  # what comes next, if that can be told
        self.under_way = False
        self.warning = ""  # said in the placeholder: why what is written may show late
        self._kept = kept
        self._now = now
        self._on_change = on_change
        self._on_lost = on_lost
        self._layout = Layout(question, first, [one.ts for one in standing])
        streams = [one.ts for one in standing if one.method == "native"]
        self._writer = Writer(slack, question, allowed=self._allowed, streams=streams)
        self._draft: Draft | None = None
        self._taken = NEVER  # since when what is being written had been unseen
        self._words = 0.0  # of the draft being written
        self._retry_at = float("-inf")
        self._failures = 0
        self._lost: SlackRefused | TurnLost | None = None
        self._opened = opened
        self._stands = asyncio.Event()
        self._ended = asyncio.Event()
        self._tidy = asyncio.Event()
        if standing:
            self._stands.set()

    async def open(self, draft: Draft) -> None:
        """Post the placeholder, if nothing stands yet; return when it stands in Slack."""
        self._take(draft)
        await self._stands.wait()
        if self._lost:
            raise self._lost

    def show(self, draft: Draft) -> None:
        """Take the newest draft and return at once."""
        self._take(draft)

    async def finish(self, draft: Draft) -> None:
        """Return when this last draft stands in Slack, whatever it takes."""
        self._take(draft)
        await self._ended.wait()
        if self._lost:
            raise self._lost

    async def settled(self) -> None:
        """After `finish`: return when no older message says any more that more comes."""
        await self._tidy.wait()

    def abandon(self) -> None:
        """Begin no write any more, and tell whoever waits."""
        if not self._lost and not self.ended:
            self._end(TurnLost(f"the turn {self.question.id} is somebody else's now"))
            if self._draft:
                self._on_change(self)

    @property
    def ended(self) -> bool:
        """Whether nothing is to be written any more."""
        return self._ended.is_set() and self.standing.unseen_since == NEVER and not self.under_way

    def opens(self, now: float) -> float:
        """Say when a write of it may begin, as far as that is its own business; `now` if at
        once."""
        held = self._kept is None or self._kept.held()
        return max(now if held else now + UNHELD, self._retry_at)

    def step(self) -> Step | None:
        """Say what to write first so that the newest draft stands; None if it does."""
        step = self._layout.plan(self._newest)
        if step is None and self._removing:
            step = self._writer.unsure  # it may stand all the same
        self._words = self.standing.written
        if step:
            self.next = type(step)
        else:
            self.standing.unseen_since = NEVER
            self._rest()
        return step

    def roll_over(self) -> bool:
        """Let what is missing go out as the next message; False if that can't be."""
        return self._layout.roll_over(self._newest) and self.step() is not None

    def begin(self) -> None:
        """The step just given is about to be performed; drafts from now on are newer than it."""
        self.under_way = True
        self._taken, self.standing.unseen_since = self.standing.unseen_since, NEVER

    async def perform(self, step: Step) -> None:
        """Take a step. What goes wrong is mended, or tried again later.

        Raises SlackRateLimited: whoever keeps the budgets must know.
        """
        try:
            done = await self._write(step)
        except SlackRateLimited as error:
            self._again()
            if error.method == "chat.stopStream":  # not the budget that was counted on
                self._retry_at = self._now() + error.retry_after
                return
            raise
        except SlackUnreachable as error:
            log.info("a write may be lost: %s", error)
            self._layout.unknown(step)
            self._back_off()
        except SlackRefused as error:
            self._refused(step, error)
        except Exception:
            log.exception("a write failed in a way nobody thought of")
            self._layout.unknown(step)
            self._back_off()
        else:
            if done is None:
                self._again()
            else:
                self._layout.done(*done)
                if self._writer.astray:
                    self._take_back()
                self._settle()
        finally:
            self.under_way = False

    async def _write(self, step: Step) -> tuple[Step, str] | None:
        """Make the call; None if it may not be made. That there is one more message, or one less,
        is known to whoever keeps the turn before it is so; of a first one nobody need be told.

        Where that can't be known, what is written goes out all the same, but nothing is deleted:
        whoever takes the turn over would look in vain for a message to edit.
        """
        shown = self._layout.shown
        if self._kept and shown and not isinstance(step, Edit) and self._allowed():
            known = await self._kept.moving()
            if not known and isinstance(step, Delete):
                self._back_off()
                return None
        return await self._writer.write(step, shown) if self._allowed() else None

    def postpone(self) -> None:
        """The step just given is not taken now: there is no room for it."""
        self.under_way = False
        self._again()

    @property
    def _newest(self) -> Draft:
        """The newest draft, as it should be shown."""
        assert self._draft
        if self.warning and self._draft == Draft(Phase.ASKING):
            return Draft(Phase.ASKING, note=self.warning)
        return self._draft

    def _take(self, draft: Draft) -> None:
        if self._lost or self.standing.final:
            return
        self._draft = draft
        standing, now = self.standing, self._now()
        standing.final, standing.untidy = draft.phase.final, False
        if draft == REMOVED:
            self.next, self._writer.closed = Delete, True
        standing.writes(draft.text)
        if draft.text and standing.began == NEVER:
            standing.began = now
        if standing.unseen_since == NEVER or standing.final:
            standing.unseen_since = now if standing.final else min(now, standing.unseen_since)
            self._on_change(self)

    @property
    def _removing(self) -> bool:
        """Whether no message of the answer is to stay."""
        return self._draft == REMOVED

    def _take_back(self) -> None:
        """A message stands outside of its thread: delete it, and with it the whole answer."""
        if self._removing or self._lost:
            return
        log.info("the thread of an answer is gone; what stands of it is deleted")
        self._on_lost(QuestionDeleted(self.question.id))  # known before what stands is
        self.standing.final = False
        self._take(REMOVED)

    def _settle(self) -> None:
        """A step was taken: go on with the next one, or rest."""
        if self._lost:
            return
        self._failures = 0
        then = self._layout.plan(REMOVED) if self._removing else self._layout.next()
        self._tell()
        self._stands.set()
        if then:
            self.next = type(then)
            self._again()
            return
        self.next = Edit
        self.standing.sees(self._words, self._now())
        if self.standing.unseen_since == NEVER:
            self._rest()

    def _rest(self) -> None:
        """The newest draft stands."""
        self.next = Edit
        if self.standing.final:
            self._stands.set()  # nothing stands if nothing is to
            self._ended.set()
        if self._layout.untidy:
            self.standing.untidy = True
            self.standing.unseen_since = self._now()
        elif self.standing.final:
            self._tidy.set()

    def _tell(self) -> None:
        """Tell whoever keeps the turn what stands."""
        if self._kept:
            channel = self.question.place.channel
            stand = [ShownMessage(one.ts, channel) for one in self._layout.shown if one.ts]
            private = [ShownMessage("", "", "respond")] * (len(self._layout.shown) - len(stand))
            self._kept.shown([*private, *stand], self._layout.text)

    def _allowed(self) -> bool:
        return not self._lost and (self._kept is None or self._kept.held())

    def _again(self) -> None:
        """What was being written is still to be shown."""
        if self._lost:
            return
        if self._removing:
            self.next = Delete
        self.standing.unseen_since = min(self._taken, self.standing.unseen_since)

    def _back_off(self) -> None:
        """Try again later, and later still after every failure in a row."""
        pause = min(LONGEST_BACKOFF, SHORTEST_BACKOFF * 2**self._failures)
        self._retry_at = self._now() + pause
        self._failures += 1
        self._again()

    def _refused(self, step: Step, error: SlackRefused) -> None:
        log.warning("a write was refused: %s", error)
        match remedy(error.code):
            case _ if self._removing and not isinstance(step, Delete):
                self._again()
            case Remedy.STOP if not isinstance(step, Post) and self._writer.is_stream(
                self._layout.shown[step.index].ts
            ):
                self._again()
            case _ if isinstance(step, Delete):  # it is gone, or not ours to remove any more
                self._layout.done(step)
                self._settle()
            case Remedy.SHORTER if self._layout.shrink() or self._layout.simplify():
                self._again()
            case Remedy.PLAIN if self._layout.simplify():
                self._again()
            case Remedy.STOP | Remedy.ANEW if isinstance(step, Edit):
                self._layout.freeze(self._newest)
                self.next = Post
                self._again()
            case _:
                self._give_up(error)

    def _give_up(self, error: SlackRefused) -> None:
        finished, lost = self._ended.is_set(), self._lost
        opened = self._opened or self._stands.is_set()
        self._end(lost or error)
        if opened and not finished and not lost:  # else `open` raises it, or all stands anyway
            self._on_lost(error)

    def _end(self, lost: SlackRefused | TurnLost) -> None:
        self.standing.unseen_since = NEVER
        self._lost = lost
        self._stands.set()
        self._ended.set()
        self._tidy.set()
