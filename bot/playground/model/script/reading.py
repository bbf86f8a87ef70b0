"""Reads the prepared texts that lie beside the code."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

LONG_PARTS = ("essay", "guide", "letters", "road")


def read(title: str, /, **fill: str) -> str:
    """The text `title`, with `{word}` replaced by `fill[word]`."""
    text = _read(title)
    for word, value in fill.items():
        text = text.replace("{" + word + "}", value)
    return text


def very_long() -> str:
    """Nearly 6,000 words, 30,000 characters."""
    return "\n\n".join(_read(name) for name in LONG_PARTS)


@cache
def _read(title: str) -> str:
    return (files(__package__) / "texts" / f"{title}.md").read_text(encoding="utf-8").strip()
