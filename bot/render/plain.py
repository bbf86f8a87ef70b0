"""Markdown as one short plain line, for notifications and lists of messages."""

from __future__ import annotations

import regex

_MARKUP = regex.compile(r"[*_~`#>|]+")
_LINK = regex.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_SPACE = regex.compile(r"\s+")


def plain(text: str, limit: int = 150) -> str:
    """Return the beginning of `text` without markup, at most `limit` characters."""
    words = _SPACE.sub(" ", _MARKUP.sub("", _LINK.sub(r"\1", text[: 8 * limit]))).strip()
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"
