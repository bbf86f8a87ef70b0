"""What is left of a question when one of its messages is deleted: it is asked anew as a turn of its
own, in the transaction that writes down that the answer to all of it goes.

So it is asked once, whenever a process dies.
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
    """What is left of the question of a turn, and the thread that it has its place in."""

    turn: str
    question: Question
    thread: str | None


def remaining_questions(
    connection: Connection, changes: Sequence[Change]
) -> list[RemainingQuestion]:
    """What is left of questions by these changes, which are not written yet.

    The answer to a question goes once: what was left of it then has been asked already.
    """
    return [
        rest
        for change in changes
        if change.deleted_messages and (rest := _remaining_question(connection, change))
    ]


def _remaining_question(connection: Connection, change: Change) -> RemainingQuestion | None:
    ours = (turns.c.id == change.turn, turns.c.fence == change.fence, turns.c.state != OVER)
    row = connection.execute(select(*TURN_COLUMNS).where(*ours).with_for_update()).first()
    if row is None or rows.is_removed(row):
        return None
    removals = (turn_commands.c.turn == row.id, turn_commands.c.kind == "remove")
    deleted = select(turn_commands.c.person).where(*removals)
    gone = {*change.deleted_messages, *connection.execute(deleted).scalars()}
    left = rows.without_messages(change.question or rows.to_question(row), gone)
    return RemainingQuestion(row.id, left, row.thread) if left else None


def create_turn(
    connection: Connection, remaining: RemainingQuestion, now: float, team: str
) -> None:
    """Give what is left a turn that nobody owns, with its place in the thread."""
    chain = select(turns.c.id).where(turns.c.id.in_(all_turn_ids(remaining.turn)))
    turn = max(connection.execute(chain).scalars(), key=ask_count)
    claim = Claim.DUPLICATE
    while claim is Claim.DUPLICATE:  # its name, by somebody who asks an edited part of it
        turn = retry_turn_id(turn)
        asked = replace(remaining.question, id=turn, keys=(f"turn:{turn}",), response_url=None)
        claim = claiming.claim(connection, asked, remaining.thread, None, now, team=team)
