"""What a text goes on with after a cut: what was open there is opened again.

A fence comes back with its language, a table with its header, emphasis with its markers, and a
list item as `3. …`, so that numbers and nesting stay as they were.
"""

from __future__ import annotations

from bot.render.markdown.blocks import Block, Kind, Level, behind, pipes
from bot.render.markdown.close import margin
from bot.render.markdown.inline import read
from bot.render.markdown.scan import scan

# Enough of what follows a cut to know the block it stands in and the first line behind it.
LOOK_AHEAD = 400
_LONGEST_INFO = 100


def reopened(text: str, at: int) -> tuple[int, str]:
    """Return where a text that was cut `at` a place goes on, and what is opened before it."""
    done = at
    for block in scan(text[: at + LOOK_AHEAD]).blocks:
        if block.start >= at:
            markers = text[done : block.start].strip(" \t\n>")
            return before(text, block) if not markers else (done, "")
        if text[at : _content_end(block)].strip():
            return _inside(text, at, block)
        done = max(done, block.end)
    return done, ""


def _content_end(block: Block) -> int:
    return block.lines[-1][0] if block.closed else block.end


def before(text: str, block: Block) -> tuple[int, str]:
    """Return the same for a cut before a block: only items it continues are named again."""
    kept, new = block.levels[: block.kept], block.levels[block.kept :]
    opening = "" if all(level.quote for level in kept) else _stubs(kept)
    if not new or not new[0].number or new[0].marker[:-1] == str(new[0].number):
        return block.start, opening
    marker = text.index(new[0].marker, behind(text, *block.lines[0], kept)[0][0])
    below = text.find("\n", block.inner) + 1
    nested = bool(below) and text.startswith((" ", "\t"), below)
    head = _head(new[0]) if nested else " " * new[0].indent + _numbered(new[0])
    return marker + len(new[0].marker), opening + margin(kept) + head


def _inside(text: str, at: int, block: Block) -> tuple[int, str]:
    """Go on in the middle of a block, behind the markers its next line starts with."""
    ahead = (inner for start, inner in block.lines if start >= at and not text[at:start].strip())
    line = next(ahead, None)
    resume = at if line is None else line
    side = margin(block.levels)
    match block.kind:
        case Kind.FENCE:
            fence = f"{block.marker}{block.info[:_LONGEST_INFO]}\n"
            return resume, f"{_stubs(block.levels)}{side}{fence}{side}"
        case Kind.TABLE:
            return resume, _table(text, at, block, whole_row=line is not None)
        case Kind.CODE:
            return resume, _stubs(block.levels) + side + ("    " if line is None else "")
    resume += len(text[resume:]) - len(text[resume:].lstrip(" \t"))
    return resume, _in_line(block.levels) + _markers(text, block.inner, at)


def _table(text: str, at: int, block: Block, *, whole_row: bool) -> str:
    (_, head), (below, delimiters), *_ = [*block.lines, (at, at)]
    if at <= delimiters:
        return _in_line(block.levels)
    side = margin(block.levels)
    rows = block.lines[2][0] if len(block.lines) > 2 else block.end
    header = f"{side}{text[head:below].rstrip()}\n{side}{text[delimiters:rows].rstrip()}\n{side}"
    if whole_row:
        return _stubs(block.levels) + header
    inner = next(inner for start, inner in reversed(block.lines) if start <= at)
    bars = pipes(text, inner, at)
    before = len(bars) + (not text.startswith("|", inner))
    cell = max([inner, *(bar + 1 for bar in bars)])
    return _stubs(block.levels) + header + "| " * before + _markers(text, cell, at)


def _markers(text: str, start: int, at: int) -> str:
    return "".join(read(text, start, at, unfinished=True).open)


def _stubs(levels: tuple[Level, ...]) -> str:
    """Return a line for each list item among `levels`, so that what follows can stand in it."""
    return "".join(
        f"{margin(levels[:depth])}{_head(level)} …\n"
        for depth, level in enumerate(levels)
        if not level.quote
    )


def _in_line(levels: tuple[Level, ...]) -> str:
    """Return what opens `levels` for text that goes on in the same line."""
    if levels and not levels[-1].quote:
        return _stubs(levels)[:-1] + " "
    return _stubs(levels) + margin(levels)


def _head(level: Level) -> str:
    """Return a list item's marker with its number, unless that would move what stands in it."""
    head = _numbered(level)
    return " " * level.indent + (head if len(head) <= len(level.marker) else level.marker)


def _numbered(level: Level) -> str:
    return f"{level.number}{level.marker[-1]}" if level.number else level.marker
