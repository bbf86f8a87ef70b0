"""Edits: places of a text and what stands there instead."""

from __future__ import annotations

from collections.abc import Iterable

BREAK = "\u200b"
"""A zero-width space: it parts what Slack or a reader of markdown would take together."""

Edit = tuple[int, int, str]
"""From where to where something is replaced, and by what."""


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with `edits`, which are in order, made."""
    pieces, done = [], 0
    for start, end, new in edits:
        pieces += [text[done:start], new]
        done = max(done, end)
    return "".join([*pieces, text[done:]])
