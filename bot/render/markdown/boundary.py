"""The best place to end a message, near where it is full.

Between blocks is best, then between items and lines, then behind a sentence, then behind a word;
inside a word only when it alone is longer than a message, and never inside a link, an entity or
what a reader sees as one character.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

import regex

from bot.render.markdown.blocks import BlockKind, MarkdownBlock, ScannedBlocks
from bot.render.markdown.inline import read_inline

# A line that has shown so many characters behind its markers is told from every other kind.
_DECIDED_CHARACTERS = 16

# Full stops and commas of Chinese and Japanese stand without a blank behind them.
_SENTENCE = regex.compile(r"""[.!?…:][\])"'\u2019\u201d*_`~]*+\s++|[\u3002\uff01\uff1f…]++""")
_WORD = regex.compile(r"\s++|[\uff0c\u3001\uff1b\uff1a]")
_GRAPHEME = regex.compile(r"\X")
_INDIVISIBLE_TOKEN = regex.compile(r"&\#?\w{1,32};?|\\.|\*++|_++|~++|`++|</?\w[^<>\s]*+>?", regex.S)
_MIN_LINES = {BlockKind.FENCE: 2, BlockKind.TABLE: 3}


def first_good_boundary(
    text: str, found: ScannedBlocks, after: int, good: int, fair: int
) -> MarkdownBlock | None:
    """Return the block before the first good place from `good` on, or fair one from `fair` on.

    It is known as soon as the text has reached it, so that nothing shown has to move on.
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
    """Return the best place to cut `text`, which fills a message, behind `after`.

    Places from `near` on are preferred to all that stand before it.
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
    """Say whether more text can't make another kind of block of this one."""
    if len(block.lines) > 1 or text[block.end - 1] == "\n":
        return True
    return (
        block.kind is not BlockKind.RULE and block.end - block.content_start >= _DECIDED_CHARACTERS
    )


def _cut_rank(block: MarkdownBlock, before: MarkdownBlock | None) -> int:
    """Return 0 for a good place to cut before `block`, 1 for a fair one, 2 inside a list item."""
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
    """Return where lines start, without those that would leave a bare fence or header behind."""
    starts = []
    for block in found.blocks:
        first = _MIN_LINES.get(block.kind, 1)
        last = len(block.lines) - block.is_closed
        starts += [start for start, _ in block.lines[first:last]]
        starts += [block.start] if block.continued_levels else []
    return starts


def _indivisible_spans(text: str, start: int) -> list[tuple[int, int]]:
    """Return from where to where links and code reach, also those that reach beyond the text."""
    found = read_inline(text, start, len(text), unfinished=True)
    spans = [(link.start, link.end) for link in found.links] + found.code_spans
    if found.undecided_start < len(text):
        spans.append((found.undecided_start, len(text) + 1))
    if found.open_markers and found.open_markers[-1].startswith("`"):
        spans.append((found.code_spans[-1][0], len(text) + 1))
    return spans


class _FinalStretch:
    """The running text, row or line that reaches to the end of a window."""

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
        """Return the last end of a match from `floor` on that is in no link or code, else 0."""
        ends = [match.end() for match in pattern.finditer(self._text, self._start)]
        return next(
            (end for end in reversed(ends) if end >= floor and not self._is_indivisible(end)), 0
        )

    def last_grapheme_boundary(self) -> int:
        """Return the last place between two characters as readers see them."""
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
