"""Unfinished markdown made whole: what is open is closed, what can't be told yet is held back.

While an answer streams, its text ends anywhere: inside a fence, a link, half an entity. `whole`
makes of any beginning something that renders as the finished text will, as far as it goes.
The finished text itself never comes here.
"""

from __future__ import annotations

import regex

from bot.render.markdown.blocks import Block, Kind, Level, Scan, pipes
from bot.render.markdown.inline import read
from bot.render.markdown.scan import scan

_MARKERS = r"[-+]|#{1,6}|[-=*_ \t]++|[|:\- \t]++|`+|~+"
_BARE = regex.compile(rf"(?:{_MARKERS})?[ \t]*+$")
_MARKER = regex.compile(rf"(?:{_MARKERS}|\d{{1,9}}[.)]?)?[ \t]*+$")
_FENCE = regex.compile(r"```[^`]*$|~~~")
_FENCE_END_BEGUN = regex.compile(r" {0,3}(?:`+|~+)[ \t]*$")
_DELIMITERS_BEGUN = regex.compile(r"[|:\- \t]*$")
_DEFINITION_BEGUN = regex.compile(
    r"""\[[^\[\]]{1,300}\]:[ \t]*+\S*+(?:[ \t]++(?:"[^"]*+"?|'[^']*+'?|\([^()]*+\)?)?[ \t]*+)?$"""
)


def whole(text: str) -> str:
    """Return `text`, the beginning of some markdown, as it can be shown while more comes."""
    end, closers = settled(text)
    return text[:end] + closers


def broken_off(text: str) -> str:
    """Return `text`, which ended in the middle, with what is open closed.

    All words are kept: only markers with nothing behind them go.
    """
    found = scan(text)
    end, closers = _settled(text, found, _bare_line_start(text, found), waits=False)
    return text[:end] + closers


def settled(text: str) -> tuple[int, str]:
    """Return how much of `text` can be shown before more of it is known, and what closes that."""
    found = scan(text)
    return _settled(text, found, _undecided_line_start(text, found), waits=True)


def _settled(text: str, found: Scan, end: int, *, waits: bool) -> tuple[int, str]:
    marker = _MARKER if waits else _BARE
    while end:
        found = found if end == len(text) else scan(text[:end])
        if not found.blocks:
            return 0, ""
        block = found.blocks[-1]
        stop = _shown_end(text, end, block, waits=waits)
        start, inner = block.lines[-1]
        if stop > start and not _bare(text, inner, stop, block, marker):
            return stop, _closers(text, stop, block)
        end = _above_bare(text, found, min(start, stop), marker)
        waits = False  # what stands there is told by what follows it
    return 0, ""


def _above_bare(text: str, found: Scan, end: int, marker: regex.Pattern[str]) -> int:
    """Return where the lines that are nothing but markers begin above a place, else the place.

    Each of them would be the next to be taken away; looking at a text once for each of them takes
    time that grows with the square of their number.
    """
    for block in reversed(found.blocks):
        alone = 2 if block.kind is Kind.TABLE else 0
        if block.kind is Kind.HEADING and len(block.lines) > 1:
            return end
        for index in range(len(block.lines) - 1, alone - 1, -1):
            start, inner = block.lines[index]
            if start < end:
                stop = _trimmed(text, inner, end)
                if not _bare(text, inner, stop, block, marker):
                    return end
                end = start
        if alone and block.start < end:
            return end
    return end


def closing(text: str) -> str:
    """Return what closes everything that `text` leaves open."""
    blocks = scan(text).blocks
    if not blocks or (blocks[-1].end < len(text) and _running(blocks[-1])):
        return ""
    return _closers(text, len(text), blocks[-1])


def margin(levels: tuple[Level, ...]) -> str:
    """Return what a line starts with to stand in `levels`."""
    return "".join("> " if level.quote else " " * level.width for level in levels)


