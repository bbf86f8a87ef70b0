"""Edits of a text, and spans of places."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

import regex

ZERO_WIDTH_SPACE = "\u200b"
"""A zero-width space; it separates characters that Slack or Markdown would read together."""

BIDI_CONTROL = regex.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""Controls that reverse the direction of text: a remark after one would read backwards."""

Edit = tuple[int, int, str]
"""Start, end and replacement."""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Apply `edits`, which are in order, to `text`."""
    pieces, done = [], 0
    for start, end, new in edits:
        pieces += [text[done:start], new]
        done = max(done, end)
    return "".join([*pieces, text[done:]])


Span = tuple[int, int]
"""Start and end of a part of a text."""


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Sort spans, and merge those that overlap."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def begins_within(spans: list[Span], first: int, end: int) -> bool:
    """Whether one of `spans`, which are in order, starts from `first` on and before `end`."""
    index = bisect_left(spans, first, key=lambda span: span[0])
    return index < len(spans) and spans[index][0] < end


def spans_cover(spans: list[Span], place: int) -> bool:
    """Whether a place is inside one of `spans`, which are merged."""
    index = bisect_right(spans, place, key=lambda span: span[0]) - 1
    return index >= 0 and place < spans[index][1]
