"""The cursor at which a response continues after the stored text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r4"
down_revision = "r3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("cursor", sa.Text, nullable=False, server_default=""))
