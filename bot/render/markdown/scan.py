"""Parses Markdown into a list of blocks with their places in the text, in one pass over its lines.

It follows CommonMark with GitHub's tables, as far as closing, splitting and safety need it: where
code and running text are, and which quotes and list items contain a line. It builds neither a tree
nor HTML; inline.py parses the inside of a paragraph.

Rules: https://spec.commonmark.org/0.31.2/ and https://github.github.com/gfm/.
"""

from __future__ import annotations

from functools import lru_cache

import regex

from bot.render.markdown.blocks import (
    BlockKind,
    ColumnSpot,
    ContainerLevel,
    MarkdownBlock,
    ScannedBlocks,
    cell_separators,
    count_cells,
    find_line_content,
    measure_indent,
    skip_columns,
    skip_quote_marker,
)

# Deeper nesting and longer fences are read as text, which limits the closing markup.
_MAX_NESTING_LEVELS = 8
_MAX_FENCE_CHARACTERS = 40

_ITEM = regex.compile(r"(?:[-+*]|([0-9]{1,9})[.)])(?=[ \t]|$)")
_THEMATIC_BREAK = regex.compile(r"(?:(?:\*[ \t]*+){3,}|(?:-[ \t]*+){3,}|(?:_[ \t]*+){3,})$")
_HEADING = regex.compile(r"#{1,6}(?=[ \t]|$)")
_FENCE = regex.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_FENCE_END = regex.compile(r"(`{3,}|~{3,})[ \t]*$")
_UNDERLINE = regex.compile(r"(?:=+|-+)[ \t]*$")
_DELIMITERS = regex.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*+\|?[ \t]*$")


