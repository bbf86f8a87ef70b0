"""Blocks of markdown and the quotes and list items that lines stand in.

Values and the few questions asked of a line; scan.py finds them, and nothing here knows how.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import regex

_BLANK = regex.compile(r"[ \t]*")
_PIPE = regex.compile(r"\\.|(\|)")


class Kind(Enum):
    """What a block is; `CODE` is code by indentation."""

    TEXT = "text"
    HEADING = "heading"
    FENCE = "fence"
    CODE = "code"
    TABLE = "table"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Level:
    """A block quote or a list item that lines stand in.

    `indent` and `width` are columns before the marker and before the content. `number` is what a
    reader sees counted, whatever the marker says; 0 where nothing is counted.
    """

    marker: str
    indent: int
    width: int
    number: int = 0

    @property
    def quote(self) -> bool:
        return self.marker == ">"


@dataclass(slots=True)
class Block:
    """Lines that belong together; `lines` holds where each starts and where its content starts.

    `kept` of its `levels` were open before it began, the others begin with it. `fresh` says that
    a blank line, or nothing, stands before it. `closed` says that a fence has its closing line.
    """

    kind: Kind
    levels: tuple[Level, ...]
    kept: int
    fresh: bool
    lines: list[tuple[int, int]]
    end: int
    marker: str = ""
    info: str = ""
    closed: bool = False

    @property
    def start(self) -> int:
        return self.lines[0][0]

    @property
    def inner(self) -> int:
        return self.lines[0][1]


@dataclass(frozen=True, slots=True)
class Scan:
    """The blocks of a text, and where its last line and that line's content start."""

    blocks: list[Block]
    last: tuple[int, int]


def behind(text: str, start: int, end: int, levels: tuple[Level, ...]) -> tuple[int, int]:
    """Return where the content of the line starts, and how many of `levels` it stands in."""
    pos = start
    for depth, level in enumerate(levels):
        after, columns = indent(text, pos, end)
        if level.quote:
            if columns > 3 or after >= end or text[after] != ">":
                return pos, depth
            pos = after + 2 if text[after + 1 : after + 2] in (" ", "\t") else after + 1
            pos = min(pos, end)
        elif after >= end:
            pos = after
        elif columns >= level.width:
            pos = _skipped(text, pos, level.width)
        else:
            return pos, depth
    return pos, len(levels)


def pipes(text: str, start: int, end: int) -> list[int]:
    """Return the places of the bars that part the cells of a table row."""
    return [match.start() for match in _PIPE.finditer(text, start, end) if match[1]]


def cells(row: str) -> int:
    """Return the number of cells in a table row."""
    row = row.strip()
    return 1 + sum(0 < at < len(row) - 1 for at in pipes(row, 0, len(row)))


def indent(text: str, pos: int, end: int) -> tuple[int, int]:
    """Return where the blanks from `pos` end, and how many columns they take."""
    if pos >= end or text[pos] not in " \t":
        return pos, 0
    match = _BLANK.match(text, pos, end)
    after = match.end() if match else pos
    columns = 0
    if "\t" not in text[pos:after]:
        return after, after - pos
    for char in text[pos:after]:
        columns += 4 - columns % 4 if char == "\t" else 1
    return after, columns


def _skipped(text: str, pos: int, width: int) -> int:
    columns = 0
    while columns < width:
        columns += 4 - columns % 4 if text[pos] == "\t" else 1
        pos += 1
    return pos
