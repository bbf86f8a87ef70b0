"""Markdown as a list of blocks with their places in the text, found in one pass over its lines.

CommonMark's block structure with GitHub's tables, as far as closing, splitting and safety need
it: where code is, where running text is, and which quotes and list items a line stands in. It
builds no tree and no HTML, and what stands inside a paragraph is the business of inline.py.

The rules are those of https://spec.commonmark.org/0.31.2/ and https://github.github.com/gfm/.
"""

from __future__ import annotations

from functools import lru_cache

import regex

from bot.render.markdown.blocks import (
    Block,
    Kind,
    Level,
    Scan,
    Spot,
    behind,
    behind_quote,
    cells,
    indent,
    pipes,
    skipped,
)

# Deeper nesting and longer fences are read as text: what must be closed again stays short.
_DEEPEST = 8
_LONGEST_FENCE = 40

_ITEM = regex.compile(r"(?:[-+*]|([0-9]{1,9})[.)])(?=[ \t]|$)")
_RULE = regex.compile(r"(?:(?:\*[ \t]*+){3,}|(?:-[ \t]*+){3,}|(?:_[ \t]*+){3,})$")
_HEADING = regex.compile(r"#{1,6}(?=[ \t]|$)")
_FENCE = regex.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_FENCE_END = regex.compile(r"(`{3,}|~{3,})[ \t]*$")
_UNDERLINE = regex.compile(r"(?:=+|-+)[ \t]*$")
_DELIMITERS = regex.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*+\|?[ \t]*$")


