"""The tables after the newest migration, as definitions for SQLAlchemy Core.

    turns          one row per turn: its question, its owner, and the progress of its answer
    shown          the messages of an answer in Slack
    claims         every key a question was delivered under, for a day
    replicas       the running processes, each with the counter of its heartbeat
    turn_commands  commands to the owner of a turn; the stored name of the table is `wishes`
    channel_settings  what people set for a channel: one row per key, with who set it and when
    thread_modes   threads in which somebody said when the bot is to answer
    feedback       votes of people on answers, with a copy of what is known of the answer
    slots          the shared rate limits: who took which slot of a window, and until when
    thread_summaries  what the older messages of a thread or a direct message say, in short

What people and the model wrote has columns of its own (`text`, `files`, `unreadable`, `about`,
`draft`, `status_line`, `tool_rounds`, `earlier`; `text` of a summary), so it can be deleted and the
rest kept.

Some stored names are older than the names in the code: `Column("tries", key="crash_count")` is
stored as `tries` and is `turns.c.crash_count` here. docs/decisions/0009-stored-names.md says why.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    literal_column,
    or_,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite

metadata = MetaData()

# States of a turn. A thread has at most one live and one waiting turn: see the index below.
WAITING, LIVE, OVER = "waiting", "live", "over"

turns = Table(
    "turns",
    metadata,
    Column("id", Text, primary_key=True),
    Column("thread", Text),
    Column("state", Text, nullable=False),
    Column("owner", Text),
    Column("fence", Integer, nullable=False),
    Column("tries", Integer, nullable=False, key="crash_count"),
    Column("first_tried_at", Double, key="first_crash_at"),
    Column("asked_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("question", Text, nullable=False),  # JSON, without the fields that have a column
    Column("text", Text, nullable=False),
    Column("files", Text, nullable=False),  # JSON
    Column("unreadable", Text, nullable=False, server_default="[]"),  # JSON
    Column("team", Text),  # of the bot that answers; NULL in rows of older versions
    Column("response_url", Text),
    Column("about", Text),  # JSON of the message a shortcut was used on
    Column("phase", Text, nullable=False),
    Column("draft", Text, nullable=False),
    Column("note", Text, nullable=False, key="status_line"),
    Column("response_id", Text, nullable=False),
    Column("cursor", Text, nullable=False, server_default=""),
    Column("irreversible", Boolean, nullable=False),
    Column("sending", Boolean, nullable=False, key="send_unverifiable"),
    Column("rounds", Text, key="tool_rounds"),  # JSON, until the turn is over
    Column("model", Text),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("spent_seconds", Double),  # NULL until the model is asked
    Column("spent_events", BigInteger),
    Column("mentioned", Boolean),  # NULL in rows of older versions
    Column("version", Text),  # of the bot that closed it
    Column("earlier", Text),  # JSON of the draft that the turn replaces, until it is over
    Column("shows", Text),  # the turn whose text is shown, if this one has failed to replace it
)

TURN_COLUMNS = tuple(column.label(column.key) for column in turns.c)
"""What to select or return of `turns`. SQLAlchemy calls the values of a row by the stored names;
the labels give them the names of the code."""


def dialect_insert(dialect: str, table: Table) -> Any:
    """An INSERT that supports ON CONFLICT; SQLAlchemy has one for each database."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


def of_team(table: FromClause, team: str) -> ColumnElement[bool]:
    """The rows of `team`, and rows without a team from older versions; all rows if `team` is ""."""
    return or_(table.c.team == team, table.c.team.is_(None)) if team else true()


def unfinished(table: FromClause) -> ColumnElement[bool]:
    """The state is a literal: with a bound value SQLite would not use the partial indexes."""
    return table.c.state != literal_column("'over'")


UNFINISHED = unfinished(turns)

Index(
    "turns_thread",
    turns.c.thread,
    turns.c.state,
    unique=True,
    sqlite_where=UNFINISHED,
    postgresql_where=UNFINISHED,
)
Index("turns_owner", turns.c.owner, sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
Index("turns_ended_at", turns.c.ended_at)
Index("turns_of_thread", turns.c.thread, turns.c.asked_at)

shown = Table(
    "shown",
    metadata,
    Column("turn", ForeignKey(turns.c.id, ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("ts", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("method", Text, nullable=False),
    sqlite_with_rowid=False,
)

claims = Table(
    "claims",
    metadata,
    Column("key", Text, primary_key=True),
    Column("turn", Text, nullable=False),
    Column("claimed_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

Index("claims_claimed_at", claims.c.claimed_at)

replicas = Table(
    "replicas",
    metadata,
    Column("id", Text, primary_key=True),
    Column("beat", BigInteger, nullable=False),
    Column("team", Text),  # as in turns
    sqlite_with_rowid=False,
)

turn_commands = Table(
    "wishes",
    metadata,
    Column("turn", ForeignKey(turns.c.id, ondelete="CASCADE"), primary_key=True),
    Column("person", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("response_url", Text),
    sqlite_with_rowid=False,
)

feedback = Table(
    "feedback",
    metadata,
    Column("team", Text, primary_key=True),
    Column("turn", Text, primary_key=True),  # no foreign key: votes are kept for longer
    Column("person", Text, primary_key=True),
    Column("sign", Text, nullable=False),
    Column("voted_at", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("latency_seconds", Double),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    sqlite_with_rowid=False,
)

Index("feedback_voted_at", feedback.c.voted_at)

slots = Table(
    "slots",
    metadata,
    Column("key", Text, primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("holder", Text),
    Column("free_at", Double, nullable=False),  # by rate_slots.clock_expression
    Column("seconds", Double, nullable=False),  # for which it was acquired
    sqlite_with_rowid=False,
)

channel_settings = Table(
    "channel_settings",
    metadata,
    Column("team", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

thread_modes = Table(
    "thread_modes",
    metadata,
    Column("thread", Text, primary_key=True),  # as in turns
    Column("team", Text, nullable=False),  # of the bot, as in turns
    Column("mode", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Double, nullable=False),  # the ts of the message that said it
    sqlite_with_rowid=False,
)

thread_summaries = Table(
    "thread_summaries",
    metadata,
    Column("team", Text, primary_key=True),  # of the bot that answers
    Column("channel", Text, primary_key=True),
    Column("thread", Text, primary_key=True),  # "" for the top level of a direct message
    Column("version", BigInteger, nullable=False),
    Column("covered_from", Text, nullable=False),
    Column("covered_to", Text, nullable=False),
    Column("message_count", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("begun_at", Double, nullable=False),
    Column("made_at", Double, nullable=False),
    sqlite_with_rowid=False,
)

Index("thread_summaries_made_at", thread_summaries.c.made_at)