@lru_cache(maxsize=16)
def scan_blocks(text: str) -> ScannedBlocks:
    """The blocks of `text`, in order. Callers must not change them: results are cached.

    The cache serves closing, splitting and safety, which parse the same text one after another.
    """
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._blocks: list[MarkdownBlock] = []
        self._open_block: MarkdownBlock | None = None
        self._levels: tuple[ContainerLevel, ...] = ()
        self._after_blank = True
        self._last_line = (0, 0)

    def run(self) -> ScannedBlocks:
        start, size = 0, len(self._text)
        while start < size:
            end = self._text.find("\n", start)
            end = size if end < 0 else end
            self._take_line(start, end)
            start = end + 1
        if self._text.endswith("\n"):
            self._last_line = (size, size)
        return ScannedBlocks(self._blocks, self._last_line)

    def _take_line(self, start: int, end: int) -> None:
        if not self._levels and start < end and self._take_plain_line(start, end):
            return
        leaf = self._open_block
        spot, matched = find_line_content(self._text, start, end, self._levels)
        if leaf is not None and leaf.kind is BlockKind.FENCE and matched == len(self._levels):
            self._take_fence_line(leaf, start, spot, end)
        else:
            self._take_block_line(start, spot, end, matched)

    def _take_plain_line(self, start: int, end: int) -> bool:
        """Take a line outside of quotes and lists that is code or starts with a letter."""
        leaf = self._open_block
        if leaf is not None and leaf.kind is BlockKind.FENCE:
            if self._text.find(leaf.marker, start, end) >= 0:
                return False
        elif not self._text[start].isalpha() or not (leaf is None or leaf.kind is BlockKind.TEXT):
            return False
        if leaf is None:
            self._begin_block(BlockKind.TEXT, 0, start, start, end)
        else:
            self._extend_block(leaf, start, start, end)
        return True

    def _take_fence_line(self, leaf: MarkdownBlock, start: int, spot: ColumnSpot, end: int) -> None:
        self._extend_block(leaf, start, spot[0], end)
        after, columns = measure_indent(self._text, start, spot, end)
        match = _FENCE_END.match(self._text, after, end) if columns < 4 else None
        if match and match[1].startswith(leaf.marker):
            leaf.is_closed = True
            self._open_block = None

    def _take_block_line(self, start: int, spot: ColumnSpot, end: int, matched: int) -> None:
        levels = list(self._levels[:matched])
        spot = self._open_containers(start, spot, end, levels)
        content, columns = measure_indent(self._text, start, spot, end)
        if content >= end:
            self._take_blank_line(start, content, levels, opened=len(levels) > matched)
            return
        kind = self._block_kind(content, end, columns)
        if kind is BlockKind.CODE and not self._is_in_text():
            content = spot[0]
        if len(levels) == matched and self._continue_block(kind, matched, start, content, end):
            return
        self._levels = tuple(levels)
        self._begin_block(kind, matched, start, content, end)

    def _open_containers(
        self, start: int, spot: ColumnSpot, end: int, levels: list[ContainerLevel]
    ) -> ColumnSpot:
        """Add the quotes and items that open at `spot`, and return the start of their content."""
        matched = len(levels)
        while len(levels) < _MAX_NESTING_LEVELS:
            after, columns = measure_indent(self._text, start, spot, end)
            if after >= end or columns > 3 or self._text[after] not in _CONTAINER_OPENERS:
                break
            here = (after, spot[1] + columns)
            if self._text[after] == ">":
                levels.append(ContainerLevel(">", columns, 0))
                spot = skip_quote_marker(self._text, here, end)
                continue
            found = self._open_item(start, here, end, columns, levels, first=len(levels) == matched)
            if found is None:
                break
            spot = found
        return spot

    def _open_item(
        self,
        start: int,
        spot: ColumnSpot,
        end: int,
        before: int,
        levels: list[ContainerLevel],
        *,
        first: bool,
    ) -> ColumnSpot | None:
        """Add the list item that opens at `spot`; return its content's start, or None without."""
        text = self._text
        match = _ITEM.match(text, spot[0], end)
        if match is None or _THEMATIC_BREAK.match(text, spot[0], end):
            return None
        size = len(match[0])
        marker = (match.end(), spot[1] + size)
        after, columns = measure_indent(text, start, marker, end)
        breaks_in = first and self._is_in_text() and len(levels) == len(self._levels)
        if breaks_in and (after >= end or match[1] not in _NUMBERS_THAT_INTERRUPT):
            return None
        blanks = 1 if after >= end or columns > 4 else columns
        number = self._item_number(match, len(levels), first=first)
        levels.append(ContainerLevel(match[0], before, before + size + blanks, number))
        if after >= end:
            return after, marker[1] + columns
        return skip_columns(text, start, marker, blanks)

    def _item_number(self, match: regex.Match[str], depth: int, *, first: bool) -> int:
        if match[1] is None:
            return 0
        if first and depth < len(self._levels):
            before = self._levels[depth]
            if before.number and before.marker[-1] == match[0][-1]:
                return before.number + 1
        return int(match[1])

    def _is_in_text(self) -> bool:
        return self._open_block is not None and self._open_block.kind is BlockKind.TEXT

    def _take_blank_line(
        self, start: int, content: int, levels: list[ContainerLevel], *, opened: bool
    ) -> None:
        """Take a line that is blank or has only markers."""
        self._last_line = (start, content)
        self._open_block = None
        self._levels = tuple(levels)
        self._after_blank = not opened

    def _block_kind(self, content: int, end: int, columns: int) -> BlockKind:
        if columns > 3:
            return BlockKind.CODE
        match self._text[content]:
            case "#" if _HEADING.match(self._text, content, end):
                return BlockKind.HEADING
            case "`" | "~" if _FENCE.match(self._text, content, end):
                return BlockKind.FENCE if self._read_fence(content, end) else BlockKind.TEXT
            case "*" | "-" | "_" if _THEMATIC_BREAK.match(self._text, content, end):
                return BlockKind.RULE
        return BlockKind.TEXT

    def _read_fence(self, content: int, end: int) -> tuple[str, str] | None:
        match = _FENCE.match(self._text, content, end)
        if match is None:
            return None
        marker, info = (match[1], match[2]) if match[1] else (match[3], match[4])
        return (marker, info.strip()) if len(marker) <= _MAX_FENCE_CHARACTERS else None

    def _continue_block(
        self, kind: BlockKind, matched: int, start: int, content: int, end: int
    ) -> bool:
        """Add a line to the open block if it belongs to it; whether it does."""
        leaf, all_matched = self._open_block, matched == len(self._levels)
        if leaf is None:
            return False
        if leaf.kind is BlockKind.TEXT:
            closable = all_matched and kind is not BlockKind.CODE
            if closable and self._take_underline(leaf, start, content, end):
                return True
            belongs = kind in (BlockKind.TEXT, BlockKind.CODE)
        else:
            belongs = all_matched and (leaf.kind, kind) in _CONTINUATIONS
        if belongs:
            self._extend_block(leaf, start, content, end)
        return belongs

    def _take_underline(self, leaf: MarkdownBlock, start: int, content: int, end: int) -> bool:
        """Take a line that turns the text above it into a table header or a heading."""
        if self._text[content] not in "-=|:":
            return False
        head_start, head = leaf.lines[-1]
        header = self._text[head : leaf.end]
        if self._is_table_delimiter(header, content, end):
            self._begin_table(leaf, head_start)
            self._extend_block(self._blocks[-1], start, content, end)
            return True
        if _UNDERLINE.match(self._text, content, end):
            self._extend_block(leaf, start, content, end)
            leaf.kind, self._open_block = BlockKind.HEADING, None
            return True
        return False

    def _is_table_delimiter(self, header: str, content: int, end: int) -> bool:
        """Whether a line turns the line above it into a table header."""
        if not _DELIMITERS.match(self._text, content, end):
            return False
        return bool(cell_separators(header, 0, len(header))) and count_cells(header) == count_cells(
            self._text[content:end]
        )

    def _begin_table(self, leaf: MarkdownBlock, head_start: int) -> None:
        """Turn the last line of a paragraph into the first line of a table."""
        if len(leaf.lines) == 1:
            leaf.kind = BlockKind.TABLE
            return
        head, end, leaf.end = leaf.lines.pop(), leaf.end, head_start
        table = MarkdownBlock(BlockKind.TABLE, leaf.levels, len(leaf.levels), False, [head], end)
        self._blocks.append(table)
        self._open_block = table

    def _begin_block(
        self, kind: BlockKind, continued_levels: int, start: int, inner: int, end: int
    ) -> None:
        stop = min(end + 1, len(self._text))
        block = MarkdownBlock(
            kind, self._levels, continued_levels, self._after_blank, [(start, inner)], stop
        )
        if kind is BlockKind.FENCE:
            block.marker, block.info = self._read_fence(inner, end) or ("", "")
        self._blocks.append(block)
        self._open_block = None if kind in (BlockKind.HEADING, BlockKind.RULE) else block
        self._after_blank, self._last_line = False, (start, inner)

    def _extend_block(self, leaf: MarkdownBlock, start: int, inner: int, end: int) -> None:
        leaf.lines.append((start, inner))
        leaf.end = min(end + 1, len(self._text))
        self._last_line = (start, inner)


_CONTAINER_OPENERS = frozenset(">-+*0123456789")
_NUMBERS_THAT_INTERRUPT = (None, "1")
_CONTINUATIONS = {
    (BlockKind.CODE, BlockKind.CODE),
    (BlockKind.TABLE, BlockKind.TEXT),
    (BlockKind.TABLE, BlockKind.CODE),
}
