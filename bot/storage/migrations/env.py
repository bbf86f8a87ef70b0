"""Run by Alembic: applies revisions on the connection it is given, in its transaction.

There is no alembic.ini and no other way in: see bot/storage/migrating.py.
"""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
