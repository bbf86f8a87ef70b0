"""Closes open markup at the end of unfinished Markdown, and holds back what is not decided yet.

A streamed text ends anywhere: inside a fence, a link or an entity. `close_open_markup` makes a text
of any prefix that renders like the beginning of the finished text. A finished text is not passed to
this module.
"""

from __future__ import annotations

import regex

from bot.render.markdown.blocks import (
    BlockKind,
    ContainerLevel,
    MarkdownBlock,
    ScannedBlocks,
    cell_separators,
)
from bot.render.markdown.inline import read_inline
from bot.render.markdown.scan import scan_blocks

_MARKERS = r"[-+]|#{1,6}|[-=*_ \t]++|[|:\- \t]++|`+|~+"
_BARE_MARKER = regex.compile(rf"(?:{_MARKERS})?[ \t]*+$")
_BARE_OR_UNFINISHED_MARKER = regex.compile(rf"(?:{_MARKERS}|\d{{1,9}}[.)]?)?[ \t]*+$")
_FENCE = regex.compile(r"```[^`]*$|~~~")
_UNFINISHED_FENCE_END = regex.compile(r" {0,3}(?:`+|~+)[ \t]*$")
_UNFINISHED_DELIMITERS = regex.compile(r"[|:\- \t]*$")
_UNFINISHED_DEFINITION = regex.compile(
    r"""\[[^\[\]]{1,300}\]:[ \t]*+\S*+(?:[ \t]++(?:"[^"]*+"?|'[^']*+'?|\([^()]*+\)?)?[ \t]*+)?$"""
)


def close_open_markup(text: str) -> str:
    """The displayable form of `text` while more text is expected."""
    end, closers = displayable_prefix(text)
    return text[:end] + closers


def close_truncated(text: str) -> str:
    """The displayable form of `text` if it broke off and no more text will come.

    All words are kept; only markers without content are removed.
    """
    found = scan_blocks(text)
    end, closers = _displayable_prefix(
        text, found, _bare_line_start(text, found), is_streaming=False
    )
    return text[:end] + closers


def displayable_prefix(text: str) -> tuple[int, str]:
    """The length of the prefix of `text` that can be displayed now, and the markup that closes it.

    The rest is held back: more text decides how it has to be displayed.
    """
    found = scan_blocks(text)
    return _displayable_prefix(text, found, _undecided_line_start(text, found), is_streaming=True)


def _displayable_prefix(
    text: str, found: ScannedBlocks, end: int, *, is_streaming: bool
) -> tuple[int, str]:
    marker = _BARE_OR_UNFINISHED_MARKER if is_streaming else _BARE_MARKER
    is_growing = is_streaming
    while end:
        found = found if end == len(text) else scan_blocks(text[:end])
        if not found.blocks:
            return 0, ""
        block = found.blocks[-1]
        stop = _displayable_end(text, end, block, is_streaming=is_streaming)
        if is_growing and _is_undecided_line_break(text, stop, block):
            stop -= 1
        start, inner = block.lines[-1]
        if stop > start and not _is_bare(text, inner, stop, block, marker):
            return stop, _closing_markup(text, stop, block)
        end = _skip_bare_lines(text, found, min(start, stop), marker)
        is_streaming = False  # the text after it has decided what it is
    return 0, ""


def _skip_bare_lines(text: str, found: ScannedBlocks, end: int, marker: regex.Pattern[str]) -> int:
    """The start of the lines before `end` that have only markers; `end` if there are none.

    They are skipped together: scanning the text again for each of them would take quadratic time.
    """
    for block in reversed(found.blocks):
        alone = 2 if block.kind is BlockKind.TABLE else 0
        if block.kind is BlockKind.HEADING and len(block.lines) > 1:
            return end
        for index in range(len(block.lines) - 1, alone - 1, -1):
            start, inner = block.lines[index]
            if start < end:
                stop = _trim_markers(text, inner, end)
                if not _is_bare(text, inner, stop, block, marker):
                    return end
                end = start
        if alone and block.start < end:
            return end
    return end


def closing_markup(text: str) -> str:
    """The markup that closes everything that is open at the end of `text`."""
    blocks = scan_blocks(text).blocks
    if not blocks or (blocks[-1].end < len(text) and _is_running_text(blocks[-1])):
        return ""
    return _closing_markup(text, len(text), blocks[-1])


def line_prefix(levels: tuple[ContainerLevel, ...]) -> str:
    """The start of a line that belongs to `levels`."""
    return "".join("> " if level.is_quote else " " * level.content_indent for level in levels)


