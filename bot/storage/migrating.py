"""Migrates the tables from any earlier revision to the newest, with Alembic.

A new revision is a file in migrations/versions that names its predecessor; tables.py has to match.
A revision may only do what the previous version of the bot tolerates, because both use the database
during an upgrade: add tables, and columns that are nullable or have a default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from bot.errors import StorageError

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "r13"
SCRIPT_LOCATION = "bot.storage:migrations"
_ADVISORY_LOCK_KEY = 0x626F745F6D696772  # "bot_migr"; any constant of our own would do


def upgrade(connection: Connection, revision: str = NEWEST) -> None:
    """Migrate to `revision` within the transaction of `connection`.

    Alembic takes 10 MB. A database that has that revision already is left alone without it.

    With PostgreSQL, concurrent migrations wait for each other without a timeout of the server; with
    SQLite the write lock serializes them. Raises StorageError if a newer version of the bot has
    migrated the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK_KEY})"))
    if _current_revision(connection) != revision:
        _migrate(connection, revision)


def is_newest(connection: Connection) -> bool:
    """Whether the database has the newest revision."""
    return _current_revision(connection) == NEWEST


def _current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection, revision: str) -> None:
    from alembic import command
    from alembic.util.exc import CommandError

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
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", SCRIPT_LOCATION)
    config.set_main_option("path_separator", "os")
    return config
