"""The team of turns and replicas, and the names of a question's unreadable parts.

Older processes continue to write rows without a team.
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
