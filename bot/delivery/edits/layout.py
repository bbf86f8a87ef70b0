"""How one answer lies in its messages: what stands in Slack, what should, where it was cut. Pure.

A message that was left behind, because it is full or because no edit came in time, is not touched
again, except to take away the sign that more comes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.delivery.edits.reconcile import Delete, Edit, Post, PostedMessage, Step, next_step
from bot.render.buttons import Element, answer_buttons
from bot.render.message import MessageBody, render_messages
from bot.render.safety.neutralise import escape_mrkdwn
from bot.values import REMOVED_DRAFT, Draft, Question

MAX_MESSAGE_BYTES = 11_000  # bytes of markdown in one message (docs/delivery.md#message-layout)
# the same without blocks: `shown_text` of chat.update holds 4,000 (docs/slack.md#size-limits)
MAX_PLAIN_MESSAGE_BYTES = 3_500
MIN_MESSAGE_BYTES = 1_000

ANSWER_BELOW = MessageBody(
    "The answer is below.",
    '[{"type":"context","elements":[{"type":"plain_text","text":"The answer is below."}]}]',
)
"""What a placeholder becomes whose answer had to go out as the next message."""


_MARKDOWN_BLOCK_START = '{"type":"markdown"'


class EditLayout:
    """The messages of one answer. `first_elsewhere`, if given, stands already, somewhere else;
    `existing` (ts) stand here, and nobody knows what they show."""

    def __init__(
        self,
        question: Question,
        first_elsewhere: MessageBody | None = None,
        existing: Sequence[str] = (),
    ) -> None:
        self.shown: list[PostedMessage] = (
            [PostedMessage("", first_elsewhere)] if first_elsewhere else []
        )
        self.shown_text = ""  # as much of the draft's text as stands
        self._question = question
        self._wanted: tuple[MessageBody, ...] = ()
        self._rendered_text = ""
        self._limit = MAX_MESSAGE_BYTES
        self._without_blocks = False
        self._textless_head: tuple[MessageBody, ...] = ()  # messages that hold nothing of the draft
        self._elsewhere = (first_elsewhere,) if first_elsewhere else ()
        self._cuts: tuple[int, ...] = ()
        self._stale_footers: set[int] = set()  # left behind with a sign that more comes
        self._frozen_count = len(self.shown)  # so many, from the top, can't be changed any more
        self.shown += [PostedMessage(ts, None) for ts in existing]

    @property
    def has_stale_footer(self) -> bool:
        """Whether a message left behind has still to be mended."""
        return bool(self._stale_footers)

    def plan(self, draft: Draft) -> Step | None:
        """Render a draft and return what to do first so that it stands; None if it does."""
        self._wanted, self._rendered_text = self._render(draft), draft.text
        step = self.next_step()
        if step is None and self._stale_footers:
            self._stale_footers.clear()
            step = self.next_step()
        return step

    def next_step(self) -> Step | None:
        """Return what to do first so that the draft rendered last stands."""
        step = next_step(
            self.shown, self._wanted, skip={*range(self._frozen_count), *self._stale_footers}
        )
        if step is None:
            self.shown_text = self._rendered_text
        return step

    def mark_done(self, step: Step, ts: str = "") -> None:
        """Take note that a step was taken; `ts` is a posted message's."""
        match step:
            case Edit(index, body):
                self.shown[index] = PostedMessage(self.shown[index].ts, body)
            case Post(_, body):
                self.shown.append(PostedMessage(ts, body))
            case Delete(index):
                del self.shown[index]

    def mark_unknown(self, step: Step) -> None:
        """Take note that a step may have been taken or not."""
        if isinstance(step, Edit):
            self.shown[step.index] = PostedMessage(self.shown[step.index].ts, None)

    def roll_over(self, draft: Draft) -> bool:
        """Leave the last message as it stands, so that what is missing goes out as the next one.

        False, and nothing is changed, if that can't be: the draft does not begin with what stands,
        or has nothing to show beyond it.
        """
        before = self._textless_head, self._cuts, self._stale_footers, self.shown_text
        if not draft.text.startswith(self.shown_text):
            return False
        if self._shows_text:
            self._cuts = (*self._cuts, len(self.shown_text))
        else:
            self._textless_head = (*self._textless_head, ANSWER_BELOW)
        self._stale_footers = self._stale_footers | {len(self.shown) - 1}
        if isinstance(self.plan(draft), Post):
            return True
        self._textless_head, self._cuts, self._stale_footers, self.shown_text = before
        return False

    def freeze(self, draft: Draft) -> None:
        """Go on in a new message: those that stand can't be edited any more."""
        self._frozen_count = len(self.shown)
        self._stale_footers = set()
        if self.shown_text and draft.text.startswith(self.shown_text):
            self._cuts = (*self._cuts, len(self.shown_text))
        else:
            self._textless_head, self._cuts = (
                tuple(one.body or ANSWER_BELOW for one in self.shown),
                (),
            )

    def simplify(self) -> bool:
        """Do without blocks from now on; False if they were given up already."""
        if self._without_blocks:
            return False
        self._without_blocks, self._limit = True, min(self._limit, MAX_PLAIN_MESSAGE_BYTES)
        return True

    def shrink(self) -> bool:
        """Make messages shorter from now on; False if they can't be."""
        if self._limit <= MIN_MESSAGE_BYTES:
            return False
        self._limit = max(MIN_MESSAGE_BYTES, self._limit * 2 // 3)
        return True

    @property
    def _shows_text(self) -> bool:
        """Whether a reader sees any of the text that stands: of "#" there is nothing to see yet."""
        blocks = (one.body.blocks for one in self.shown if one.body)
        return bool(self.shown_text) and (
            self._without_blocks or any(_MARKDOWN_BLOCK_START in each for each in blocks)
        )

    def _render(self, draft: Draft) -> tuple[MessageBody, ...]:
        if draft == REMOVED_DRAFT:
            return self._elsewhere
        buttons = answer_buttons(draft.phase, dm=self._question.place.surface == "dm")
        rendered = render(
            draft, self._question, limit=self._limit, cuts=self._cuts, buttons=buttons
        )
        return (
            *self._textless_head,
            *(map(without_blocks, rendered) if self._without_blocks else rendered),
        )


def render(
    draft: Draft,
    question: Question,
    *,
    limit: int = MAX_MESSAGE_BYTES,
    cuts: tuple[int, ...] = (),
    buttons: tuple[Element, ...] = (),
) -> tuple[MessageBody, ...]:
    """Return the messages that should stand for a draft."""
    alone = question.ts is None  # no message above the answer shows the question
    return render_messages(
        draft,
        question_id=question.id,
        max_bytes=limit,
        cuts=cuts,
        asked_by=question.user if alone else "",
        question=question.text if alone else "",
        full_question=question.place.surface == "dm",  # where one goes on from it
        buttons=buttons,
    )


def without_blocks(body: MessageBody) -> MessageBody:
    """The same message without blocks: its texts, shown as they are written."""
    blocks: list[dict[str, Any]] = json.loads(body.blocks)
    return MessageBody("\n\n".join(filter(None, map(_block_text, blocks))), "[]")


def _block_text(block: dict[str, Any]) -> str:
    match block:
        case {"type": "markdown", "text": str(text)}:
            return escape_mrkdwn(text)
        case {"type": "section", "text": {"text": str(text)}}:
            return escape_mrkdwn(text)
        case {"type": "context", "elements": list(elements)}:
            return " ".join(escape_mrkdwn(str(element.get("text", ""))) for element in elements)
    return ""
