"""Validates `DATABASE_URL`."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

SQLITE_PREFIXES = ("sqlite://", "sqlite+aiosqlite://")
"""Two forms with the same meaning: Python's own driver is used for both."""

POSTGRESQL_PREFIX = "postgresql+asyncpg:"

NO_FILE = "names no file, so nothing would outlive the process: name one"


def checked_database_url(value: str) -> str:
    """Return a URL unchanged if the storage can open it.

    Raises ValueError with a phrase that follows the name of the variable in a sentence.
    """
    if value.startswith(POSTGRESQL_PREFIX):
        return value
    if not value.startswith(SQLITE_PREFIXES):
        raise ValueError("must begin with sqlite:/// or postgresql+asyncpg://")
    written, _, query = value.partition("://")[2].partition("?")
    path = unquote(written)
    options = {name.lower(): text.lower() for name, text in parse_qsl(query)}
    has_no_file = path.strip("/ ") in {"", ":memory:", "file::memory:"}
    if has_no_file or options.get("mode") == "memory" or options.get("vfs") == "memdb":
        raise ValueError(NO_FILE)
    if not path.startswith("/"):
        raise ValueError("has two slashes before its file: write sqlite:///file, with three")
    if path.startswith("/file:") or options.keys() & {"uri", "vfs"}:
        raise ValueError("has a file: address of SQLite's own in it: write sqlite:///file")
    return value
