"""What a turn has used of the limits of one answer, so that a take-over does not reset them.

Older processes continue to write rows without it; the limits of such turns start at zero here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r7"
down_revision = "r6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("spent_seconds", sa.Double))
    op.add_column("turns", sa.Column("spent_events", sa.BigInteger))
