"""A question asked once more. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.storage.turn_ids import retry_turn_id
from bot.values import Question


def retry_of(question: Question, response_url: str | None = None) -> Question:
    """The same question as the next turn.

    Of a command it has no `response_url` but this one: the other has been used, or has failed.
    """
    turn = retry_turn_id(question.id)
    return replace(question, id=turn, keys=(f"turn:{turn}",), response_url=response_url)
