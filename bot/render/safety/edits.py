"""Edits: places of a text and what stands there instead."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

import regex

ZERO_WIDTH_SPACE = "\u200b"
"""A zero-width space: it parts what Slack or a reader of markdown would take together."""

BIDI_CONTROL = regex.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""What turns the direction of text round: behind it, a remark of ours would read backwards."""

Edit = tuple[int, int, str]
"""From where to where something is replaced, and by what."""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with `edits`, which are in order, made."""
    pieces, done = [], 0
    for start, end, new in edits:
        pieces += [text[done:start], new]
        done = max(done, end)
    return "".join([*pieces, text[done:]])


Span = tuple[int, int]
"""From where to where something stands in a text."""


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that overlap as one."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and start < out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def begins_within(spans: list[Span], first: int, end: int) -> bool:
    """Say whether one of `spans`, which are in order, begins between two places."""
    index = bisect_left(spans, first, key=lambda span: span[0])
    return index < len(spans) and spans[index][0] < end


def spans_cover(spans: list[Span], place: int) -> bool:
    """Say whether a place is inside one of merged `spans`."""
    index = bisect_right(spans, place, key=lambda span: span[0]) - 1
    return index >= 0 and place < spans[index][1]
