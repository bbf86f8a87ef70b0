"""An answer shown by a placeholder and edits of it.

A reply knows its newest draft and how the answer lies in its messages; `step` says what brings the
two together, `perform` does it. When a step is taken, and how often, the dispatcher decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from bot.delivery.layout import Layout
from bot.delivery.mend import Remedy, remedy
from bot.delivery.pace import NEVER, Standing, words
from bot.delivery.steps import Delete, Edit, Post, Step
from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.render.message import Body
from bot.slack import Slack
from bot.values import Draft, Phase, Question

log = logging.getLogger(__name__)

EVENT_TYPE = "llm_answer"
"""What our messages' metadata is called; its payload names the turn, and the part from the second
message on."""

CROWDED = "Thinking… Many questions at once: what is written may show late."

SHORTEST_BACKOFF, LONGEST_BACKOFF = 0.5, 8.0  # seconds until a write is tried again
READ_BACK = 50  # messages looked at for a post whose answer was lost


class EditedReply:
    """One answer in a channel, thread or direct message.

    When its messages are gone or forbidden, `on_lost` is called (or `open` raises, if it has not
    returned yet), later drafts are ignored and `finish` raises the `SlackRefused` that said so.
    `first` is a message of the answer that stands already, somewhere else.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        first: Body | None = None,
        speed: float,
        now: Callable[[], float],
        on_change: Callable[[EditedReply], None],
        on_lost: Callable[[SlackRefused], None],
    ) -> None:
        self.question = question
        self.standing = Standing(speed)
        self.next: type[Step] = Post  # what kind of step comes next, as far as can be told
        self.retry_at = float("-inf")
        self.under_way = False
        self.crowded = False  # too many answers at once for all of them to be shown as written
        self._slack = slack
        self._now = now
        self._on_change = on_change
        self._on_lost = on_lost
        self._layout = Layout(question, first)
        self._draft: Draft | None = None
        self._taken = NEVER  # since when what is being written had been unseen
        self._words = 0.0  # of the draft being written
        self._unsure: Post | None = None  # a post that may have been made
        self._failures = 0
        self._lost: SlackRefused | None = None
        self._stands = asyncio.Event()
        self._ended = asyncio.Event()

    async def open(self, draft: Draft) -> None:
        """Post the placeholder; return when it stands in Slack."""
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

    @property
    def ended(self) -> bool:
        """Whether nothing is to be written any more."""
        return self._ended.is_set() and self.standing.unseen_since == NEVER and not self.under_way

    def step(self) -> Step | None:
        """Say what to write first so that the newest draft stands; None if it does."""
        step = self._layout.plan(self._newest)
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
            taken, ts = await self._write(step)
        except SlackRateLimited:
            self._again()
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
            self._layout.done(taken, ts)
            self._settle()
        finally:
            self.under_way = False

    @property
    def _newest(self) -> Draft:
        """The newest draft, as it should be shown."""
        assert self._draft
        if self.crowded and self._draft == Draft(Phase.ASKING):
            return Draft(Phase.ASKING, note=CROWDED)
        return self._draft

    def _take(self, draft: Draft) -> None:
        if self._lost or self.standing.final:
            return
        self._draft = draft
        standing, now = self.standing, self._now()
        standing.final, standing.untidy = draft.phase.final, False
        standing.written = words(draft.text)
        if draft.text and standing.began == NEVER:
            standing.began = now
        if standing.unseen_since == NEVER or standing.final:
            standing.unseen_since = now if standing.final else min(now, standing.unseen_since)
            self._on_change(self)

    def _settle(self) -> None:
        """A step was taken: go on with the next one, or rest."""
        self._failures = 0
        self._stands.set()
        if then := self._layout.next():
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
            self._ended.set()
        if self._layout.untidy:
            self.standing.untidy = True
            self.standing.unseen_since = self._now()

    def _again(self) -> None:
        """What was being written is still to be shown."""
        self.standing.unseen_since = min(self._taken, self.standing.unseen_since)

    def _back_off(self) -> None:
        """Try again later, and later still after every failure in a row."""
        pause = min(LONGEST_BACKOFF, SHORTEST_BACKOFF * 2**self._failures)
        self.retry_at = self._now() + pause
        self._failures += 1
        self._again()

    def _refused(self, step: Step, error: SlackRefused) -> None:
        log.warning("a write was refused: %s", error)
        match remedy(error.code):
            case _ if isinstance(step, Delete):  # it is gone, or not ours to remove any more
                self._layout.done(step)
                self._settle()
            case Remedy.SHORTER if self._layout.shrink() or self._layout.simplify():
                self._again()
            case Remedy.PLAIN if self._layout.simplify():
                self._again()
            case Remedy.ANEW if isinstance(step, Edit):
                self._layout.freeze(self._newest)
                self.next = Post
                self._again()
            case _:
                self._give_up(error)

    def _give_up(self, error: SlackRefused) -> None:
        finished, opened = self._ended.is_set(), self._stands.is_set()
        self.standing.unseen_since = NEVER
        self._lost = error
        self._stands.set()
        self._ended.set()
        if opened and not finished:  # else `open` raises it, or all text stands anyway
            self._on_lost(error)

    async def _write(self, step: Step) -> tuple[Step, str]:
        """Make the call a step stands for; returns what was done, and the ts of a post."""
        channel = self.question.place.channel
        match step:
            case Post():
                return await self._post(step)
            case Edit(index, body):
                ts = self._layout.shown[index].ts
                await self._slack.update(channel, ts, text=body.text, blocks=body.blocks)
            case Delete(index):
                await self._slack.delete(channel, self._layout.shown[index].ts)
        return step, ""

    async def _post(self, post: Post) -> tuple[Post, str]:
        """Post a message, unless one whose answer was lost is there already."""
        if self._unsure and (ts := await self._read_back(self._unsure)):
            found, self._unsure = self._unsure, None
            return found, ts
        self._unsure = None
        try:
            ts = await self._slack.post(
                self.question.place.channel,
                text=post.body.text,
                blocks=post.body.blocks,
                thread_ts=self._thread,
                metadata=self._metadata(post.index),
            )
        except SlackUnreachable:
            self._unsure = post
            raise
        return post, ts

    async def _read_back(self, post: Post) -> str | None:
        """Look for a post by its metadata; returns its ts, or None if it was not made.

        Also None where we may not read: an answer posted twice is better than none.
        """
        channel, thread = self.question.place.channel, self._thread
        shown = self._layout.shown
        after = shown[-1].ts if shown else self.question.ts
        try:
            if thread:
                messages = await self._slack.replies(
                    channel, thread, oldest=after, limit=READ_BACK, include_metadata=True
                )
            else:
                messages = await self._slack.history(
                    channel, limit=READ_BACK, include_metadata=True
                )
        except SlackRefused as error:
            log.warning("a lost post can't be looked for: %s", error)
            return None
        mine = self._metadata(post.index)
        return next((str(one["ts"]) for one in messages if _carries(one, mine)), None)

    @property
    def _thread(self) -> str | None:
        shown = self._layout.shown
        return self.question.place.thread_ts or (shown[0].ts or None if shown else None)

    def _metadata(self, index: int) -> dict[str, Any]:
        payload: dict[str, Any] = {"turn": self.question.id}
        if index:
            payload["part"] = index
        return {"event_type": EVENT_TYPE, "event_payload": payload}


def _carries(message: Mapping[str, Any], mine: Mapping[str, Any]) -> bool:
    metadata = message.get("metadata") or {}
    return all(metadata.get(name) == value for name, value in mine.items())
