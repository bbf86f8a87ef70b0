"""What is deleted because it is old, in batches."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Delete, Table, delete, exists, select, tuple_

from bot.storage.rate_slots import clock_expression
from bot.storage.tables import OVER, UNFINISHED, claims, of_team, slots, turn_commands, turns

MAX_ROWS_PER_TRANSACTION = 500  # rows in one transaction
UNUSED_SECONDS = 24 * 3600  # longer than any window of a budget


def turns_ended_before(before: float, team: str = "") -> Delete:
    """Turns of a team that are over, with all that was written and shown of them."""
    return _batch(turns, (turns.c.ended_at < before) & of_team(turns, team))


def claims_before(before: float) -> Delete:
    """Names of questions nobody delivers any more; never those of a turn that is not over."""
    live = exists().where(turns.c.id == claims.c.turn, UNFINISHED)
    return _batch(claims, claims.c.claimed_at < before, ~live)


def unused_slots(dialect: str) -> Delete:
    """Slots of budgets nobody uses any more, for example of a channel that went quiet, and those
    of a clock that has begun anew. Takes `now` as the ledger does."""
    now = clock_expression(dialect)
    over = slots.c.free_at < now - UNUSED_SECONDS
    return _batch(slots, over | (slots.c.free_at > now + slots.c.seconds))


def unread_commands() -> Delete:
    """Wishes of turns that were over before anybody read them."""
    over = select(turns.c.id).where(turns.c.state == OVER)
    return _batch(turn_commands, turn_commands.c.turn.in_(over))


def _batch(table: Table, *where: ColumnElement[bool]) -> Delete:
    key = table.primary_key.columns
    return delete(table).where(
        tuple_(*key).in_(select(*key).where(*where).limit(MAX_ROWS_PER_TRANSACTION))
    )
