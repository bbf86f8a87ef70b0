"""The message that a question is about, if it was asked with a shortcut.

Older processes ask no such questions. One that takes over a turn answers without the message.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r12"
down_revision = "r11"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("about", sa.Text))
