"""The corpora that tests read: the synthetic one always, the recorded one where it is.

Recorded data of third parties is kept beside the project and is no part of it. Without it, tests
of the recorded corpus are skipped. `REQUIRE_RECORDED=1` makes one fail instead
(tests/unit/test_recorded_data.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.corpus import markdown_texts, slack_payloads, slack_shapes
from tests.support.project import RECORDED

DATA = RECORDED
_IS_HERE = DATA.is_dir()

corpora = pytest.mark.parametrize(
    "corpus",
    [
        "synthetic",
        pytest.param(
            "recorded",
            marks=pytest.mark.skipif(not _IS_HERE, reason="no recorded data is beside the project"),
        ),
    ],
)
"""Runs a test over each corpus; it gets the name as `corpus`, for the functions below."""

_PAYLOADS = {
    "events": slack_payloads.EVENTS,
    "envelopes": slack_payloads.ENVELOPES,
    "interactive": slack_payloads.INTERACTIVE,
    "slash_commands": slack_payloads.COMMANDS,
}


def lines(path: str) -> list[dict[str, Any]]:
    """The objects of a recorded file with one on each line; empty when it is absent."""
    found = DATA / path
    if not found.exists():
        return []
    return [json.loads(line) for line in found.read_text().splitlines() if line.strip()]


def payloads(corpus: str, name: str) -> list[dict[str, Any]]:
    """What Slack sends: `events`, `envelopes`, `interactive` or `slash_commands`."""
    return _PAYLOADS[name] if corpus == "synthetic" else lines(f"slack/{name}.jsonl")


def shape_names(corpus: str) -> list[str]:
    """The names of objects of Slack that are known with their fields."""
    if corpus == "synthetic":
        return list(slack_shapes.SHAPES)
    return [str(path.relative_to(_SHAPES).with_suffix("")) for path in _SHAPES.rglob("*.json")]


def shape(corpus: str, name: str) -> Any:
    """One of these objects; values only have the right type."""
    if corpus == "synthetic":
        return slack_shapes.SHAPES[name]
    return json.loads((_SHAPES / f"{name}.json").read_text(encoding="utf-8"))


def markdown(corpus: str) -> list[str]:
    """Texts in Markdown, finished and unfinished."""
    if corpus == "synthetic":
        return markdown_texts.TEXTS
    files = ("markdown/remend_pairs.jsonl", "markdown/slackify_npm_pairs.jsonl")
    return [line["input"] for file in files for line in lines(file)]


_SHAPES: Path = DATA / "slack" / "java-json-logs"
