"""The tables' way from any earlier form to the newest, by Alembic's revisions.

A new revision is a file in migrations/versions that names the one before it; whoever adds one
changes tables.py to match. Only what an older version of the bot can live with: during an upgrade
it still runs beside the new one.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from bot.errors import StorageError

SCRIPT_LOCATION = "bot.storage:migrations"
_ADVISORY_LOCK_KEY = 0x626F745F6D696772  # any number nobody else locks: "bot_migr"


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to `revision` within the transaction of `connection`.

    Raises StorageError when a newer version of the bot has been here before.
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
