"""Migrates the tables from any earlier revision to the newest, with Alembic.

A new revision is a file in migrations/versions that names its predecessor; tables.py has to match.
A revision may only do what the previous version of the bot tolerates, because both use the database
during an upgrade: add tables, and columns that are nullable or have a default.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from bot.errors import StorageError

SCRIPT_LOCATION = "bot.storage:migrations"
_ADVISORY_LOCK_KEY = 0x626F745F6D696772  # "bot_migr"; any constant of our own would do


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate to `revision` within the transaction of `connection`.

    With PostgreSQL, concurrent migrations wait for each other without a timeout of the server; with
    SQLite the write lock serializes them. Raises StorageError if a newer version of the bot has
    migrated the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK_KEY})"))
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StorageError(
            "The database was made by a newer version of the bot: run that version, or set "
            "DATABASE_URL to another place."
        ) from error


def revisions() -> list[str]:
    """The names of all revisions, oldest first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPT_LOCATION)
    config.set_main_option("path_separator", "os")
    return config
