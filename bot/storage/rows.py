"""Turns as values and as rows. Knows columns, runs nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Row

from bot.storage.records import ShownMessage, TurnRecord
from bot.storage.tables import WAITING
from bot.values import Draft, File, Phase, Question, Usage

MODEL_CHARACTERS = 200  # of a server's name for its model
_NO_TEXT: dict[str, Any] = {"text": "", "files": (), "response_url": None}


def of_question(question: Question) -> dict[str, Any]:
    """The columns that hold a question: all that is needed to answer it, and what people wrote
    apart from the rest."""
    return {
        "question": _to_json(replace(question, **_NO_TEXT)),
        "text": clean(question.text),
        "files": _to_json(question.files),
        "response_url": question.response_url,
    }


# The columns a turn has from its beginning; the others are empty until somebody writes them.
NEW_TURN = (
    *("id", "thread", "state", "owner", "fence", "tries", "asked_at", "question", "text", "files"),
    *("response_url", "phase", "draft", "note", "response_id", "irreversible", "sending"),
    "ended_at",
)


def new_turn(
    question: Question, thread: str | None, replica: str, now: float, end: Draft | None
) -> dict[str, Any]:
    """The columns of a turn nobody has worked at yet, except its state; `end` is what its answer
    will say, if that is known."""
    draft = end or Draft(Phase.ASKING)
    return of_question(question) | {
        "id": question.id,
        "thread": thread,
        "owner": replica,
        "fence": 1,
        "tries": 0,
        "asked_at": now,
        "phase": draft.phase.value,
        "draft": clean(draft.text),
        "note": clean(draft.note),
        "response_id": "",
        "irreversible": False,
        "sending": False,
        "ended_at": None,
    }


def over(now: float) -> dict[str, Any]:
    """The columns of a turn that has ended, except its state."""
    return {"owner": None, "response_url": None, "ended_at": now}


def to_question(row: Row[Any]) -> Question:
    """The question of a row of `turns`."""
    return replace(
        msgspec.convert(json.loads(row.question), Question),
        text=row.text,
        files=msgspec.convert(json.loads(row.files), tuple[File, ...]),
        response_url=row.response_url,
    )


def joined(first: Question, newer: Question) -> Question:
    """One question of two: written after each other, answered together where the newest stands.

    Its id and its asker stay those of the first. No file is left out.
    """
    messages = sorted(filter(None, (*first.earlier, first.ts, *newer.earlier, newer.ts)))
    return replace(
        first,
        text="\n\n".join(text for text in (first.text, newer.text) if text),
        keys=newer.keys,
        ts=messages[-1] if messages else None,
        earlier=tuple(messages[:-1]),
        files=first.files + tuple(file for file in newer.files if file not in first.files),
        response_url=newer.response_url or first.response_url,
    )


def to_record(row: Row[Any], shown: Sequence[ShownMessage]) -> TurnRecord:
    """A row of `turns` with the messages that stand of it."""
    return TurnRecord(
        question=to_question(row),
        draft=Draft(Phase(row.phase), row.draft, row.note),
        owner=row.owner,
        fence=row.fence,
        tries=row.tries,
        first_tried_at=row.first_tried_at,
        waiting=row.state == WAITING,
        response_id=row.response_id,
        cursor=row.cursor,
        shown=tuple(shown),
        irreversible=row.irreversible,
        sending=row.sending,
        rounds=row.rounds or "",
        usage=_usage(row),
    )


_COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


def of_usage(usage: Usage | None) -> dict[str, Any]:
    """The columns of what an answer cost; None, which changes nothing, where that is not known."""
    if usage is None or usage == Usage():
        return dict.fromkeys((*_COUNTS, "model"))
    counts = {name: getattr(usage, name) for name in _COUNTS}
    return counts | {"model": clean(usage.model[:MODEL_CHARACTERS])}


def _usage(row: Row[Any]) -> Usage:
    counts: dict[str, Any] = {name: getattr(row, name) or 0 for name in _COUNTS}
    return Usage(**counts, model=row.model or "")


def clean(text: str) -> str:
    """The text without what no database takes: NUL, and halves of characters."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _to_json(value: Any) -> str:
    """In ASCII: whatever is in it, every database takes it."""
    return json.dumps(msgspec.to_builtins(value))
