"""Token counts of an answer, and its tool rounds while it is written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r5"
down_revision = "r4"
branch_labels = None
depends_on = None

COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


def upgrade() -> None:
    op.add_column("turns", sa.Column("rounds", sa.Text))
    op.add_column("turns", sa.Column("model", sa.Text))
    for name in COUNTS:
        op.add_column("turns", sa.Column(name, sa.BigInteger))
