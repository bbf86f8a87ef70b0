"""An answer shown by a placeholder and edits of it.

A reply knows its newest draft and the messages that stand in Slack; `step` says what brings them
together, `perform` does it. When a step is taken, and how often, the dispatcher decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from bot.delivery.steps import Delete, Edit, Post, Shown, Step, next_step
from bot.errors import SlackRateLimited, SlackRefused
from bot.render.message import Body, bodies
from bot.slack import Slack
from bot.values import Draft, Question

log = logging.getLogger(__name__)

EVENT_TYPE = "llm_answer"
LONGEST_BACKOFF = 8.0


class EditedReply:
    """One answer in a channel, thread or direct message.

    When its messages are gone or forbidden, `on_lost` is called (`open` raises, if it has not
    returned yet), later drafts are ignored and
    `finish` raises the `SlackRefused` that said so.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        now: Callable[[], float],
        on_change: Callable[[EditedReply], None],
        on_lost: Callable[[SlackRefused], None],
    ) -> None:
        self.question = question
        self.shown: list[Shown] = []
        self.draft: Draft | None = None
        self.changed_at: float | None = None  # since when the newest draft is not what stands
        self.flying = False
        self.unsure = False  # whether a post we got no answer to was made
        self.retry_at = float("-inf")
        self.next: type[Step] = Post
        self._slack = slack
        self._now = now
        self._on_change = on_change
        self._on_lost = on_lost
        self._since: float | None = None
        self._wanted: tuple[Body, ...] = ()
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
    def waits(self) -> bool:
        """Whether something is to be written and nothing is under way."""
        return self.changed_at is not None and not self.flying

    @property
    def ended(self) -> bool:
        """Whether the last draft stands, or never will."""
        return self._ended.is_set()

    @property
    def final(self) -> bool:
        """Whether the newest draft is the last."""
        return self.draft is not None and self.draft.phase.final

    def step(self) -> Step | None:
        """Render the newest draft and say what to write first; None, and at rest, if it stands."""
        self._wanted = self._render()
        step = next_step(self.shown, self._wanted)
        if step:
            self.next = type(step)
        else:
            self.changed_at = None
            self._rest()
        return step

    def begin(self) -> None:
        """The step just given is about to be performed; drafts from now on are newer than it."""
        self.flying = True
        self._since, self.changed_at = self.changed_at, None

    async def perform(self, step: Step) -> None:
        """Take a step; raises `SlackError`, and then it is still to be taken."""
        try:
            await self._do(step)
        except BaseException:
            self.changed_at = self._since
            raise
        finally:
            self.flying = False
        self._failures = 0
        if then := next_step(self.shown, self._wanted):
            self.next, self.changed_at = type(then), self._since
        elif self.changed_at is None:
            self._rest()
        else:
            self.next = Edit

    def back_off(self) -> None:
        """Wait before the next try, longer after every failure in a row."""
        self.retry_at = self._now() + min(LONGEST_BACKOFF, 0.5 * 2**self._failures)
        self._failures += 1

    def give_up(self, error: SlackRefused) -> None:
        """Take note that the reader can't be reached here any more."""
        opened = self._stands.is_set()
        self._lost = error
        self.changed_at = None
        self._stands.set()
        self._ended.set()
        if opened:  # else `open` raises it
            self._on_lost(error)

    def _take(self, draft: Draft) -> None:
        if self._lost or self.final:
            return
        self.draft = draft
        if self.changed_at is None:
            self.changed_at = self._now()
            self._on_change(self)
        elif draft.phase.final:
            self._on_change(self)

    def _rest(self) -> None:
        self.next = Edit
        if self.final:
            self._ended.set()

    async def _do(self, step: Step) -> None:
        match step:
            case Edit(index, body):
                await self._edit(index, body)
            case Post(index, body):
                await self._post(index, body)
            case Delete(index):
                await self._slack.delete(self.question.place.channel, self.shown[index].ts)
                del self.shown[index]

    def _render(self) -> tuple[Body, ...]:
        assert self.draft
        alone = self.question.ts is None  # nothing above the answer shows the question
        return bodies(
            self.draft,
            question_id=self.question.id,
            asked_by=self.question.user if alone else "",
            question=self.question.text if alone else "",
        )

    async def _edit(self, index: int, body: Body) -> None:
        ts = self.shown[index].ts
        self.shown[index] = Shown(ts, None)
        await self._slack.update(
            self.question.place.channel, ts, text=body.text, blocks=body.blocks
        )
        self.shown[index] = Shown(ts, body)

    async def _post(self, index: int, body: Body) -> None:
        ts = await self._posted_already(index) if self.unsure else None
        if ts is None:
            self.unsure = True
            try:
                ts = await self._slack.post(
                    self.question.place.channel,
                    text=body.text,
                    blocks=body.blocks,
                    thread_ts=self._thread,
                    metadata=self._metadata(index),
                )
            except (SlackRefused, SlackRateLimited):
                self.unsure = False
                raise
            self.shown.append(Shown(ts, body))
        else:
            self.shown.append(Shown(ts, None))
        self.unsure = False
        self._stands.set()

    async def _posted_already(self, index: int) -> str | None:
        """Look for a post whose answer was lost; None if it was not made, or can't be seen."""
        thread = self._thread
        if thread is None:
            return None
        after = self.shown[-1].ts if self.shown else self.question.ts
        try:
            messages = await self._slack.replies(
                self.question.place.channel, thread, oldest=after, include_metadata=True
            )
        except SlackRefused as error:
            log.warning("can't read back a lost post: %s", error)
            return None
        mine = self._metadata(index)
        return next((str(m["ts"]) for m in messages if _carries(m, mine)), None)

    @property
    def _thread(self) -> str | None:
        return self.question.place.thread_ts or (self.shown[0].ts if self.shown else None)

    def _metadata(self, index: int) -> dict[str, Any]:
        payload: dict[str, Any] = {"turn": self.question.id}
        if index:
            payload["part"] = index
        return {"event_type": EVENT_TYPE, "event_payload": payload}


def _carries(message: dict[str, Any], mine: dict[str, Any]) -> bool:
    metadata = message.get("metadata") or {}
    return all(metadata.get(key) == value for key, value in mine.items())
