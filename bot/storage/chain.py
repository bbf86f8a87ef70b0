"""The names of the turns that one question has, when it is asked more than once. Pure."""

from __future__ import annotations

CHAIN = 50
"""Nobody asks one question more often than that."""


def next_of(turn: str) -> str:
    """The id of the turn after this one; it tells the first one's and counts."""
    first = first_of(turn)
    return f"{first}-{count_of(turn) + 1}"


def count_of(turn: str) -> int:
    """Say how often the question had been asked with this turn."""
    count = turn.removeprefix(first_of(turn)).removeprefix("-")
    return int(count or 1)


def chain_of(turn: str) -> tuple[str, ...]:
    """The ids of all turns that a question may have had, the first one's first."""
    first = first_of(turn)
    return (first, *(f"{first}-{count}" for count in range(2, CHAIN + 1)))


def first_of(turn: str) -> str:
    """The id of the first turn that a question had."""
    return turn.partition("-")[0]
