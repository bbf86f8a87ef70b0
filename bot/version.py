"""The version of the bot, which is written in pyproject.toml and nowhere else."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

PROJECT = "bot"
UNKNOWN = "unknown"

_PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


@cache
def version() -> str:
    """Return the version.

    A source tree is asked before the installed metadata, which an editable install keeps as it
    was when it was installed. "unknown" if the package was copied without either.
    """
    return _of_source_tree() or _of_installation() or UNKNOWN


def _of_source_tree() -> str:
    try:
        project = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]
        return str(project["version"]) if project["name"] == PROJECT else ""
    except (OSError, ValueError, KeyError):
        return ""


def _of_installation() -> str:
    try:
        return metadata.version(PROJECT)
    except metadata.PackageNotFoundError:
        return ""
