"""Finds the best place to end a message that is full.

The best places are between blocks; then between list items and lines, after a sentence, and after a
word. A word is only split if it is longer than a message. A link, an entity or a grapheme is never
split.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

import regex

from bot.render.markdown.blocks import BlockKind, MarkdownBlock, ScannedBlocks
from bot.render.markdown.inline import read_inline

# With this many characters after its markers, the kind of a line can't change any more.
_DECIDED_CHARACTERS = 16

# Chinese and Japanese full stops and commas have no blank after them.
_SENTENCE = regex.compile(r"""[.!?…:][\])"'\u2019\u201d*_`~]*+\s++|[\u3002\uff01\uff1f…]++""")
_WORD = regex.compile(r"\s++|[\uff0c\u3001\uff1b\uff1a]")
_GRAPHEME = regex.compile(r"\X")
_INDIVISIBLE_TOKEN = regex.compile(r"&\#?\w{1,32};?|\\.|\*++|_++|~++|`++|</?\w[^<>\s]*+>?", regex.S)
_MIN_LINES = {BlockKind.FENCE: 2, BlockKind.TABLE: 3}


def first_good_boundary(
    text: str, found: ScannedBlocks, after: int, good: int, fair: int
) -> MarkdownBlock | None:
    """The block that starts at the first good place from `good` on, or fair one from `fair` on.

    A place only counts if more text can't change it, so that displayed text never moves to another
    message. None if there is no such place after `after`.
    """
    before: MarkdownBlock | None = None
    for block in found.blocks:
        if block.start >= good and block.start > after and _is_kind_decided(text, block):
            rank = _cut_rank(block, before)
            if rank == 0 or (rank == 1 and block.start >= fair):
                return block
        before = block
    return None


def best_boundary(text: str, found: ScannedBlocks, after: int, near: int) -> int:
    """The best place to cut `text`, which fills a message, after `after`.

    Any place from `near` on is better than all places before it.
    """
    starts = [*_block_starts(found), _line_starts(found)]
    inside = _FinalStretch(text, found, after)
    for floor in (max(near, after + 1), after + 1):
        places = [max((start for start in kind if start >= floor), default=0) for kind in starts]
        places += [inside.last_match_end(_SENTENCE, floor), inside.last_match_end(_WORD, floor)]
        if any(places):
            return next(filter(None, places)) if floor >= near else max(places)
    return inside.last_grapheme_boundary()


def _is_kind_decided(text: str, block: MarkdownBlock) -> bool:
    """Whether more text can't change the kind of a block."""
    if len(block.lines) > 1 or text[block.end - 1] == "\n":
        return True
    return (
        block.kind is not BlockKind.RULE and block.end - block.content_start >= _DECIDED_CHARACTERS
    )


def _cut_rank(block: MarkdownBlock, before: MarkdownBlock | None) -> int:
    """0 if the start of `block` is a good place to cut, 1 if a fair one, 2 inside a list item."""
    if block.continued_levels:
        return 2
    if before is None or not block.after_blank or before.kind is BlockKind.HEADING:
        return 1
    item = bool(block.levels and not block.levels[0].is_quote)
    return int(item and bool(before.levels and not before.levels[0].is_quote))


def _block_starts(found: ScannedBlocks) -> tuple[list[int], list[int]]:
    good: list[int] = []
    fair: list[int] = []
    for before, block in zip([None, *found.blocks], found.blocks, strict=False):
        rank = _cut_rank(block, before)
        if rank < 2:
            (fair if rank else good).append(block.start)
    return good, fair


def _line_starts(found: ScannedBlocks) -> list[int]:
    """The starts of lines, except those that would leave a fence or table header alone."""
    starts = []
    for block in found.blocks:
        first = _MIN_LINES.get(block.kind, 1)
        last = len(block.lines) - block.is_closed
        starts += [start for start, _ in block.lines[first:last]]
        starts += [block.start] if block.continued_levels else []
    return starts


def _indivisible_spans(text: str, start: int) -> list[tuple[int, int]]:
    """The spans of links and code, including those that are not finished at the end of the text."""
    found = read_inline(text, start, len(text), unfinished=True)
    spans = [(link.start, link.end) for link in found.links] + found.code_spans
    if found.undecided_start < len(text):
        spans.append((found.undecided_start, len(text) + 1))
    if found.open_markers and found.open_markers[-1].startswith("`"):
        spans.append((found.code_spans[-1][0], len(text) + 1))
    return spans


class _FinalStretch:
    """The running text, table row or line at the end of a window."""

    def __init__(self, text: str, found: ScannedBlocks, after: int) -> None:
        self._text, self._after = text, after
        self._start = after
        self._indivisible: list[tuple[int, int]] = []
        for block in found.blocks[-1:]:
            inner = block.content_start if block.kind is BlockKind.TEXT else block.lines[-1][1]
            self._start = max(after, inner)
            if block.kind in (BlockKind.TEXT, BlockKind.HEADING, BlockKind.TABLE):
                self._indivisible = _indivisible_spans(text, self._start)
        ordered = sorted(self._indivisible)
        self._starts = [start for start, _ in ordered]
        self._farthest = list(accumulate((end for _, end in ordered), max))

    def last_match_end(self, pattern: regex.Pattern[str], floor: int) -> int:
        """The last end of a match from `floor` on outside of links and code; 0 if there is none."""
        ends = [match.end() for match in pattern.finditer(self._text, self._start)]
        return next(
            (end for end in reversed(ends) if end >= floor and not self._is_indivisible(end)), 0
        )

    def last_grapheme_boundary(self) -> int:
        """The last place between two graphemes that is not inside a link, code or token."""
        text, place = self._text, self._after
        for match in _GRAPHEME.finditer(text, self._start):
            place = match.start()
        for start, end in self._indivisible:
            if start < place < end and start > self._after:
                place = start
        for match in _INDIVISIBLE_TOKEN.finditer(text, max(self._start, place - 40)):
            if match.start() < place < match.end() and match.start() > self._after:
                place = match.start()
        return place if place > self._after else len(text)

    def _is_indivisible(self, place: int) -> bool:
        index = bisect_left(self._starts, place)
        return bool(index) and self._farthest[index - 1] > place