def _undecided_line_start(text: str, found: ScannedBlocks) -> int:
    """The start of the last line if its kind is not decided yet; otherwise the end."""
    start, inner = found.last_line
    block = found.blocks[-1] if found.blocks else None
    if block is None or block.kind is BlockKind.FENCE:
        return (
            start if block is None and _BARE_OR_UNFINISHED_MARKER.match(text, inner) else len(text)
        )
    if start < len(text) and block.start < start <= block.lines[-1][0]:
        above = block.lines[-2]
        if _may_be_table_header(text, above, block) and _UNFINISHED_DELIMITERS.match(text, inner):
            return above[0]
    if start < len(text) and _BARE_OR_UNFINISHED_MARKER.match(text, inner):
        return start
    if block.kind is BlockKind.TEXT and block.end == len(text):
        line, content = block.lines[-1]
        if text[content] == "|" or _UNFINISHED_DEFINITION.match(text, content):
            return line
    return len(text)


def _bare_line_start(text: str, found: ScannedBlocks) -> int:
    """The start of the last line if it has only markers; otherwise the end."""
    start, inner = found.last_line
    fenced = bool(found.blocks) and found.blocks[-1].kind is BlockKind.FENCE
    return start if not fenced and _BARE_MARKER.match(text, inner) else len(text)


def _may_be_table_header(text: str, line: tuple[int, int], block: MarkdownBlock) -> bool:
    """Whether a line that starts with a bar may become, or just became, a table's header."""
    return text[line[1]] == "|" and (block.kind is not BlockKind.TABLE or len(block.lines) == 2)


def _displayable_end(text: str, end: int, block: MarkdownBlock, *, is_streaming: bool) -> int:
    """The displayable length of a text, given its last block."""
    if block.kind is BlockKind.FENCE:
        return _fence_displayable_end(text, end, block)
    if not _is_running_text(block):
        return len(text[:end].rstrip())
    start = _running_text_start(text, end, block)
    stop = read_inline(text, start, end, unfinished=True).undecided_start if is_streaming else end
    stop = _trim_markers(text, block.start, stop)
    return stop + 1 if _is_escaped(text, stop) else stop


def _is_undecided_line_break(text: str, stop: int, block: MarkdownBlock) -> bool:
    """Whether a backslash before `stop` ends its line: it is shown only if the block ends there,
    which the next line decides."""
    if block.kind is not BlockKind.TEXT or text[stop : stop + 1] != "\n":
        return False
    head = text[:stop]
    return (len(head) - len(head.rstrip("\\"))) % 2 == 1


def _trim_markers(text: str, start: int, stop: int) -> int:
    """The end of a stretch without trailing blanks and markers of emphasis and code."""
    while stop > start and (text[stop - 1].isspace() or text[stop - 1] in "*_~`"):
        stop -= 1
    return stop


def _fence_displayable_end(text: str, end: int, block: MarkdownBlock) -> int:
    if block.is_closed:
        return len(text[:end].rstrip())
    line, inner = block.lines[-1]
    if len(block.lines) == 1 or not text[block.lines[1][0] : end].strip():
        return block.start
    if _UNFINISHED_FENCE_END.match(text, inner, end):
        end = line
    return len(text[:end].rstrip())


def _is_bare(
    text: str, inner: int, stop: int, block: MarkdownBlock, marker: regex.Pattern[str]
) -> bool:
    """Whether the last line has only markers, or the opening of a fence."""
    if block.kind in (BlockKind.FENCE, BlockKind.CODE, BlockKind.RULE):
        return False
    if len(block.lines) == 2 and block.kind in (BlockKind.HEADING, BlockKind.TABLE):
        return False
    bare = marker.match(text, inner, stop) or _FENCE.match(text, inner, stop)
    return stop <= inner or bool(bare)


def _closing_markup(text: str, end: int, block: MarkdownBlock) -> str:
    if block.kind is BlockKind.FENCE:
        return "" if block.is_closed else f"\n{line_prefix(block.levels)}{block.marker}"
    if not _is_running_text(block):
        return ""
    start = _running_text_start(text, end, block)
    return "".join(reversed(read_inline(text, start, end, unfinished=True).open_markers))


def _is_running_text(block: MarkdownBlock) -> bool:
    return block.kind in (BlockKind.TEXT, BlockKind.HEADING, BlockKind.TABLE)


def _running_text_start(text: str, end: int, block: MarkdownBlock) -> int:
    """The start of the running text that ends at `end`: of a table, the last cell."""
    if block.kind is not BlockKind.TABLE:
        return block.content_start
    inner = block.lines[-1][1]
    return max([inner, *(pipe + 1 for pipe in cell_separators(text, inner, end))])


def _is_escaped(text: str, stop: int) -> bool:
    """Whether a backslash escapes the marker at `stop`."""
    head = text[:stop]
    odd = (len(head) - len(head.rstrip("\\"))) % 2 == 1
    return odd and stop < len(text) and text[stop] in "*_~`"
