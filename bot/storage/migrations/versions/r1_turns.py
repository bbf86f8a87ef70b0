"""Turns, their messages, claims, replicas, and commands to owners of turns (`wishes`)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _turns()
    op.create_table(
        "shown",
        sa.Column("turn", sa.Text, sa.ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ts", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claims",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("turn", sa.Text, nullable=False),
        sa.Column("claimed_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("claims_claimed_at", "claims", ["claimed_at"])
    op.create_table(
        "replicas",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "wishes",
        sa.Column("turn", sa.Text, sa.ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )


def _turns() -> None:
    op.create_table(
        "turns",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("thread", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("first_tried_at", sa.Double),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("response_url", sa.Text),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("draft", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("response_id", sa.Text, nullable=False),
        sa.Column("irreversible", sa.Boolean, nullable=False),
        sa.Column("sending", sa.Boolean, nullable=False),
    )
    _on_unfinished("turns_thread", ["thread", "state"], unique=True)
    _on_unfinished("turns_owner", ["owner"])
    op.create_index("turns_ended_at", "turns", ["ended_at"])


def _on_unfinished(name: str, columns: list[str], *, unique: bool = False) -> None:
    where = sa.text("state != 'over'")
    op.create_index(
        name, "turns", columns, unique=unique, sqlite_where=where, postgresql_where=where
    )
