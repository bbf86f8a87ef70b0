"""A Draft becomes the messages that should stand in Slack.

Text goes in one `markdown` block a message, its state in a `context` block under the last one
(docs/delivery.md#message-layout, docs/delivery.md#what-a-reader-sees). Nothing here knows whether,
when or how a message is sent.
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
from bot.render.markdown.close import close_open_markup, close_truncated
from bot.render.notification import plain_line
from bot.render.safety.neutralise import (
    escape_mrkdwn,
    neutralise,
    neutralise_line,
    replace_control_characters,
)
from bot.render.split import MessagePart, split_text
from bot.values import STATUS_SEPARATOR, Draft, Phase

Block = Mapping[str, Any]

# Escapes make five characters of one, and a text in a block takes 3,000
# (docs/slack.md#size-limits).
_MAX_LINE_CHARACTERS = 500
_MAX_QUESTION_CHARACTERS = 2_900  # escaped

ASKED_BLOCK_ID = "asked"
"""The `block_id` of the line that says who asked what."""

_GRAPHEME = regex.compile(r"\X")
_MENTION = regex.compile(r"(<@[UW][A-Z0-9]+>)")


@dataclass(frozen=True, slots=True)
class MessageBody:
    """One Slack message as it should stand.

    `text` is a short plain line for notifications. `blocks` is compact JSON; equal content gives
    equal strings, so bodies that would look the same compare equal.
    """

    text: str
    blocks: str


def render_messages(
    draft: Draft,
    *,
    question_id: str,
    max_bytes: int = 11_000,
    cuts: Sequence[int] = (),
    asked_by: str = "",
    question: str = "",
    full_question: bool = False,
    buttons: Sequence[Block] = (),
) -> tuple[MessageBody, ...]:
    """Return the messages that should stand for `draft`, in order, at least one.

    `limit`, 1,000 or more, is in UTF-8 bytes of one message's markdown as sent; Slack takes 12,000
    characters over all markdown blocks of a payload (docs/slack.md#size-limits). As `draft.text`
    grows, every message but the last stays byte for byte as it is; the final draft moves no
    boundary.

    `cuts` are lengths of `draft.text` at which a message was left as it stood; what was held back
    then opens the next one. `asked_by` and the beginning of `question`, or with `whole_question`
    as much of it as a block holds, head the first message; `buttons` close the last one.
    """
    texts = _message_texts(draft, max_bytes, cuts)
    last = len(texts) - 1
    out = []
    for index, text in enumerate(texts):
        blocks: list[Block] = []
        if index == 0 and asked_by:
            blocks.append(_asked_block(asked_by, question, full=full_question))
        if text:
            blocks.append({"type": "markdown", "text": text})
        if index == last:
            blocks += _footer_blocks(draft, question_id, buttons, has_text=bool(text))
        out.append(MessageBody(_notification_text(draft, text), _json(blocks)))
    return tuple(out)


def render_footer(draft: Draft, *, question_id: str, buttons: Sequence[Block] = ()) -> str:
    """Return the blocks that stand below the text of `draft`, as JSON; "[]" if there are none."""
    return _json(_footer_blocks(draft, question_id, buttons, has_text=bool(draft.text.strip())))


def _footer_blocks(
    draft: Draft, question_id: str, buttons: Sequence[Block], *, has_text: bool
) -> list[Block]:
    return [*_status_blocks(draft, has_text=has_text), *_button_blocks(buttons, question_id)]


def _json(blocks: Sequence[Block]) -> str:
    return json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))


def _notification_text(draft: Draft, text: str) -> str:
    """Return the line of a notification: how the message begins, or how the answer stands."""
    if not text and draft.phase is Phase.STOPPED:
        return _mrkdwn_with_mentions(_status_text(draft, has_text=False))
    return escape_mrkdwn(plain_line(text or _status_text(draft, has_text=False)) or "…")


def _message_texts(draft: Draft, max_bytes: int, cuts: Sequence[int]) -> list[str]:
    text = replace_control_characters(draft.text)
    shown = (
        _display_markdown(text, part, draft.phase) for part in split_text(text, max_bytes, cuts)
    )
    return [markdown for markdown in shown if markdown.strip()] or [""]


def _display_markdown(text: str, part: MessagePart, phase: Phase) -> str:
    """Return the markdown of one message: only finished text is left as the model wrote it."""
    share = text[part.start : part.end]
    if not part.last:
        return _neutralise_cached((part.opening + share).rstrip() + part.closing)
    if not share.strip():
        return ""
    rest = part.opening + share
    if phase is Phase.DONE:
        return neutralise(rest)
    return neutralise(close_truncated(rest) if phase.is_final else close_open_markup(rest))


# A full message is asked for again with every draft that follows.
_neutralise_cached = lru_cache(maxsize=256)(neutralise)


def _status_text(draft: Draft, *, has_text: bool) -> str:
    """Return the line under the answer that says how it stands."""
    match draft.phase:
        case Phase.STREAMING if has_text:
            return f"Writing… · {draft.status_line}" if draft.status_line else "Writing…"
        case Phase.QUEUED | Phase.ASKING | Phase.STREAMING:
            return draft.status_line or "Thinking…"
        case Phase.RECONNECTING:
            return draft.status_line or "Reconnecting…"
        case Phase.DONE:
            return draft.status_line or ("" if has_text else "The answer is empty.")
        case Phase.STOPPED:
            return draft.status_line or "Stopped"
        case Phase.CUT_OFF:
            return draft.status_line or "Cut off at the length limit"
        case Phase.FAILED | Phase.INTERRUPTED:
            return draft.status_line or "The answer broke off."


def _status_blocks(draft: Draft, *, has_text: bool) -> list[Block]:
    line = _status_text(draft, has_text=has_text)
    if not line:
        return []
    if draft.phase is Phase.STOPPED:
        return [{"type": "context", "elements": _stopped_elements(line[:_MAX_LINE_CHARACTERS])}]
    element = _plain_element(line[:_MAX_LINE_CHARACTERS])
    if draft.phase.is_final and not has_text:
        return [{"type": "section", "text": element}]
    return [{"type": "context", "elements": [element]}]


def _stopped_elements(line: str) -> list[Block]:
    """Return who stopped it, and a remark beside that: it may hold names of files, and no mention
    or emphasis in those is live."""
    who, beside, remark = line.partition(STATUS_SEPARATOR)
    said: list[Block] = [{"type": "mrkdwn", "text": _mrkdwn_with_mentions(who)}]
    return [*said, _plain_element(beside.lstrip() + remark)] if remark else said


def _plain_element(line: str) -> Block:
    return {"type": "plain_text", "text": neutralise_line(line)}


def _mrkdwn_with_mentions(line: str) -> str:
    """Return a line of ours as mrkdwn in which only mentions of users are live."""
    pieces = _MENTION.split(line[:_MAX_LINE_CHARACTERS])
    return "".join(piece if _MENTION.fullmatch(piece) else escape_mrkdwn(piece) for piece in pieces)


def _asked_block(user: str, question: str, *, full: bool) -> Block:
    shown = (
        _fit_block(neutralise_line(question))
        if full
        else neutralise_line(plain_line(question, 300))
    )
    elements = [
        {"type": "mrkdwn", "text": f"<@{user}> asked:"},
        {"type": "plain_text", "text": shown.strip() or "…"},
    ]
    return {"type": "context", "block_id": ASKED_BLOCK_ID, "elements": elements}


@lru_cache(maxsize=64)  # asked for again with every draft
def _fit_block(text: str) -> str:
    """Return as much of a plain text as fits a block."""
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
