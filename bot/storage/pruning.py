"""What is deleted because it is old, in batches."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Delete, Table, delete, exists, select, tuple_

from bot.storage.rate_slots import clock
from bot.storage.tables import OVER, UNFINISHED, claims, of_team, slots, turns, wishes

BATCH = 500  # rows in one transaction
UNUSED_SECONDS = 24 * 3600  # longer than any window of a budget


def turns_ended_before(moment: float, team: str = "") -> Delete:
    """Turns of a team that are over, with all that was written and shown of them."""
    return _some(turns, (turns.c.ended_at < moment) & of_team(turns, team))


def claims_before(moment: float) -> Delete:
    """Names of questions nobody delivers any more; never those of a turn that is not over."""
    live = exists().where(turns.c.id == claims.c.turn, UNFINISHED)
    return _some(claims, claims.c.claimed_at < moment, ~live)


def slots_unused(dialect: str) -> Delete:
    """Slots of budgets nobody uses any more, for example of a channel that went quiet, and those
    of a clock that has begun anew. Takes `now` as the ledger does."""
    now = clock(dialect)
    over = slots.c.free_at < now - UNUSED_SECONDS
    return _some(slots, over | (slots.c.free_at > now + slots.c.seconds))


def wishes_that_came_late() -> Delete:
    """Wishes of turns that were over before anybody read them."""
    over = select(turns.c.id).where(turns.c.state == OVER)
    return _some(wishes, wishes.c.turn.in_(over))


def _some(table: Table, *where: ColumnElement[bool]) -> Delete:
    key = table.primary_key.columns
    return delete(table).where(tuple_(*key).in_(select(*key).where(*where).limit(BATCH)))
