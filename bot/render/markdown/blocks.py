"""Blocks of markdown and the quotes and list items that lines stand in.

Values and the few questions asked of a line; scan.py finds them, and nothing here knows how.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import regex

_BLANK = regex.compile(r"[ \t]*")
_PIPE = regex.compile(r"\\.|(\|)")


class BlockKind(Enum):
    """What a block is; `CODE` is code by indentation."""

    TEXT = "text"
    HEADING = "heading"
    FENCE = "fence"
    CODE = "code"
    TABLE = "table"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class ContainerLevel:
    """A block quote or a list item that lines stand in.

    `indent` and `width` are columns before the marker and before the content. `number` is what a
    reader sees counted, whatever the marker says; 0 where nothing is counted.
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
    """Lines that belong together; `lines` holds where each starts and where its content starts.

    `kept` of its `levels` were open before it began, the others begin with it. `fresh` says that
    a blank line, or nothing, stands before it. `closed` says that a fence has its closing line.
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
    """The blocks of a text, and where its last line and that line's content start."""

    blocks: list[MarkdownBlock]
    last_line: tuple[int, int]


ColumnSpot = tuple[int, int]
"""A place in a line and the column it counts as, which may lie inside a tab before it."""


def find_line_content(
    text: str, start: int, end: int, levels: tuple[ContainerLevel, ...]
) -> tuple[ColumnSpot, int]:
    """Return where the content of a line starts, and how many of `levels` the line stands in."""
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
    """Return the place behind a `>` and the blank that may follow it."""
    pos, column = spot[0] + 1, spot[1] + 1
    return (pos + 1, column + 1) if pos < end and text[pos] in " \t" else (pos, column)


def measure_indent(text: str, start: int, spot: ColumnSpot, end: int) -> tuple[int, int]:
    """Return where the blanks from `spot` end, and how many columns they take."""
    pos, column = spot
    if pos < end and text[pos] in " \t":
        match = _BLANK.match(text, pos, end)
        pos = match.end() if match else pos
    return pos, _column(text, start, pos) - column


def skip_columns(text: str, start: int, spot: ColumnSpot, width: int) -> ColumnSpot:
    """Return the place `width` columns of blanks farther on."""
    pos, column = spot[0], spot[1] + width
    while _column(text, start, pos) < column:
        pos += 1
    return pos, column


def cell_separators(text: str, start: int, end: int) -> list[int]:
    """Return the places of the bars that part the cells of a table row."""
    return [match.start() for match in _PIPE.finditer(text, start, end) if match[1]]


def count_cells(row: str) -> int:
    """Return the number of cells in a table row."""
    row = row.strip()
    return 1 + sum(0 < at < len(row) - 1 for at in cell_separators(row, 0, len(row)))


def _column(text: str, start: int, pos: int) -> int:
    """Return the column of a place; tabs reach to the next multiple of four."""
    if text.find("\t", start, pos) < 0:
        return pos - start
    column = 0
    for char in text[start:pos]:
        column += 4 - column % 4 if char == "\t" else 1
    return column
