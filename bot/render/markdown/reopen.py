"""Opens markup again after a cut.

A fence is repeated with its language, a table with its header, emphasis with its markers, and a
list item as `3. …`, so that numbers and nesting stay the same.
"""

from __future__ import annotations

from bot.render.markdown.blocks import (
    BlockKind,
    ContainerLevel,
    MarkdownBlock,
    cell_separators,
    find_line_content,
)
from bot.render.markdown.close import line_prefix
from bot.render.markdown.inline import read_inline
from bot.render.markdown.scan import scan_blocks

# Text after a cut that is needed to determine its block and the first line after it.
LOOK_AHEAD_CHARACTERS = 400
_MAX_INFO_CHARACTERS = 100


def reopen_at(text: str, at: int) -> tuple[int, str]:
    """The place where a text resumes after a cut at `at`, and the markup to open before it."""
    done = at
    for block in scan_blocks(text[: at + LOOK_AHEAD_CHARACTERS]).blocks:
        if block.start >= at:
            markers = text[done : block.start].strip(" \t\n>")
            return reopen_before(text, block) if not markers else (done, "")
        if text[at : _content_end(block)].strip():
            return _reopen_inside(text, at, block)
        done = max(done, block.end)
    return done, ""


def _content_end(block: MarkdownBlock) -> int:
    return block.lines[-1][0] if block.is_closed else block.end


def reopen_before(text: str, block: MarkdownBlock) -> tuple[int, str]:
    """The same for a cut before a block: only list items that it continues are opened again."""
    kept, new = block.levels[: block.continued_levels], block.levels[block.continued_levels :]
    opening = "" if all(level.is_quote for level in kept) else _item_stubs(kept)
    if not new or not new[0].number or new[0].marker[:-1] == str(new[0].number):
        return block.start, opening
    marker = text.index(new[0].marker, find_line_content(text, *block.lines[0], kept)[0][0])
    below = text.find("\n", block.content_start) + 1
    nested = bool(below) and text.startswith((" ", "\t"), below)
    head = _item_marker(new[0]) if nested else " " * new[0].indent + _numbered_marker(new[0])
    return marker + len(new[0].marker), opening + line_prefix(kept) + head


def _reopen_inside(text: str, at: int, block: MarkdownBlock) -> tuple[int, str]:
    """The same for a cut inside a block; markers of its next line are skipped."""
    ahead = (inner for start, inner in block.lines if start >= at and not text[at:start].strip())
    line = next(ahead, None)
    resume = at if line is None else line
    side = line_prefix(block.levels)
    match block.kind:
        case BlockKind.FENCE:
            fence = f"{block.marker}{block.info[:_MAX_INFO_CHARACTERS]}\n"
            return resume, f"{_item_stubs(block.levels)}{side}{fence}{side}"
        case BlockKind.TABLE:
            return resume, _reopen_table(text, at, block, whole_row=line is not None)
        case BlockKind.CODE:
            return resume, _item_stubs(block.levels) + side + ("    " if line is None else "")
    resume += len(text[resume:]) - len(text[resume:].lstrip(" \t"))
    return resume, _same_line_prefix(block.levels) + _open_markers(text, block.content_start, at)


def _reopen_table(text: str, at: int, block: MarkdownBlock, *, whole_row: bool) -> str:
    (_, head), (below, delimiters), *_ = [*block.lines, (at, at)]
    if at <= delimiters:
        return _same_line_prefix(block.levels)
    side = line_prefix(block.levels)
    rows = block.lines[2][0] if len(block.lines) > 2 else block.end
    header = f"{side}{text[head:below].rstrip()}\n{side}{text[delimiters:rows].rstrip()}\n{side}"
    if whole_row:
        return _item_stubs(block.levels) + header
    inner = next(inner for start, inner in reversed(block.lines) if start <= at)
    bars = cell_separators(text, inner, at)
    before = len(bars) + (not text.startswith("|", inner))
    cell = max([inner, *(bar + 1 for bar in bars)])
    return _item_stubs(block.levels) + header + "| " * before + _open_markers(text, cell, at)


def _open_markers(text: str, start: int, at: int) -> str:
    return "".join(read_inline(text, start, at, unfinished=True).open_markers)


def _item_stubs(levels: tuple[ContainerLevel, ...]) -> str:
    """A line for each list item among `levels`, so that the following lines belong to it."""
    return "".join(
        f"{line_prefix(levels[:depth])}{_item_marker(level)} …\n"
        for depth, level in enumerate(levels)
        if not level.is_quote
    )


def _same_line_prefix(levels: tuple[ContainerLevel, ...]) -> str:
    """The markup that opens `levels` for text in the same line."""
    if levels and not levels[-1].is_quote:
        return _item_stubs(levels)[:-1] + " "
    return _item_stubs(levels) + line_prefix(levels)


def _item_marker(level: ContainerLevel) -> str:
    """A list item's marker with its number, unless a longer marker would indent its content."""
    head = _numbered_marker(level)
    return " " * level.indent + (head if len(head) <= len(level.marker) else level.marker)


def _numbered_marker(level: ContainerLevel) -> str:
    return f"{level.number}{level.marker[-1]}" if level.number else level.marker
