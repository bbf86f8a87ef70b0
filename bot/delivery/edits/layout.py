"""Splits one answer into messages and plans the next step towards them. Pure.

Keeps what Slack shows, what it should show, and the positions at which a new message began.

A message is finished when it is full, or when no edit came in time and the text went on in the next
one. A finished message is edited once more at most, to remove its *Writing…* line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from bot.delivery.edits.reconcile import Delete, Edit, Post, PostedMessage, Step, next_step
from bot.render.buttons import Element, answer_buttons, next_number
from bot.render.ephemeral import one_line_message
from bot.render.feedback import has_feedback
from bot.render.message import MessageBody, render_messages
from bot.render.safety.neutralise import escape_mrkdwn
from bot.values import REMOVED_DRAFT, Draft, Phase, Question
from bot.words import Language, Phrase, say

MAX_MESSAGE_BYTES = 11_000  # bytes of markdown in one message (docs/delivery.md#message-layout)
# the same without blocks: `text` of chat.update holds 4,000 (docs/slack.md#size-limits)
MAX_PLAIN_MESSAGE_BYTES = 3_500
MIN_MESSAGE_BYTES = 1_000
LONGEST_WORD = 40  # characters that are kept together where a new message begins
FIRST_CJK = "\u2e80"  # from here on Unicode has the scripts of East Asia

_UNFINISHED = frozenset({Phase.STREAMING, Phase.RECONNECTING})
_MARKDOWN_BLOCK_START = '{"type":"markdown"'


class EditLayout:
    """The messages of one answer.

    `first_elsewhere` is the body of the first message if that was sent to another conversation; it
    is never edited. `existing` are the ts of messages that exist here; what they show is unknown.
    At the end come those that others have replaced: they are older than the one before them.
    `feedback`: the finished answer has feedback buttons.

    Call `plan` with a draft, carry out the step it returns, and report the result with `mark_done`
    or `mark_unknown`.
    """

    def __init__(
        self,
        question: Question,
        first_elsewhere: MessageBody | None = None,
        existing: Sequence[str] = (),
        *,
        feedback: bool = False,
    ) -> None:
        self.shown: list[PostedMessage] = (
            [PostedMessage("", first_elsewhere)] if first_elsewhere else []
        )
        self.shown_text = ""  # the part of the draft's text that Slack shows
        self._question = question
        self._wanted: tuple[MessageBody, ...] = ()
        self._rendered_text = ""
        # whether messages that show more of an earlier text than the draft are left
        self._keeps_rest = False
        self._limit = MAX_MESSAGE_BYTES
        self._without_blocks = False
        self._feedback = feedback
        self._textless_head: tuple[MessageBody, ...] = ()  # messages above the text
        self._elsewhere = (first_elsewhere,) if first_elsewhere else ()
        self._cuts: tuple[int, ...] = ()
        self._stale_footers: set[int] = set()  # finished messages that still say *Writing…*
        self._frozen_count = len(self.shown)  # the first messages, which can't be edited any more
        self.shown += [PostedMessage(ts, None) for ts in existing]
        # the last messages of `shown`, which are to be deleted
        self._replaced_count = _count_replaced(existing)

    @property
    def has_placeholder(self) -> bool:
        """Whether a message stands that shows no text and may be deleted. What the messages of an
        answer that was taken over show is unknown."""
        known = bool(self._kept) and not self.needs_edit
        return known and not self._frozen_count and not self._shows_text

    @property
    def needs_edit(self) -> bool:
        """Whether it is unknown what a message shows, so that it may show text already. Text that
        goes on in a next message might repeat or move it; only an edit helps."""
        return any(message.body is None for message in self._kept[self._frozen_count :])

    @property
    def has_stale_footer(self) -> bool:
        """Whether a finished message still says *Writing…*."""
        return bool(self._stale_footers)

    @property
    def delete_of_replaced(self) -> Delete | None:
        """The step that deletes a message whose replacement shows text; None if there is none.

        `plan` and `next_step` never return it: the text does not wait for it.
        """
        if self._replaced_count and self._kept and self._kept[0].body:
            return Delete(len(self.shown) - 1)
        return None

    def plan(self, draft: Draft) -> Step | None:
        """Render a draft, and return the next step to show it; None if Slack shows it already."""
        if draft == REMOVED_DRAFT:
            self._replaced_count = 0  # all go the same way
        if draft.phase is Phase.STREAMING:
            draft = replace(draft, text=self._whole_words(draft.text))
        self._wanted, self._rendered_text = self._render(draft), draft.text
        self._keeps_rest = self._question.rewrite is not None and draft.phase in _UNFINISHED
        step = self.next_step()
        if step is None and self._stale_footers:
            self._stale_footers.clear()
            step = self.next_step()
        return step

    def next_step(self) -> Step | None:
        """Return the next step to show the last rendered draft; stale footers are left alone."""
        step = next_step(
            self._kept, self._wanted, skip={*range(self._frozen_count), *self._stale_footers}
        )
        if isinstance(step, Delete) and self._keeps_rest:
            step = None
        if step is None:
            self.shown_text = self._rendered_text
        return step

    def mark_done(self, step: Step, ts: str = "") -> None:
        """Record that Slack took a step; `ts` is that of a posted message."""
        match step:
            case Edit(index, body):
                self.shown[index] = PostedMessage(self.shown[index].ts, body)
            case Post(index, body):
                self.shown.insert(index, PostedMessage(ts, body))  # before those it replaces
            case Delete(index):
                self._replaced_count -= index >= len(self._kept)
                del self.shown[index]

    def mark_unknown(self, step: Step) -> None:
        """Record that Slack may have taken a step."""
        if isinstance(step, Edit):
            self.shown[step.index] = PostedMessage(self.shown[step.index].ts, None)

    def replace_placeholder(self, draft: Draft) -> bool:
        """Show the text in a new message, which replaces the placeholder.

        False, and nothing has changed, if there is no placeholder or no text to show.
        """
        if not self.has_placeholder:
            return False
        before, self._replaced_count = self._replaced_count, len(self.shown)
        if isinstance(self.plan(draft), Post):
            return True
        self._replaced_count = before
        return False

    def roll_over(self, draft: Draft) -> bool:
        """Finish the last message as it is, so that the missing text goes out as the next one.

        False, and nothing has changed, if what is shown is unknown, or if the draft does not begin
        with it or has nothing to show beyond it.
        """
        if self.needs_edit:
            return False
        before = self._textless_head, self._cuts, self._stale_footers, self.shown_text
        if not draft.text.startswith(self.shown_text):
            return False
        if self._shows_text:
            self._cuts = (*self._cuts, len(self.shown_text))
        else:
            self._textless_head = (*self._textless_head, answer_below(self._question.language))
        self._stale_footers = self._stale_footers | {len(self._kept) - 1}
        if isinstance(self.plan(draft), Post):
            return True
        self._textless_head, self._cuts, self._stale_footers, self.shown_text = before
        return False

    def freeze(self, draft: Draft) -> None:
        """Continue in a new message, because the present ones can't be edited any more."""
        self._frozen_count = len(self._kept)
        self._stale_footers = set()
        if self.shown_text and draft.text.startswith(self.shown_text):
            self._cuts = (*self._cuts, len(self.shown_text))
        else:
            below = answer_below(self._question.language)
            self._textless_head = tuple(message.body or below for message in self._kept)
            self._cuts = ()

    def drop_feedback(self) -> bool:
        """Leave the feedback buttons out from now on; False if the messages had none."""
        had_feedback = any(has_feedback(body.blocks) for body in self._wanted)
        self._feedback = False
        return had_feedback

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
    def _kept(self) -> Sequence[PostedMessage]:
        """The messages that are not to be deleted."""
        return self.shown[: len(self.shown) - self._replaced_count]

    @property
    def _shows_text(self) -> bool:
        """Whether any of the shown text is visible: a "#" alone shows nothing yet."""
        blocks = (message.body.blocks for message in self.shown if message.body)
        return bool(self.shown_text) and (
            self._without_blocks or any(_MARKDOWN_BLOCK_START in each for each in blocks)
        )

    def _whole_words(self, text: str) -> str:
        """Leave out a word at the end that may not be complete, unless it is shown already: a
        message that is finished here never ends within a word."""
        shown = len(self.shown_text) if text.startswith(self.shown_text) else 0
        return text[: max(shown, _last_word(text))]

    def _render(self, draft: Draft) -> tuple[MessageBody, ...]:
        if draft == REMOVED_DRAFT:
            return self._elsewhere
        buttons = answer_buttons(
            draft.phase,
            self._question.language,
            dm=self._question.place.surface == "dm",
            next_number=next_number(self._question),
            version=draft.version,
        )
        rendered = render(
            draft,
            self._question,
            limit=self._limit,
            cuts=self._cuts,
            buttons=buttons,
            feedback=self._feedback,
        )
        return (
            *self._textless_head,
            *(map(without_blocks, rendered) if self._without_blocks else rendered),
        )


