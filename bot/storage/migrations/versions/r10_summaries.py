"""Summaries of the older messages of threads and direct messages.

Older processes do not know the table: they neither tell a summary to the model nor erase it when
one of its messages changes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r10"
down_revision = "r9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "thread_summaries",
        sa.Column("team", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("thread", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("covered_from", sa.Text, nullable=False),
        sa.Column("covered_to", sa.Text, nullable=False),
        sa.Column("message_count", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("begun_at", sa.Double, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("thread_summaries_made_at", "thread_summaries", ["made_at"])
