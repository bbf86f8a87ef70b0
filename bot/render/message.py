"""Renders a draft as the messages that Slack should show.

Each message has its text in one `markdown` block; the last one has the status in a `context` block
below it (docs/delivery.md#message-layout, docs/delivery.md#what-a-reader-sees). `delivery` decides
when and how they are sent.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import regex

from bot.render.buttons import BUTTONS_BLOCK_PREFIX
from bot.render.feedback import feedback_blocks
from bot.render.markdown.close import close_open_markup, close_truncated
from bot.render.notification import plain_line, question_line
from bot.render.safety.neutralise import (
    escape_mrkdwn,
    neutralise,
    neutralise_line,
    replace_control_characters,
)
from bot.render.split import MessagePart, split_text
from bot.values import STATUS_SEPARATOR, Draft, Phase
from bot.words import Language, Phrase, say

Block = Mapping[str, Any]

# A text object takes 3,000 characters (docs/slack.md#size-limits), and an escape makes five of one.
_MAX_LINE_CHARACTERS = 500
_MAX_QUESTION_CHARACTERS = 2_900  # escaped

ASKED_BLOCK_ID = "asked"
"""The `block_id` of the line above an answer that says who asked what."""

_GRAPHEME = regex.compile(r"\X")
_MENTION = regex.compile(r"(<@[UW][A-Z0-9]+>)")


@dataclass(frozen=True, slots=True)
class MessageBody:
    """The content of one Slack message.

    `text` is a short plain line for notifications. `blocks` is compact JSON: bodies with equal
    content are equal.
    """

    text: str
    blocks: str


def render_messages(
    draft: Draft,
    *,
    question_id: str,
    language: Language,
    max_bytes: int = 11_000,
    cuts: Sequence[int] = (),
    asked_by: str = "",
    asked_about: str = "",
    question: str = "",
    full_question: bool = False,
    notified_question: str = "",
    buttons: Sequence[Block] = (),
    feedback: bool = False,
) -> tuple[MessageBody, ...]:
    """Return the messages for `draft` in order; at least one.

    A message has at most `max_bytes` of Markdown in UTF-8, which is 1,000 or more. Slack takes
    12,000 characters in all Markdown blocks of a message (docs/slack.md#size-limits). As
    `draft.text` grows, all messages except the last stay the same, byte for byte, and the final
    draft does not move a boundary.

    `cuts` are lengths of `draft.text` at which a message was frozen before it was full; text that
    was held back then starts the next message. `asked_by` and the beginning of `question` are shown
    above the first message; with `full_question` as much of it as fits a block. The line quotes the
    beginning of `asked_about`, the message that the question is about. While there is no
    text, the notification names the beginning of `notified_question`. `buttons` are shown below the
    last message. `feedback`: a finished answer has feedback buttons, too.
    """
    texts = _message_texts(draft, max_bytes, cuts)
    last = len(texts) - 1
    bodies = []
    for index, text in enumerate(texts):
        blocks: list[Block] = []
        if index == 0 and asked_by:
            asked = _asked_line(asked_by, asked_about, language)
            blocks.append(_asked_block(asked, question, full=full_question))
        if text:
            blocks.append({"type": "markdown", "text": text})
        if index == last:
            status = _status_text(draft, language, has_text=bool(text))
            footer = _footer_blocks(draft, status, question_id, buttons, has_text=bool(text))
            blocks += footer
            blocks += feedback_blocks(draft, question_id, language, footer) if feedback else []
        notification = _notification_text(draft, text, language, notified_question)
        bodies.append(MessageBody(notification, _json(blocks)))
    return tuple(bodies)


def render_footer(
    draft: Draft,
    *,
    question_id: str,
    language: Language,
    buttons: Sequence[Block] = (),
    feedback: bool = False,
) -> str:
    """The blocks below the text of `draft`, as JSON; "[]" if there are none. Used for streams."""
    has_text = bool(draft.text.strip())
    status = _status_text(draft, language, has_text=has_text)
    blocks = _footer_blocks(draft, status, question_id, buttons, has_text=has_text)
    if feedback:
        blocks += feedback_blocks(draft, question_id, language, blocks)
    return _json(blocks)


def _footer_blocks(
    draft: Draft, status: str, question_id: str, buttons: Sequence[Block], *, has_text: bool
) -> list[Block]:
    return [
        *_status_blocks(draft, status, has_text=has_text),
        *_button_blocks(buttons, question_id),
    ]


def _json(blocks: Sequence[Block]) -> str:
    return json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))


def _notification_text(draft: Draft, text: str, language: Language, question: str) -> str:
    """The text of the notification: the beginning of the message, the question that is being
    answered, or the status of the answer."""
    if not text and not draft.phase.is_final and (asked := question_line(question)):
        return escape_mrkdwn(say(language, Phrase.ANSWERING, question=asked))
    line = text or _status_text(draft, language, has_text=False)
    if not text and draft.phase is Phase.STOPPED:
        return _mrkdwn_with_mentions(line)
    return escape_mrkdwn(plain_line(line) or "…")


def _message_texts(draft: Draft, max_bytes: int, cuts: Sequence[int]) -> list[str]:
    text = replace_control_characters(draft.text)
    shown = (
        _display_markdown(text, part, draft.phase) for part in split_text(text, max_bytes, cuts)
    )
    return [markdown for markdown in shown if markdown.strip()] or [""]


def _display_markdown(text: str, part: MessagePart, phase: Phase) -> str:
    """The Markdown of one message. Open markup is closed, except in a finished answer."""
    content = text[part.start : part.end]
    if not part.last:
        return _neutralise_cached((part.opening + content).rstrip() + part.closing)
    if not content.strip():
        return ""
    rest = part.opening + content
    if phase is Phase.DONE:
        return neutralise(rest)
    return neutralise(close_truncated(rest) if phase.is_final else close_open_markup(rest))


# A full message is rendered again with each later draft.
_neutralise_cached = lru_cache(maxsize=256)(neutralise)


_DEFAULT_STATUS = {
    Phase.QUEUED: Phrase.THINKING,
    Phase.ASKING: Phrase.THINKING,
    Phase.STREAMING: Phrase.THINKING,
    Phase.RECONNECTING: Phrase.RECONNECTING,
    Phase.DONE: Phrase.EMPTY_ANSWER,
    Phase.STOPPED: Phrase.STOPPED,
    Phase.CUT_OFF: Phrase.CUT_OFF_AT_LENGTH,
    Phase.FAILED: Phrase.BROKE_OFF,
    Phase.INTERRUPTED: Phrase.BROKE_OFF,
    Phase.REWRITING: Phrase.WRITING_AGAIN,
}
"""The status of a draft without a status line and without text."""


_WRITING = {Phase.STREAMING: Phrase.WRITING, Phase.REWRITING: Phrase.WRITING_AGAIN}
"""What the status line says before all else, by phase, below a text."""


def _status_text(draft: Draft, language: Language, *, has_text: bool) -> str:
    """The status line below the answer; "" for a finished answer without a remark."""
    if draft.phase in _WRITING and has_text:
        writing = say(language, _WRITING[draft.phase])
        return STATUS_SEPARATOR.join(filter(None, (writing, draft.status_line)))
    if draft.phase is Phase.DONE and has_text:
        return draft.status_line
    return draft.status_line or say(language, _DEFAULT_STATUS[draft.phase])


def _status_blocks(draft: Draft, line: str, *, has_text: bool) -> list[Block]:
    if not line:
        return []
    if draft.phase is Phase.STOPPED:
        return [{"type": "context", "elements": _stopped_elements(line[:_MAX_LINE_CHARACTERS])}]
    element = _plain_element(line[:_MAX_LINE_CHARACTERS])
    if draft.phase.is_final and not has_text:
        return [{"type": "section", "text": element}]
    return [{"type": "context", "elements": [element]}]


def _stopped_elements(line: str) -> list[Block]:
    """The person who stopped the answer as mrkdwn, and a remark as plain text.

    The remark may contain names of files, whose mentions and emphasis must not take effect.
    """
    who, separator, remark = line.partition(STATUS_SEPARATOR)
    elements: list[Block] = [{"type": "mrkdwn", "text": _mrkdwn_with_mentions(who)}]
    return [*elements, _plain_element(separator.lstrip() + remark)] if remark else elements


def _plain_element(line: str) -> Block:
    return {"type": "plain_text", "text": neutralise_line(line)}


def _mrkdwn_with_mentions(line: str) -> str:
    """A status line as mrkdwn in which only mentions of users take effect."""
    pieces = _MENTION.split(line[:_MAX_LINE_CHARACTERS])
    return "".join(piece if _MENTION.fullmatch(piece) else escape_mrkdwn(piece) for piece in pieces)


def _asked_line(user: str, about: str, language: Language) -> str:
    """Who asked, as mrkdwn in which only the mention of that user takes effect."""
    if quoted := question_line(about):
        message = escape_mrkdwn(neutralise_line(quoted))
        return say(language, Phrase.ASKED_ABOUT, user=user, message=message)
    return say(language, Phrase.ASKED, user=user)


def _asked_block(asked: str, question: str, *, full: bool) -> Block:
    shown = (
        _fit_block(neutralise_line(question))
        if full
        else neutralise_line(plain_line(question, 300))
    )
    elements = [
        {"type": "mrkdwn", "text": asked},
        {"type": "plain_text", "text": shown.strip() or "…"},
    ]
    return {"type": "context", "block_id": ASKED_BLOCK_ID, "elements": elements}


@lru_cache(maxsize=64)  # called again for each draft
def _fit_block(text: str) -> str:
    """Cut a plain text to the length that fits a block."""
    pieces = _GRAPHEME.findall(text)
    ends = accumulate(len(html.escape(piece, quote=False)) for piece in pieces)
    head = pieces[: sum(end <= _MAX_QUESTION_CHARACTERS for end in ends)]
    return "".join(head) if len(head) == len(pieces) else "".join([*head, "…"])


def _button_blocks(buttons: Sequence[Block], question_id: str) -> list[Block]:
    if not buttons:
        return []
    return [
        {
            "type": "actions",
            "block_id": f"{BUTTONS_BLOCK_PREFIX}{question_id}",
            "elements": list(buttons),
        }
    ]
