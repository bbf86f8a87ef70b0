"""The version of the bot, which is written in pyproject.toml and nowhere else."""

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
    """Return the version.

    A source tree is asked before the installed metadata, which an editable install keeps as it
    was when it was installed. "unknown" if the package was copied without either.
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
