"""Whether the mention of the asker below the answer may have been posted.

Older processes post none, and continue to write rows without it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r9"
down_revision = "r8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("mentioned", sa.Boolean))
