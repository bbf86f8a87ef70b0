"""Unfinished markdown, closed or held back while it streams."""

from __future__ import annotations

import regex

_FENCE = regex.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$", regex.M)


def open_fence(text: str) -> str:
    """Return the opening line of the code fence that `text` leaves open, or nothing."""
    opened = ""
    for match in _FENCE.finditer(text):
        marker = match[1]
        if not opened:
            opened = match[0]
        elif marker.startswith(opened.strip()[:3]) and not match[2].strip():
            opened = ""
    return opened


def whole(text: str) -> str:
    """Return `text`, the beginning of some markdown, with what is open closed."""
    opened = open_fence(text)
    return f"{text}\n{opened.strip()[:3]}" if opened else text
