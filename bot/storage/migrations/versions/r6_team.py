"""Turns and replicas say whose they are; a question keeps what of it can't be read.

Older processes go on writing rows without a team beside this one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r6"
down_revision = "r5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("unreadable", sa.Text, nullable=False, server_default="[]"))
    op.add_column("turns", sa.Column("team", sa.Text))
    op.add_column("replicas", sa.Column("team", sa.Text))
