"""The version of the bot. It is defined in pyproject.toml only."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

PROJECT_NAME = "bot"
UNKNOWN_VERSION = "unknown"

_PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


@cache
def version() -> str:
    """Return the version, or "unknown" if the package was copied without its metadata.

    pyproject.toml comes before the installed metadata, which an editable install does not update.
    """
    return _source_tree_version() or _installed_version() or UNKNOWN_VERSION


def _source_tree_version() -> str:
    try:
        project = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]
        return str(project["version"]) if project["name"] == PROJECT_NAME else ""
    except (OSError, ValueError, KeyError):
        return ""


def _installed_version() -> str:
    try:
        return metadata.version(PROJECT_NAME)
    except metadata.PackageNotFoundError:
        return ""
