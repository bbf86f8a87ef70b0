"""A turn keeps what it has used of the limits of one answer, so that a take-over renews none.

Older processes go on writing rows without it; their answers begin with whole limits here.
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
