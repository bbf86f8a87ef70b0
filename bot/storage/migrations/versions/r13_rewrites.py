"""Turns that write an answer again: the text they replace, and whose text is shown at their end.

Older processes that take over such a turn write into the same messages. If they fail, they show
their failure instead of the earlier text, which is kept.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r13"
down_revision = "r12"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("earlier", sa.Text))
    op.add_column("turns", sa.Column("shows", sa.Text))
