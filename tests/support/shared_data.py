"""Recorded data of third parties, kept beside the project; tests that need it skip without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import RECORDED

DATA = RECORDED


def need(path: str) -> Path:
    """The file or folder at `path` below the recorded data, or a skip that says what is absent."""
    found = DATA / path
    if not found.exists():
        pytest.skip(f"recorded data {path} is not beside the project")
    return found


def lines(path: str) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file below the recorded data; empty when it is absent."""
    found = DATA / path
    if not found.exists():
        return []
    return [json.loads(line) for line in found.read_text().splitlines() if line.strip()]
