"""Builds the retry of a question: the same question as a new turn. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.storage.turn_ids import retry_turn_id
from bot.values import Question


def retry_of(question: Question, response_url: str | None = None) -> Question:
    """The question for its next turn, with a new turn id and a new idempotency key.

    `response_url` replaces that of a command, which was used by the turn before.
    """
    turn = retry_turn_id(question.id)
    return replace(
        question, id=turn, keys=(f"turn:{turn}",), response_url=response_url, rewrite=None
    )
