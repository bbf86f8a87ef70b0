"""Creates a new turn for the messages of a question that remain after some were deleted.

The turn is created in the transaction that stores the removal of the old answer. So it is created
exactly once, even if a process crashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from bot.storage import rows
from bot.storage.records import Change, Claim
from bot.storage.tables import OVER, TURN_COLUMNS, turn_commands, turns
from bot.storage.transactions import claiming
from bot.storage.turn_ids import all_turn_ids, ask_count, retry_turn_id
from bot.values import Question


@dataclass(frozen=True, slots=True)
class RemainingQuestion:
    """What remains of the question of `turn`, and the thread in which that turn has its place."""

    turn: str
    question: Question
    thread: str | None


def remaining_questions(
    connection: Connection, changes: Sequence[Change]
) -> list[RemainingQuestion]:
    """What remains of questions after these changes. Call it before the changes are written.

    A turn that is being removed already is skipped: the rest of its question has a new turn.
    """
    return [
        remaining
        for change in changes
        if change.deleted_messages and (remaining := _remaining_question(connection, change))
    ]


def _remaining_question(connection: Connection, change: Change) -> RemainingQuestion | None:
    ours = (turns.c.id == change.turn, turns.c.fence == change.fence, turns.c.state != OVER)
    row = connection.execute(select(*TURN_COLUMNS).where(*ours).with_for_update()).first()
    if row is None or rows.is_removed(row):
        return None
    removals = (turn_commands.c.turn == row.id, turn_commands.c.kind == "remove")
    removed = select(turn_commands.c.person).where(*removals)
    deleted = {*change.deleted_messages, *connection.execute(removed).scalars()}
    question = rows.without_messages(change.question or rows.to_question(row), deleted)
    return RemainingQuestion(row.id, question, row.thread) if question else None


def create_turn(
    connection: Connection, remaining: RemainingQuestion, now: float, team: str
) -> None:
    """Insert a turn without an owner for what remains, with its place in the thread."""
    chain = select(turns.c.id).where(turns.c.id.in_(all_turn_ids(remaining.turn)))
    turn = max(connection.execute(chain).scalars(), key=ask_count)
    claim = Claim.DUPLICATE
    while claim is Claim.DUPLICATE:  # the id, by a retry of an edited part
        turn = retry_turn_id(turn)
        asked = replace(
            remaining.question,
            id=turn,
            keys=(f"turn:{turn}",),
            response_url=None,
            rewrite=None,
        )
        claim = claiming.claim(connection, asked, remaining.thread, None, now, team=team)
