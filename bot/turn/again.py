"""A question asked once more, and the names of its turns. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.values import Question


def again(question: Question) -> Question:
    """The same question as the next turn; its id tells the first one's and counts.

    It has no `response_url`: that of a command has been used, or has failed.
    """
    count = question.id.removeprefix(first_of(question.id)).removeprefix("-")
    turn = f"{first_of(question.id)}-{int(count or 1) + 1}"
    return replace(question, id=turn, keys=(f"turn:{turn}",), response_url=None)


def first_of(turn: str) -> str:
    """The id of the first turn that a question had."""
    return turn.partition("-")[0]
