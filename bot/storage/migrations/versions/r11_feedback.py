"""Votes on answers, and the version of the bot that closed a turn.

Older processes continue to close turns without it; the version of such turns is unknown.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r11"
down_revision = "r10"
branch_labels = None
depends_on = None

COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


def upgrade() -> None:
    op.add_column("turns", sa.Column("version", sa.Text))
    op.create_table(
        "feedback",
        sa.Column("team", sa.Text, primary_key=True),
        sa.Column("turn", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("sign", sa.Text, nullable=False),
        sa.Column("voted_at", sa.Double, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("latency_seconds", sa.Double),
        *(sa.Column(name, sa.BigInteger) for name in COUNTS),
        sqlite_with_rowid=False,
    )
    op.create_index("feedback_voted_at", "feedback", ["voted_at"])