@lru_cache(maxsize=16)
def scan(text: str) -> Scan:
    """Return the blocks of `text`, in order.

    Closing, splitting and safety ask for the same text one after the other, so the last few
    answers are kept. Nobody changes what they are given.
    """
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._blocks: list[Block] = []
        self._leaf: Block | None = None
        self._levels: tuple[Level, ...] = ()
        self._fresh = True
        self._last = (0, 0)

    def run(self) -> Scan:
        start, size = 0, len(self._text)
        while start < size:
            end = self._text.find("\n", start)
            end = size if end < 0 else end
            self._line(start, end)
            start = end + 1
        if self._text.endswith("\n"):
            self._last = (size, size)
        return Scan(self._blocks, self._last)

    def _line(self, start: int, end: int) -> None:
        if not self._levels and start < end and self._plain(start, end):
            return
        leaf = self._leaf
        spot, matched = behind(self._text, start, end, self._levels)
        if leaf is not None and leaf.kind is Kind.FENCE and matched == len(self._levels):
            self._in_fence(leaf, start, spot, end)
        else:
            self._between(start, spot, end, matched)

    def _plain(self, start: int, end: int) -> bool:
        """Take a line, outside all quotes and lists, that is code or begins with a letter."""
        leaf = self._leaf
        if leaf is not None and leaf.kind is Kind.FENCE:
            if self._text.find(leaf.marker, start, end) >= 0:
                return False
        elif not self._text[start].isalpha() or not (leaf is None or leaf.kind is Kind.TEXT):
            return False
        if leaf is None:
            self._begin(Kind.TEXT, 0, start, start, end)
        else:
            self._extend(leaf, start, start, end)
        return True

    def _in_fence(self, leaf: Block, start: int, spot: Spot, end: int) -> None:
        self._extend(leaf, start, spot[0], end)
        after, columns = indent(self._text, start, spot, end)
        match = _FENCE_END.match(self._text, after, end) if columns < 4 else None
        if match and match[1].startswith(leaf.marker):
            leaf.closed = True
            self._leaf = None

    def _between(self, start: int, spot: Spot, end: int, matched: int) -> None:
        levels = list(self._levels[:matched])
        spot = self._opened(start, spot, end, levels)
        content, columns = indent(self._text, start, spot, end)
        if content >= end:
            self._nothing(start, content, levels, opened=len(levels) > matched)
            return
        kind = self._shape(content, end, columns)
        if kind is Kind.CODE and not self._in_text():
            content = spot[0]
        if len(levels) == matched and self._continues(kind, matched, start, content, end):
            return
        self._levels = tuple(levels)
        self._begin(kind, matched, start, content, end)

    def _opened(self, start: int, spot: Spot, end: int, levels: list[Level]) -> Spot:
        """Add the quotes and items that open at `spot`; return where their content starts."""
        matched = len(levels)
        while len(levels) < _DEEPEST:
            after, columns = indent(self._text, start, spot, end)
            if after >= end or columns > 3 or self._text[after] not in _OPENERS:
                break
            here = (after, spot[1] + columns)
            if self._text[after] == ">":
                levels.append(Level(">", columns, 0))
                spot = behind_quote(self._text, here, end)
                continue
            found = self._item(start, here, end, columns, levels, first=len(levels) == matched)
            if found is None:
                break
            spot = found
        return spot

    def _item(
        self, start: int, spot: Spot, end: int, before: int, levels: list[Level], *, first: bool
    ) -> Spot | None:
        """Add the list item that opens at `spot`, if one does; return where its content starts."""
        text = self._text
        match = _ITEM.match(text, spot[0], end)
        if match is None or _RULE.match(text, spot[0], end):
            return None
        size = len(match[0])
        marker = (match.end(), spot[1] + size)
        after, columns = indent(text, start, marker, end)
        breaks_in = first and self._in_text() and len(levels) == len(self._levels)
        if breaks_in and (after >= end or match[1] not in _FIRST):
            return None
        blanks = 1 if after >= end or columns > 4 else columns
        number = self._number(match, len(levels), first=first)
        levels.append(Level(match[0], before, before + size + blanks, number))
        if after >= end:
            return after, marker[1] + columns
        return skipped(text, start, marker, blanks)

    def _number(self, match: regex.Match[str], depth: int, *, first: bool) -> int:
        if match[1] is None:
            return 0
        if first and depth < len(self._levels):
            before = self._levels[depth]
            if before.number and before.marker[-1] == match[0][-1]:
                return before.number + 1
        return int(match[1])

    def _in_text(self) -> bool:
        return self._leaf is not None and self._leaf.kind is Kind.TEXT

    def _nothing(self, start: int, content: int, levels: list[Level], *, opened: bool) -> None:
        """Take a line that is blank, or holds nothing but markers."""
        self._last = (start, content)
        self._leaf = None
        self._levels = tuple(levels)
        self._fresh = not opened

    def _shape(self, content: int, end: int, columns: int) -> Kind:
        if columns > 3:
            return Kind.CODE
        match self._text[content]:
            case "#" if _HEADING.match(self._text, content, end):
                return Kind.HEADING
            case "`" | "~" if _FENCE.match(self._text, content, end):
                return Kind.FENCE if self._fence(content, end) else Kind.TEXT
            case "*" | "-" | "_" if _RULE.match(self._text, content, end):
                return Kind.RULE
        return Kind.TEXT

    def _fence(self, content: int, end: int) -> tuple[str, str] | None:
        match = _FENCE.match(self._text, content, end)
        if match is None:
            return None
        marker, info = (match[1], match[2]) if match[1] else (match[3], match[4])
        return (marker, info.strip()) if len(marker) <= _LONGEST_FENCE else None

    def _continues(self, kind: Kind, matched: int, start: int, content: int, end: int) -> bool:
        """Add the line to the open block if it belongs there."""
        leaf, all_matched = self._leaf, matched == len(self._levels)
        if leaf is None:
            return False
        if leaf.kind is Kind.TEXT:
            closable = all_matched and kind is not Kind.CODE
            if closable and self._ends_heading(leaf, start, content, end):
                return True
            belongs = kind in (Kind.TEXT, Kind.CODE)
        else:
            belongs = all_matched and (leaf.kind, kind) in _GOES_ON
        if belongs:
            self._extend(leaf, start, content, end)
        return belongs

    def _ends_heading(self, leaf: Block, start: int, content: int, end: int) -> bool:
        """Take a line that makes the text above it a table's header or a heading."""
        if self._text[content] not in "-=|:":
            return False
        head_start, head = leaf.lines[-1]
        header = self._text[head : leaf.end]
        if self._delimits(header, content, end):
            self._tabulate(leaf, head_start)
            self._extend(self._blocks[-1], start, content, end)
            return True
        if _UNDERLINE.match(self._text, content, end):
            self._extend(leaf, start, content, end)
            leaf.kind, self._leaf = Kind.HEADING, None
            return True
        return False

    def _delimits(self, header: str, content: int, end: int) -> bool:
        """Say whether a line makes a table of the line above it."""
        if not _DELIMITERS.match(self._text, content, end):
            return False
        return bool(pipes(header, 0, len(header))) and cells(header) == cells(
            self._text[content:end]
        )

    def _tabulate(self, leaf: Block, head_start: int) -> None:
        """Make the last line of a paragraph the first of a table."""
        if len(leaf.lines) == 1:
            leaf.kind = Kind.TABLE
            return
        head, end, leaf.end = leaf.lines.pop(), leaf.end, head_start
        table = Block(Kind.TABLE, leaf.levels, len(leaf.levels), False, [head], end)
        self._blocks.append(table)
        self._leaf = table

    def _begin(self, kind: Kind, kept: int, start: int, inner: int, end: int) -> None:
        stop = min(end + 1, len(self._text))
        block = Block(kind, self._levels, kept, self._fresh, [(start, inner)], stop)
        if kind is Kind.FENCE:
            block.marker, block.info = self._fence(inner, end) or ("", "")
        self._blocks.append(block)
        self._leaf = None if kind in (Kind.HEADING, Kind.RULE) else block
        self._fresh, self._last = False, (start, inner)

    def _extend(self, leaf: Block, start: int, inner: int, end: int) -> None:
        leaf.lines.append((start, inner))
        leaf.end = min(end + 1, len(self._text))
        self._last = (start, inner)


_OPENERS = frozenset(">-+*0123456789")
_FIRST = (None, "1")
_GOES_ON = {(Kind.CODE, Kind.CODE), (Kind.TABLE, Kind.TEXT), (Kind.TABLE, Kind.CODE)}
