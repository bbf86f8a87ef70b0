"""Turns as values and as rows. Knows columns, runs nothing."""

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
    Usage,
    join_paragraphs,
    message_key,
    reworded,
)

AUTHORSHIP_KEY = "shares"
"""Where a stored question keeps who wrote which part of its text: user, ts and characters. The
words themselves stay in `text`. An older version of the bot ignores it."""

MAX_MODEL_NAME_CHARACTERS = 200  # of a server's name for its model
_TEXT_REMOVED: dict[str, Any] = {
    "text": "",
    "files": (),
    "unreadable": (),
    "response_url": None,
    "said": (),
}


def question_columns(question: Question) -> dict[str, Any]:
    """The columns that hold a question: all that is needed to answer it, and what people wrote
    apart from the rest."""
    return {
        "question": _to_json(_without_words(question)),
        "text": storable_text(question.text),
        "files": _to_json(question.files),
        "unreadable": _to_json(question.unreadable),
        "response_url": question.response_url,
    }


WORDLESS: dict[str, Any] = {"text": "", "files": "[]", "unreadable": "[]"}
"""The columns of what people wrote in a question that nobody answers: nothing of it is kept."""

# The columns a turn has from its beginning; the others are empty until somebody writes them.
NEW_TURN_COLUMNS = (
    *("id", "thread", "state", "owner", "fence", "crash_count", "asked_at", "question", "text"),
    *("files", "unreadable", "team", "response_url", "phase", "draft", "status_line"),
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
    """The columns of a turn nobody has worked at yet, except its state; `replica` is who answers
    it, `final_draft` what its answer will say, if that is known; `team` is whose bot answers it."""
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
    """The columns of a turn that has ended, except its state."""
    return {"owner": None, "response_url": None, "ended_at": now}


def to_question(row: Row[Any]) -> Question:
    """The question of a row of `turns`."""
    known = json.loads(row.question)
    return replace(
        msgspec.convert(known, Question),
        text=row.text,
        said=_said(row.text, known.get(AUTHORSHIP_KEY) or ()),
        files=msgspec.convert(json.loads(row.files), tuple[File, ...]),
        unreadable=msgspec.convert(json.loads(row.unreadable), tuple[str, ...]),
        response_url=row.response_url,
    )


def merge_questions(first: Question, newer: Question) -> Question:
    """One question of two: written after each other, answered together where the newest stands.

    Its id and its asker stay those of the first; `said` tells whose words are whose. Nothing that
    stood beside the words is left out.
    """
    messages = sorted(filter(None, (*first.earlier, first.ts, *newer.earlier, newer.ts)))
    words = (replace(one, text=storable_text(one.text)) for one in (*first.words, *newer.words))
    said = tuple(one for one in words if one.text)
    return replace(
        first,
        text=join_paragraphs(*(one.text for one in said)),
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
    """What is left of a question without some of its messages; None if nothing is.

    Files and mentions can't be told apart by message; they stay until the messages are read again.
    """
    messages = [ts for ts in question.messages if ts not in deleted]
    if not messages:
        return None
    return reworded(question, messages, (one for one in question.words if one.ts not in deleted))


def storable_question(question: Question) -> Question:
    """The question with words that every database takes, so that the shares in it stay right."""
    words = [replace(one, text=storable_text(one.text)) for one in question.words]
    return reworded(question, question.messages, words) if question.messages else question


def message_keys(question: Question) -> tuple[str, ...]:
    """The keys of all messages that a question was asked in."""
    place = question.place
    return tuple(message_key(place.team, place.channel, ts) for ts in question.messages)


def is_removed(row: Row[Any]) -> bool:
    """Whether the messages of an answer go because its question was deleted."""
    return Draft(Phase(row.phase), row.draft, row.status_line) == REMOVED_DRAFT


def to_record(row: Row[Any], messages: Sequence[ShownMessage]) -> TurnRecord:
    """A row of `turns` with the messages that stand of it."""
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
    )


_TOKEN_COLUMNS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


def usage_columns(usage: Usage | None) -> dict[str, Any]:
    """The columns of what an answer cost; None, which changes nothing, where that is not known."""
    if usage is None or usage == Usage():
        return dict.fromkeys((*_TOKEN_COLUMNS, "model"))
    counts = {name: getattr(usage, name) for name in _TOKEN_COLUMNS}
    return counts | {"model": storable_text(usage.model[:MAX_MODEL_NAME_CHARACTERS])}


def _usage(row: Row[Any]) -> Usage:
    counts: dict[str, Any] = {name: getattr(row, name) or 0 for name in _TOKEN_COLUMNS}
    return Usage(**counts, model=row.model or "")


def storable_text(text: str) -> str:
    """The text without what no database takes: NUL, and halves of characters."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _without_words(question: Question) -> dict[str, Any]:
    """A question as JSON values, without what has a column of its own."""
    values: dict[str, Any] = msgspec.to_builtins(replace(question, **_TEXT_REMOVED))
    del values["said"]
    if question.said:
        values[AUTHORSHIP_KEY] = [
            [one.user, one.ts, len(storable_text(one.text))] for one in question.said
        ]
    return values


def _said(text: str, authorship: Sequence[Any]) -> tuple[Said, ...]:
    """Who wrote which part of the text, by the shares stored beside it; nothing if they are not
    those of this text."""
    said, start = [], 0
    for user, ts, length in authorship:
        said.append(Said(user, ts, text[start : start + length]))
        start += length + len(PARAGRAPH_SEPARATOR)
    return tuple(said) if start == len(text) + len(PARAGRAPH_SEPARATOR) else ()


def _to_json(value: Any) -> str:
    """In ASCII: whatever is in it, every database takes it."""
    return json.dumps(msgspec.to_builtins(value))
