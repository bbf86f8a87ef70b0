"""Addresses of databases: which forms of `DATABASE_URL` are accepted."""

from __future__ import annotations

SQLITE_PREFIXES = ("sqlite://", "sqlite+aiosqlite://")
"""The short form and the long one. They mean the same: no driver but Python's own is used."""

POSTGRESQL_PREFIX = "postgresql+asyncpg:"


def checked_database_url(value: str) -> str:
    """Return an address that the storage can open, as it was written.

    Raises ValueError with what is wrong, as the middle of a sentence.
    """
    if value.startswith(POSTGRESQL_PREFIX):
        return value
    if not value.startswith(SQLITE_PREFIXES):
        raise ValueError("must begin with sqlite:/// or postgresql+asyncpg://")
    path, _, query = value.partition("://")[2].partition("?")
    if path.strip("/") in {"", ":memory:", "file::memory:"} or "mode=memory" in query:
        raise ValueError("names no file, so nothing would outlive the process: name one")
    if not path.startswith("/"):
        raise ValueError("has two slashes before its file: write sqlite:///file, with three")
    return value
