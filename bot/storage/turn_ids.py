"""The ids of the turns of one question: `id`, then `id-2`, `id-3` … for each time it is asked
again."""

from __future__ import annotations

import hashlib

MAX_TURNS_PER_QUESTION = 50
"""How many turns of a question `all_turn_ids` covers. Later ones are not found by it."""


def first_turn_id(key: str) -> str:
    """The id of the first turn of the question with this key: the same on each replica, and for
    each delivery of the question."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def message_turn_id(team: str, channel: str, ts: str) -> str:
    """The id of the first turn of the question in a message."""
    return first_turn_id(f"{team}:{channel}:{ts}")


def retry_turn_id(turn: str) -> str:
    """The id for asking the question of this turn once more."""
    first = original_turn_id(turn)
    return f"{first}-{ask_count(turn) + 1}"


def ask_count(turn: str) -> int:
    """The position of this turn among the turns of its question, from 1."""
    count = turn.removeprefix(original_turn_id(turn)).removeprefix("-")
    return int(count or 1)


def all_turn_ids(turn: str) -> tuple[str, ...]:
    """The ids that the turns of this turn's question may have, the original first."""
    first = original_turn_id(turn)
    return (first, *(f"{first}-{count}" for count in range(2, MAX_TURNS_PER_QUESTION + 1)))


def answered_turn_id(turn: str) -> str:
    """The id of the turn that the model answered; `turn` may be one that posts its answer again in
    another place (bot/turn/ephemeral/)."""
    return turn.partition(".")[0]


def original_turn_id(turn: str) -> str:
    """The id of the first turn of this turn's question."""
    return turn.partition("-")[0]
