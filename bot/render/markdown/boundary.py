"""The best place to end a message, near where it is full.

Between blocks is best, then between items and lines, then behind a sentence, then behind a word;
inside a word only when it alone is longer than a message, and never inside a link, an entity or
what a reader sees as one character.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

import regex

from bot.render.markdown.blocks import Block, Kind, Scan
from bot.render.markdown.inline import read

# A line that has shown so many characters behind its markers is told from every other kind.
_TOLD = 16

# Full stops and commas of Chinese and Japanese stand without a blank behind them.
_SENTENCE = regex.compile(r"""[.!?…:][\])"'\u2019\u201d*_`~]*+\s++|[\u3002\uff01\uff1f…]++""")
_WORD = regex.compile(r"\s++|[\uff0c\u3001\uff1b\uff1a]")
_GRAPHEME = regex.compile(r"\X")
_TOGETHER = regex.compile(r"&\#?\w{1,32};?|\\.|\*++|_++|~++|`++|</?\w[^<>\s]*+>?", regex.S)
_REPEATED = {Kind.FENCE: 2, Kind.TABLE: 3}


def early(text: str, found: Scan, after: int, good: int, fair: int) -> Block | None:
    """Return the block before the first good place from `good` on, or fair one from `fair` on.

    It is known as soon as the text has reached it, so that nothing shown has to move on.
    """
    before: Block | None = None
    for block in found.blocks:
        if block.start >= good and block.start > after and _told(text, block):
            rank = _rank(block, before)
            if rank == 0 or (rank == 1 and block.start >= fair):
                return block
        before = block
    return None


def best(text: str, found: Scan, after: int, near: int) -> int:
    """Return the best place to cut `text`, which fills a message, behind `after`.

    Places from `near` on are preferred to all that stand before it.
    """
    starts = [*_block_starts(found), _line_starts(found)]
    inside = _Inside(text, found, after)
    for floor in (max(near, after + 1), after + 1):
        places = [max((start for start in kind if start >= floor), default=0) for kind in starts]
        places += [inside.last(_SENTENCE, floor), inside.last(_WORD, floor)]
        if any(places):
            return next(filter(None, places)) if floor >= near else max(places)
    return inside.grapheme()


def _told(text: str, block: Block) -> bool:
    """Say whether more text can't make another kind of block of this one."""
    if len(block.lines) > 1 or text[block.end - 1] == "\n":
        return True
    return block.kind is not Kind.RULE and block.end - block.inner >= _TOLD


def _rank(block: Block, before: Block | None) -> int:
    """Return 0 for a good place to cut before `block`, 1 for a fair one, 2 inside a list item."""
    if block.kept:
        return 2
    if before is None or not block.fresh or before.kind is Kind.HEADING:
        return 1
    item = bool(block.levels and not block.levels[0].quote)
    return int(item and bool(before.levels and not before.levels[0].quote))


def _block_starts(found: Scan) -> tuple[list[int], list[int]]:
    good: list[int] = []
    fair: list[int] = []
    for before, block in zip([None, *found.blocks], found.blocks, strict=False):
        rank = _rank(block, before)
        if rank < 2:
            (fair if rank else good).append(block.start)
    return good, fair


def _line_starts(found: Scan) -> list[int]:
    """Return where lines start, without those that would leave a bare fence or header behind."""
    starts = []
    for block in found.blocks:
        first = _REPEATED.get(block.kind, 1)
        last = len(block.lines) - block.closed
        starts += [start for start, _ in block.lines[first:last]]
        starts += [block.start] if block.kept else []
    return starts


def _indivisible(text: str, start: int) -> list[tuple[int, int]]:
    """Return from where to where links and code reach, also those that reach beyond the text."""
    found = read(text, start, len(text), unfinished=True)
    spans = [(link.start, link.end) for link in found.links] + found.codes
    if found.pending < len(text):
        spans.append((found.pending, len(text) + 1))
    if found.open and found.open[-1].startswith("`"):
        spans.append((found.codes[-1][0], len(text) + 1))
    return spans


class _Inside:
    """The running text, row or line that reaches to the end of a window."""

    def __init__(self, text: str, found: Scan, after: int) -> None:
        self._text, self._after = text, after
        self._start = after
        self._whole: list[tuple[int, int]] = []
        for block in found.blocks[-1:]:
            inner = block.inner if block.kind is Kind.TEXT else block.lines[-1][1]
            self._start = max(after, inner)
            if block.kind in (Kind.TEXT, Kind.HEADING, Kind.TABLE):
                self._whole = _indivisible(text, self._start)
        ordered = sorted(self._whole)
        self._starts = [start for start, _ in ordered]
        self._farthest = list(accumulate((end for _, end in ordered), max))

    def last(self, pattern: regex.Pattern[str], floor: int) -> int:
        """Return the last end of a match from `floor` on that is in no link or code, else 0."""
        ends = [match.end() for match in pattern.finditer(self._text, self._start)]
        return next((end for end in reversed(ends) if end >= floor and not self._covers(end)), 0)

    def grapheme(self) -> int:
        """Return the last place between two characters as readers see them."""
        text, place = self._text, self._after
        for match in _GRAPHEME.finditer(text, self._start):
            place = match.start()
        for start, end in self._whole:
            if start < place < end and start > self._after:
                place = start
        for match in _TOGETHER.finditer(text, max(self._start, place - 40)):
            if match.start() < place < match.end() and match.start() > self._after:
                place = match.start()
        return place if place > self._after else len(text)

    def _covers(self, place: int) -> bool:
        index = bisect_left(self._starts, place)
        return bool(index) and self._farthest[index - 1] > place
