"""Splits one answer into messages and plans the next step towards them. Pure.

Keeps what Slack shows, what it should show, and the positions at which a new message began.

A message is finished when it is full, or when no edit came in time and the text went on in the next
one. A finished message is edited once more at most, to remove its *Writing…* line.
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
# the same without blocks: `text` of chat.update holds 4,000 (docs/slack.md#size-limits)
MAX_PLAIN_MESSAGE_BYTES = 3_500
MIN_MESSAGE_BYTES = 1_000

ANSWER_BELOW = MessageBody(
    "The answer is below.",
    '[{"type":"context","elements":[{"type":"plain_text","text":"The answer is below."}]}]',
)
"""What a placeholder becomes when the answer went out as the next message."""


_MARKDOWN_BLOCK_START = '{"type":"markdown"'


class EditLayout:
    """The messages of one answer.

    `first_elsewhere` is the body of the first message if that was sent to another conversation; it
    is never edited. `existing` are the ts of messages that exist here; what they show is unknown.

    Call `plan` with a draft, carry out the step it returns, and report the result with `mark_done`
    or `mark_unknown`.
    """

    def __init__(
        self,
        question: Question,
        first_elsewhere: MessageBody | None = None,
        existing: Sequence[str] = (),
    ) -> None:
        self.shown: list[PostedMessage] = (
            [PostedMessage("", first_elsewhere)] if first_elsewhere else []
        )
        self.shown_text = ""  # the part of the draft's text that Slack shows
        self._question = question
        self._wanted: tuple[MessageBody, ...] = ()
        self._rendered_text = ""
        self._limit = MAX_MESSAGE_BYTES
        self._without_blocks = False
        self._textless_head: tuple[MessageBody, ...] = ()  # messages above the text
        self._elsewhere = (first_elsewhere,) if first_elsewhere else ()
        self._cuts: tuple[int, ...] = ()
        self._stale_footers: set[int] = set()  # finished messages that still say *Writing…*
        self._frozen_count = len(self.shown)  # the first messages, which can't be edited any more
        self.shown += [PostedMessage(ts, None) for ts in existing]

    @property
    def has_stale_footer(self) -> bool:
        """Whether a finished message still says *Writing…*."""
        return bool(self._stale_footers)

    def plan(self, draft: Draft) -> Step | None:
        """Render a draft, and return the next step to show it; None if Slack shows it already."""
        self._wanted, self._rendered_text = self._render(draft), draft.text
        step = self.next_step()
        if step is None and self._stale_footers:
            self._stale_footers.clear()
            step = self.next_step()
        return step

    def next_step(self) -> Step | None:
        """Return the next step to show the last rendered draft; stale footers are left alone."""
        step = next_step(
            self.shown, self._wanted, skip={*range(self._frozen_count), *self._stale_footers}
        )
        if step is None:
            self.shown_text = self._rendered_text
        return step

    def mark_done(self, step: Step, ts: str = "") -> None:
        """Record that Slack took a step; `ts` is that of a posted message."""
        match step:
            case Edit(index, body):
                self.shown[index] = PostedMessage(self.shown[index].ts, body)
            case Post(_, body):
                self.shown.append(PostedMessage(ts, body))
            case Delete(index):
                del self.shown[index]

    def mark_unknown(self, step: Step) -> None:
        """Record that Slack may have taken a step."""
        if isinstance(step, Edit):
            self.shown[step.index] = PostedMessage(self.shown[step.index].ts, None)

    def roll_over(self, draft: Draft) -> bool:
        """Finish the last message as it is, so that the missing text goes out as the next one.

        False, and nothing has changed, if the draft does not begin with what is shown or has
        nothing to show beyond it.
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
        """Continue in a new message, because the present ones can't be edited any more."""
        self._frozen_count = len(self.shown)
        self._stale_footers = set()
        if self.shown_text and draft.text.startswith(self.shown_text):
            self._cuts = (*self._cuts, len(self.shown_text))
        else:
            self._textless_head, self._cuts = (
                tuple(message.body or ANSWER_BELOW for message in self.shown),
                (),
            )

    def simplify(self) -> bool:
        """Send no blocks from now on; False if blocks were switched off before."""
        if self._without_blocks:
            return False
        self._without_blocks, self._limit = True, min(self._limit, MAX_PLAIN_MESSAGE_BYTES)
        return True

    def shrink(self) -> bool:
        """Make messages shorter from now on; False if they have the minimum length already."""
        if self._limit <= MIN_MESSAGE_BYTES:
            return False
        self._limit = max(MIN_MESSAGE_BYTES, self._limit * 2 // 3)
        return True

    @property
    def _shows_text(self) -> bool:
        """Whether any of the shown text is visible: a "#" alone shows nothing yet."""
        blocks = (message.body.blocks for message in self.shown if message.body)
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
    """Return the messages that show a draft, each of at most `limit` bytes of markdown.

    `cuts` are positions in the text where a new message begins in any case.
    """
    alone = question.ts is None  # no message above the answer shows the question
    return render_messages(
        draft,
        question_id=question.id,
        max_bytes=limit,
        cuts=cuts,
        asked_by=question.user if alone else "",
        question=question.text if alone else "",
        full_question=question.place.surface == "dm",  # where follow-up questions refer to it
        buttons=buttons,
    )


def without_blocks(body: MessageBody) -> MessageBody:
    """Return the same message without blocks, with their texts as mrkdwn."""
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
