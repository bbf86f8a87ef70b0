"""The names of the turns that one question has, when it is asked more than once. Pure."""

from __future__ import annotations

MAX_TURNS_PER_QUESTION = 50
"""Nobody asks one question more often than that."""


def retry_turn_id(turn: str) -> str:
    """The id of the turn after this one; it tells the first one's and counts."""
    first = original_turn_id(turn)
    return f"{first}-{ask_count(turn) + 1}"


def ask_count(turn: str) -> int:
    """Say how often the question had been asked with this turn."""
    count = turn.removeprefix(original_turn_id(turn)).removeprefix("-")
    return int(count or 1)


def all_turn_ids(turn: str) -> tuple[str, ...]:
    """The ids of all turns that a question may have had, the first one's first."""
    first = original_turn_id(turn)
    return (first, *(f"{first}-{count}" for count in range(2, MAX_TURNS_PER_QUESTION + 1)))


def original_turn_id(turn: str) -> str:
    """The id of the first turn that a question had."""
    return turn.partition("-")[0]