def _count_replaced(existing: Sequence[str]) -> int:
    """Return how many messages at the end have been replaced by messages before them."""
    in_order = next(
        (n for n, (one, other) in enumerate(pairwise(existing), 1) if other < one), len(existing)
    )
    return len(existing) - in_order


def _last_word(text: str) -> int:
    """Return where a word begins that may go on after the text; the end of the text if there is
    none, or if it is very long."""
    earliest = max(0, len(text) - LONGEST_WORD)
    start = len(text)
    while start > earliest and text[start - 1] < FIRST_CJK and text[start - 1].isalnum():
        start -= 1
    return start if start > earliest else len(text)


def render(
    draft: Draft,
    question: Question,
    *,
    limit: int = MAX_MESSAGE_BYTES,
    cuts: tuple[int, ...] = (),
    buttons: tuple[Element, ...] = (),
    feedback: bool = False,
) -> tuple[MessageBody, ...]:
    """Return the messages that show a draft, each of at most `limit` bytes of markdown.

    `cuts` are positions in the text where a new message begins in any case.
    """
    alone = question.ts is None  # no message above the answer shows the question
    return render_messages(
        draft,
        question_id=question.id,
        language=question.language,
        max_bytes=limit,
        cuts=cuts,
        asked_by=question.user if alone else "",
        asked_about=question.about.text if question.about else "",
        question=question.text if alone else "",
        full_question=question.place.surface == "dm",  # where follow-up questions refer to it
        notified_question=question.text,
        buttons=buttons,
        feedback=feedback,
    )


def answer_below(language: Language) -> MessageBody:
    """What a placeholder becomes when the answer went out as the next message."""
    return one_line_message(say(language, Phrase.ANSWER_BELOW))


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