def _undecided_line_start(text: str, found: Scan) -> int:
    """Return where the last line starts if it can't be told yet what it is, else the end."""
    start, inner = found.last
    block = found.blocks[-1] if found.blocks else None
    if block is None or block.kind is Kind.FENCE:
        return start if block is None and _MARKER.match(text, inner) else len(text)
    if start < len(text) and block.start < start <= block.lines[-1][0]:
        above = block.lines[-2]
        if _header(text, above, block) and _DELIMITERS_BEGUN.match(text, inner):
            return above[0]
    if start < len(text) and _MARKER.match(text, inner):
        return start
    if block.kind is Kind.TEXT and block.end == len(text):
        line, content = block.lines[-1]
        if text[content] == "|" or _DEFINITION_BEGUN.match(text, content):
            return line
    return len(text)


def _bare_line_start(text: str, found: Scan) -> int:
    """Return where the last line starts if it holds nothing but markers, else the end."""
    start, inner = found.last
    fenced = bool(found.blocks) and found.blocks[-1].kind is Kind.FENCE
    return start if not fenced and _BARE.match(text, inner) else len(text)


def _header(text: str, line: tuple[int, int], block: Block) -> bool:
    """Say whether a line that starts with a bar may be, or just became, a table's first."""
    return text[line[1]] == "|" and (block.kind is not Kind.TABLE or len(block.lines) == 2)


def _shown_end(text: str, end: int, block: Block, *, waits: bool) -> int:
    """Return how much can be shown, given the last block and that its last line can."""
    if block.kind is Kind.FENCE:
        return _held_in_fence(text, end, block)
    if not _running(block):
        return len(text[:end].rstrip())
    start = _stretch(text, end, block)
    stop = read(text, start, end, unfinished=True).pending if waits else end
    stop = _trimmed(text, block.start, stop)
    return stop + 1 if _escapes(text, stop) else stop


def _trimmed(text: str, start: int, stop: int) -> int:
    """Return where the blanks and markers of emphasis and code start that end a stretch."""
    while stop > start and (text[stop - 1].isspace() or text[stop - 1] in "*_~`"):
        stop -= 1
    return stop


def _held_in_fence(text: str, end: int, block: Block) -> int:
    if block.closed:
        return len(text[:end].rstrip())
    line, inner = block.lines[-1]
    if len(block.lines) == 1 or not text[block.lines[1][0] : end].strip():
        return block.start
    if _FENCE_END_BEGUN.match(text, inner, end):
        end = line
    return len(text[:end].rstrip())


def _bare(text: str, inner: int, stop: int, block: Block, marker: regex.Pattern[str]) -> bool:
    """Say whether nothing but markers is left of the last line, or what would open a fence."""
    if block.kind in (Kind.FENCE, Kind.CODE, Kind.RULE):
        return False
    if len(block.lines) == 2 and block.kind in (Kind.HEADING, Kind.TABLE):
        return False
    bare = marker.match(text, inner, stop) or _FENCE.match(text, inner, stop)
    return stop <= inner or bool(bare)


def _closers(text: str, end: int, block: Block) -> str:
    if block.kind is Kind.FENCE:
        return "" if block.closed else f"\n{margin(block.levels)}{block.marker}"
    if not _running(block):
        return ""
    start = _stretch(text, end, block)
    return "".join(reversed(read(text, start, end, unfinished=True).open))


def _running(block: Block) -> bool:
    return block.kind in (Kind.TEXT, Kind.HEADING, Kind.TABLE)


def _stretch(text: str, end: int, block: Block) -> int:
    """Return where the running text starts that reaches to `end`."""
    if block.kind is not Kind.TABLE:
        return block.inner
    inner = block.lines[-1][1]
    return max([inner, *(pipe + 1 for pipe in pipes(text, inner, end))])


def _escapes(text: str, stop: int) -> bool:
    """Say whether the marker at `stop` stands behind an odd number of backslashes."""
    head = text[:stop]
    odd = (len(head) - len(head.rstrip("\\"))) % 2 == 1
    return odd and stop < len(text) and text[stop] in "*_~`"
