"""The same question as another turn. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.storage.turn_ids import retry_turn_id
from bot.values import Question


def retry_of(question: Question, response_url: str | None = None) -> Question:
    """The question as its next turn, with an id and an idempotency key of its own.

    `response_url` replaces the one of a command, which has been used.
    """
    turn = retry_turn_id(question.id)
    return replace(question, id=turn, keys=(f"turn:{turn}",), response_url=response_url)
