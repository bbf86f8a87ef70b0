"""Statements that delete what is old. Each deletes at most MAX_ROWS_PER_TRANSACTION rows."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Delete, Table, delete, exists, select, tuple_

from bot.storage.rate_slots import clock_expression
from bot.storage.tables import (
    OVER,
    UNFINISHED,
    claims,
    feedback,
    of_team,
    slots,
    thread_modes,
    thread_summaries,
    turn_commands,
    turns,
)

MAX_ROWS_PER_TRANSACTION = 500  # others wait for the write lock of SQLite meanwhile
UNUSED_SECONDS = 24 * 3600  # longer than the window of any rate limit


def turns_ended_before(before: float, team: str = "") -> Delete:
    """Turns of a team that ended before a time, with their messages and commands."""
    return _batch(turns, (turns.c.ended_at < before) & of_team(turns, team))


def summaries_made_before(before: float, team: str = "") -> Delete:
    """Summaries of a team that were made before a time."""
    return _batch(
        thread_summaries,
        thread_summaries.c.made_at < before,
        of_team(thread_summaries, team),
    )


def votes_before(before: float, team: str = "") -> Delete:
    """Votes of a team that were given before a time."""
    of = (feedback.c.team == team,) if team else ()
    return _batch(feedback, feedback.c.voted_at < before, *of)


def claims_before(before: float) -> Delete:
    """Idempotency keys claimed before a time, except those of unfinished turns."""
    unfinished = exists().where(turns.c.id == claims.c.turn, UNFINISHED)
    return _batch(claims, claims.c.claimed_at < before, ~unfinished)


def unused_slots(dialect: str) -> Delete:
    """Slots of rate limits that were not used for a day, for example of a quiet channel, and those
    of a clock that has restarted. Binds `now` as rate_slots.clock_expression does."""
    now = clock_expression(dialect)
    expired = slots.c.free_at < now - UNUSED_SECONDS
    return _batch(slots, expired | (slots.c.free_at > now + slots.c.seconds))


def unread_commands() -> Delete:
    """Commands of turns that were closed before their owner received them."""
    over = select(turns.c.id).where(turns.c.state == OVER)
    return _batch(turn_commands, turn_commands.c.turn.in_(over))


def thread_modes_before(before: float, team: str = "") -> Delete:
    """Modes of a team's threads that were set before a time, except those of threads with turns:
    a thread that is still used keeps its mode."""
    used = exists().where(turns.c.thread == thread_modes.c.thread)
    return _batch(
        thread_modes, (thread_modes.c.changed_at < before) & of_team(thread_modes, team), ~used
    )


def _batch(table: Table, *where: ColumnElement[bool]) -> Delete:
    key = table.primary_key.columns
    return delete(table).where(
        tuple_(*key).in_(select(*key).where(*where).limit(MAX_ROWS_PER_TRANSACTION))
    )
