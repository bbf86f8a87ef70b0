"""A question asked once more, and the names of its turns. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.values import Question


def again(question: Question, response_url: str | None = None) -> Question:
    """The same question as the next turn.

    Of a command it has no `response_url` but this one: the other has been used, or has failed.
    """
    turn = next_of(question.id)
    return replace(question, id=turn, keys=(f"turn:{turn}",), response_url=response_url)


def next_of(turn: str) -> str:
    """The id of the turn after this one; it tells the first one's and counts."""
    first = first_of(turn)
    count = turn.removeprefix(first).removeprefix("-")
    return f"{first}-{int(count or 1) + 1}"


def first_of(turn: str) -> str:
    """The id of the first turn that a question had."""
    return turn.partition("-")[0]
