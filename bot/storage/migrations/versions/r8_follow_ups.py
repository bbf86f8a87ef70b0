"""Settings of channels, modes of threads, and an index to find the turns of a thread.

Older processes neither read nor write the two tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r8"
down_revision = "r7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_settings",
        sa.Column("team", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "thread_modes",
        sa.Column("thread", sa.Text, primary_key=True),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("turns_of_thread", "turns", ["thread", "asked_at"])
