"""Conversion between turns and the columns of their rows. Executes no statements."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Row

from bot.storage.records import ShownMessage, Spent, TurnRecord
from bot.storage.tables import WAITING
from bot.values import (
    PARAGRAPH_SEPARATOR,
    REMOVED_DRAFT,
    Draft,
    File,
    Phase,
    Question,
    Said,
    Subject,
    Usage,
    join_paragraphs,
    message_key,
    reworded,
)

AUTHORSHIP_KEY = "shares"
"""The key of a stored question's JSON for its authors: user, ts and length in characters of each
part of the column `text`. Older versions ignore it."""

MAX_MODEL_NAME_CHARACTERS = 200  # a server may name its model as it likes
_TEXT_REMOVED: dict[str, Any] = {
    "text": "",
    "files": (),
    "unreadable": (),
    "response_url": None,
    "said": (),
    "about": None,
}


def question_columns(question: Question) -> dict[str, Any]:
    """The columns of a question. What people wrote has columns of its own, so it can be deleted."""
    return {
        "question": _to_json(_without_words(question)),
        "text": storable_text(question.text),
        "files": _to_json(question.files),
        "unreadable": _to_json(question.unreadable),
        "response_url": question.response_url,
        "about": _to_json(question.about) if question.about else None,
    }


WORDLESS: dict[str, Any] = {"text": "", "files": "[]", "unreadable": "[]", "about": None}
"""Empty values for the columns of what people wrote."""

# The columns of an INSERT; the others are empty until a change writes them.
NEW_TURN_COLUMNS = (
    *("id", "thread", "state", "owner", "fence", "crash_count", "asked_at", "question", "text"),
    *("files", "unreadable", "team", "response_url", "about", "phase", "draft", "status_line"),
    *("response_id", "irreversible", "send_unverifiable", "ended_at"),
)


def new_turn_columns(
    question: Question,
    thread: str | None,
    replica: str | None,
    now: float,
    final_draft: Draft | None,
    team: str | None,
) -> dict[str, Any]:
    """The columns of a new turn, except its state. `replica` owns it; `final_draft` is its answer,
    if that is known already; `team` is the team of the bot that answers."""
    draft = final_draft or Draft(Phase.ASKING)
    return question_columns(question) | {
        "id": question.id,
        "thread": thread,
        "team": team,
        "owner": replica,
        "fence": 1,
        "crash_count": 0,
        "asked_at": now,
        "phase": draft.phase.value,
        "draft": storable_text(draft.text),
        "status_line": storable_text(draft.status_line),
        "response_id": "",
        "irreversible": False,
        "send_unverifiable": False,
        "ended_at": None,
    }


def closed_turn_columns(now: float) -> dict[str, Any]:
    """The columns that closing a turn changes, except its state."""
    return {"owner": None, "response_url": None, "ended_at": now}


def to_question(row: Row[Any]) -> Question:
    """The question of a row. ValueError, TypeError or KeyError: a newer version wrote it."""
    stored = json.loads(row.question)
    return replace(
        msgspec.convert(stored, Question),
        text=row.text,
        said=_said(row.text, stored.get(AUTHORSHIP_KEY) or ()),
        files=msgspec.convert(json.loads(row.files), tuple[File, ...]),
        unreadable=msgspec.convert(json.loads(row.unreadable), tuple[str, ...]),
        response_url=row.response_url,
        about=msgspec.convert(json.loads(row.about), Subject) if row.about else None,
    )


def merge_questions(first: Question, newer: Question) -> Question:
    """Two questions as one, which is answered below the newest message.

    Id and asker are those of the first; `said` has the author of each part of the text. Files,
    mentions and unreadable parts of both are kept.
    """
    messages = sorted(filter(None, (*first.earlier, first.ts, *newer.earlier, newer.ts)))
    parts = (replace(part, text=storable_text(part.text)) for part in first.words + newer.words)
    said = tuple(part for part in parts if part.text)
    return replace(
        first,
        text=join_paragraphs(*(part.text for part in said)),
        said=said,
        keys=newer.keys,
        ts=messages[-1] if messages else None,
        earlier=tuple(messages[:-1]),
        mentions=tuple(dict.fromkeys((*first.mentions, *newer.mentions))),
        files=first.files + tuple(file for file in newer.files if file not in first.files),
        unreadable=tuple(dict.fromkeys(first.unreadable + newer.unreadable)),
        response_url=newer.response_url or first.response_url,
    )


def without_messages(question: Question, deleted: Collection[str]) -> Question | None:
    """The question without some of its messages; None if none remains.

    It is not known to which message files and mentions belong: all stay until Slack is read again.
    """
    messages = [ts for ts in question.messages if ts not in deleted]
    if not messages:
        return None
    return reworded(question, messages, (one for one in question.words if one.ts not in deleted))


def storable_question(question: Question) -> Question:
    """The question with storable text, so that the stored lengths match the stored text."""
    words = [replace(one, text=storable_text(one.text)) for one in question.words]
    return reworded(question, question.messages, words) if question.messages else question


def message_keys(question: Question) -> tuple[str, ...]:
    """The idempotency keys of all messages of a question."""
    place = question.place
    return tuple(message_key(place.team, place.channel, ts) for ts in question.messages)


def is_removed(row: Row[Any]) -> bool:
    """Whether an answer is being removed because its question was deleted."""
    return Draft(Phase(row.phase), row.draft, row.status_line) == REMOVED_DRAFT


def to_record(row: Row[Any], messages: Sequence[ShownMessage]) -> TurnRecord:
    """The record of a row and its messages. Raises as `to_question` does."""
    return TurnRecord(
        question=to_question(row),
        draft=Draft(Phase(row.phase), row.draft, row.status_line),
        owner=row.owner,
        fence=row.fence,
        crash_count=row.crash_count,
        first_crash_at=row.first_crash_at,
        waiting=row.state == WAITING,
        response_id=row.response_id,
        cursor=row.cursor,
        messages=tuple(messages),
        irreversible=row.irreversible,
        send_unverifiable=row.send_unverifiable,
        team=row.team or "",
        tool_rounds=row.tool_rounds or "",
        usage=_usage(row),
        spent=Spent(row.spent_seconds or 0.0, row.spent_events or 0),
        asked_at=row.asked_at,
        mentioned=bool(row.mentioned),
        earlier=msgspec.json.decode(row.earlier, type=Draft) if row.earlier else None,
        shows=row.shows or "",
    )


_TOKEN_COLUMNS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


def usage_columns(usage: Usage | None) -> dict[str, Any]:
    """The columns of token counts and model; None, which changes nothing, if they are unknown."""
    if usage is None or usage == Usage():
        return dict.fromkeys((*_TOKEN_COLUMNS, "model"))
    counts = {name: getattr(usage, name) for name in _TOKEN_COLUMNS}
    return counts | {"model": storable_text(usage.model[:MAX_MODEL_NAME_CHARACTERS])}


def earlier_column(earlier: Draft) -> str:
    """The column of the draft that a turn replaces."""
    return _to_json(replace(earlier, text=storable_text(earlier.text)))


def _usage(row: Row[Any]) -> Usage:
    counts: dict[str, Any] = {name: getattr(row, name) or 0 for name in _TOKEN_COLUMNS}
    return Usage(**counts, model=row.model or "")


def storable_text(text: str) -> str:
    """The text without NUL, which PostgreSQL refuses; lone surrogates become question marks."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _without_words(question: Question) -> dict[str, Any]:
    """A question as JSON values, without the fields that have a column of their own."""
    values: dict[str, Any] = msgspec.to_builtins(replace(question, **_TEXT_REMOVED))
    del values["said"]
    if question.said:
        values[AUTHORSHIP_KEY] = [
            [one.user, one.ts, len(storable_text(one.text))] for one in question.said
        ]
    return values


def _said(text: str, authorship: Sequence[Any]) -> tuple[Said, ...]:
    """The parts of the text with their authors; () if the stored lengths do not add up to the text,
    which an older version may have changed without them."""
    said, start = [], 0
    for user, ts, length in authorship:
        said.append(Said(user, ts, text[start : start + length]))
        start += length + len(PARAGRAPH_SEPARATOR)
    return tuple(said) if start == len(text) + len(PARAGRAPH_SEPARATOR) else ()


def _to_json(value: Any) -> str:
    """JSON in ASCII, with NUL and surrogates escaped: every database stores it."""
    return json.dumps(msgspec.to_builtins(value))
