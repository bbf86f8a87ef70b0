"""Markdown blocks, with the quotes and list items that contain them, and helpers for single lines.

scan.py parses a text into these blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import regex

_BLANK = regex.compile(r"[ \t]*")
_PIPE = regex.compile(r"\\.|(\|)")


class BlockKind(Enum):
    """The kind of a block; `CODE` is indented code."""

    TEXT = "text"
    HEADING = "heading"
    FENCE = "fence"
    CODE = "code"
    TABLE = "table"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class ContainerLevel:
    """A block quote or a list item that contains lines.

    `indent` and `content_indent` are the columns before the marker and before the content. `number`
    is the displayed number of an ordered item, whatever its marker says; 0 otherwise.
    """

    marker: str
    indent: int
    content_indent: int
    number: int = 0

    @property
    def is_quote(self) -> bool:
        return self.marker == ">"


@dataclass(slots=True)
class MarkdownBlock:
    """A block: `lines` has the start of each line and the start of the line's content.

    The first `continued_levels` of its `levels` were open before the block; the others start with
    it. `after_blank`: a blank line, or nothing, precedes it. `marker` and `info` are the backticks
    and the language of a fence, `is_closed` says that it has its closing line.
    """

    kind: BlockKind
    levels: tuple[ContainerLevel, ...]
    continued_levels: int
    after_blank: bool
    lines: list[tuple[int, int]]
    end: int
    marker: str = ""
    info: str = ""
    is_closed: bool = False

    @property
    def start(self) -> int:
        return self.lines[0][0]

    @property
    def content_start(self) -> int:
        return self.lines[0][1]


@dataclass(frozen=True, slots=True)
class ScannedBlocks:
    """The blocks of a text, and the starts of its last line and of that line's content."""

    blocks: list[MarkdownBlock]
    last_line: tuple[int, int]


ColumnSpot = tuple[int, int]
"""A place in a line and its column, which may be inside a tab."""


def find_line_content(
    text: str, start: int, end: int, levels: tuple[ContainerLevel, ...]
) -> tuple[ColumnSpot, int]:
    """The start of a line's content, and how many of `levels` contain the line."""
    spot = (start, 0)
    for depth, level in enumerate(levels):
        after, columns = measure_indent(text, start, spot, end)
        if level.is_quote:
            if columns > 3 or after >= end or text[after] != ">":
                return spot, depth
            spot = skip_quote_marker(text, (after, spot[1] + columns), end)
        elif after >= end:
            spot = (after, spot[1] + columns)
        elif columns >= level.content_indent:
            spot = skip_columns(text, start, spot, level.content_indent)
        else:
            return spot, depth
    return spot, len(levels)


def skip_quote_marker(text: str, spot: ColumnSpot, end: int) -> ColumnSpot:
    """The place after a `>` and an optional blank."""
    pos, column = spot[0] + 1, spot[1] + 1
    return (pos + 1, column + 1) if pos < end and text[pos] in " \t" else (pos, column)


def measure_indent(text: str, start: int, spot: ColumnSpot, end: int) -> tuple[int, int]:
    """The end of the blanks from `spot` on, and their width in columns."""
    pos, column = spot
    if pos < end and text[pos] in " \t":
        match = _BLANK.match(text, pos, end)
        pos = match.end() if match else pos
    return pos, _column(text, start, pos) - column


def skip_columns(text: str, start: int, spot: ColumnSpot, width: int) -> ColumnSpot:
    """The place after `width` columns of blanks."""
    pos, column = spot[0], spot[1] + width
    while _column(text, start, pos) < column:
        pos += 1
    return pos, column


def cell_separators(text: str, start: int, end: int) -> list[int]:
    """The places of the bars between the cells of a table row."""
    return [match.start() for match in _PIPE.finditer(text, start, end) if match[1]]


def count_cells(row: str) -> int:
    """The number of cells in a table row."""
    row = row.strip()
    return 1 + sum(0 < at < len(row) - 1 for at in cell_separators(row, 0, len(row)))


def _column(text: str, start: int, pos: int) -> int:
    """The column of a place; a tab ends at the next multiple of four."""
    if text.find("\t", start, pos) < 0:
        return pos - start
    column = 0
    for char in text[start:pos]:
        column += 4 - column % 4 if char == "\t" else 1
    return column
