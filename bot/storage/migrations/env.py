"""Run by Alembic: applies the revisions on a given connection, in its transaction.

There is no alembic.ini; bot/storage/migrating.py is the only caller.
"""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
