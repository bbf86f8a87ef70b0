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

from bot.render.buttons import BLOCK
from bot.render.markdown.close import broken_off, whole
from bot.render.notification import plain
from bot.render.safety.neutralise import clean, escaped, inert, inert_line
from bot.render.split import Part, split
from bot.values import STATUS_SEPARATOR, Draft, Phase

Block = Mapping[str, Any]

# Escapes make five characters of one, and a text in a block takes 3,000
# (docs/slack.md#size-limits).
_LONGEST_LINE = 500
_LONGEST_QUESTION = 2_900  # escaped

ASKED = "asked"
"""The `block_id` of the line that says who asked what."""

_GRAPHEME = regex.compile(r"\X")
_MENTION = regex.compile(r"(<@[UW][A-Z0-9]+>)")


@dataclass(frozen=True, slots=True)
class Body:
    """One Slack message as it should stand.

    `text` is a short plain line for notifications. `blocks` is compact JSON; equal content gives
    equal strings, so bodies that would look the same compare equal.
    """

    text: str
    blocks: str


def bodies(
    draft: Draft,
    *,
    question_id: str,
    limit: int = 11_000,
    cuts: Sequence[int] = (),
    asked_by: str = "",
    question: str = "",
    whole_question: bool = False,
    buttons: Sequence[Block] = (),
) -> tuple[Body, ...]:
    """Return the messages that should stand for `draft`, in order, at least one.

    `limit`, 1,000 or more, is in UTF-8 bytes of one message's markdown as sent; Slack takes 12,000
    characters over all markdown blocks of a payload (docs/slack.md#size-limits). As `draft.text`
    grows, every message but the last stays byte for byte as it is; the final draft moves no
    boundary.

    `cuts` are lengths of `draft.text` at which a message was left as it stood; what was held back
    then opens the next one. `asked_by` and the beginning of `question`, or with `whole_question`
    as much of it as a block holds, head the first message; `buttons` close the last one.
    """
    texts = _texts(draft, limit, cuts)
    last = len(texts) - 1
    out = []
    for index, text in enumerate(texts):
        blocks: list[Block] = []
        if index == 0 and asked_by:
            blocks.append(_asked(asked_by, question, whole=whole_question))
        if text:
            blocks.append({"type": "markdown", "text": text})
        if index == last:
            blocks += _below(draft, question_id, buttons, has_text=bool(text))
        out.append(Body(_notice(draft, text), _json(blocks)))
    return tuple(out)


def below(draft: Draft, *, question_id: str, buttons: Sequence[Block] = ()) -> str:
    """Return the blocks that stand below the text of `draft`, as JSON; "[]" if there are none."""
    return _json(_below(draft, question_id, buttons, has_text=bool(draft.text.strip())))


def _below(
    draft: Draft, question_id: str, buttons: Sequence[Block], *, has_text: bool
) -> list[Block]:
    return [*_state(draft, has_text=has_text), *_actions(buttons, question_id)]


def _json(blocks: Sequence[Block]) -> str:
    return json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))


def _notice(draft: Draft, text: str) -> str:
    """Return the line of a notification: how the message begins, or how the answer stands."""
    if not text and draft.phase is Phase.STOPPED:
        return _naming(_line(draft, has_text=False))
    return escaped(plain(text or _line(draft, has_text=False)) or "…")


def _texts(draft: Draft, limit: int, cuts: Sequence[int]) -> list[str]:
    text = clean(draft.text)
    shown = (_shown(text, part, draft.phase) for part in split(text, limit, cuts))
    return [markdown for markdown in shown if markdown.strip()] or [""]


def _shown(text: str, part: Part, phase: Phase) -> str:
    """Return the markdown of one message: only finished text is left as the model wrote it."""
    share = text[part.start : part.end]
    if not part.last:
        return _finished((part.opening + share).rstrip() + part.closing)
    if not share.strip():
        return ""
    rest = part.opening + share
    if phase is Phase.DONE:
        return inert(rest)
    return inert(broken_off(rest) if phase.is_final else whole(rest))


# A full message is asked for again with every draft that follows.
_finished = lru_cache(maxsize=256)(inert)


def _line(draft: Draft, *, has_text: bool) -> str:
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


def _state(draft: Draft, *, has_text: bool) -> list[Block]:
    line = _line(draft, has_text=has_text)
    if not line:
        return []
    if draft.phase is Phase.STOPPED:
        return [{"type": "context", "elements": _stopped(line[:_LONGEST_LINE])}]
    element = _plain(line[:_LONGEST_LINE])
    if draft.phase.is_final and not has_text:
        return [{"type": "section", "text": element}]
    return [{"type": "context", "elements": [element]}]


def _stopped(line: str) -> list[Block]:
    """Return who stopped it, and a remark beside that: it may hold names of files, and no mention
    or emphasis in those is live."""
    who, beside, remark = line.partition(STATUS_SEPARATOR)
    said: list[Block] = [{"type": "mrkdwn", "text": _naming(who)}]
    return [*said, _plain(beside.lstrip() + remark)] if remark else said


def _plain(line: str) -> Block:
    return {"type": "plain_text", "text": inert_line(line)}


def _naming(line: str) -> str:
    """Return a line of ours as mrkdwn in which only mentions of users are live."""
    pieces = _MENTION.split(line[:_LONGEST_LINE])
    return "".join(piece if _MENTION.fullmatch(piece) else escaped(piece) for piece in pieces)


def _asked(user: str, question: str, *, whole: bool) -> Block:
    shown = _fitting(inert_line(question)) if whole else inert_line(plain(question, 300))
    elements = [
        {"type": "mrkdwn", "text": f"<@{user}> asked:"},
        {"type": "plain_text", "text": shown.strip() or "…"},
    ]
    return {"type": "context", "block_id": ASKED, "elements": elements}


@lru_cache(maxsize=64)  # asked for again with every draft
def _fitting(text: str) -> str:
    """Return as much of a plain text as fits a block."""
    pieces = _GRAPHEME.findall(text)
    ends = accumulate(len(html.escape(piece, quote=False)) for piece in pieces)
    head = pieces[: sum(end <= _LONGEST_QUESTION for end in ends)]
    return "".join(head) if len(head) == len(pieces) else "".join([*head, "…"])


def _actions(buttons: Sequence[Block], question_id: str) -> list[Block]:
    if not buttons:
        return []
    return [{"type": "actions", "block_id": f"{BLOCK}{question_id}", "elements": list(buttons)}]
