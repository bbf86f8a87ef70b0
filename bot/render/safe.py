"""What a model or a person wrote, made unable to ping, to link elsewhere, or to pretend.

A zero-width space (U+200B) behind a `<` breaks Slack's `<!channel>`, `<@U…>`, `<#C…>` and
`<url|label>` wherever they stand. We break instead of escaping with `&lt;` because whether Slack
shows `&lt;` in code as `<` is not established (slack-facts §10), because an escape is undone by
whoever decodes it once more, and because broken text looks the same to its reader in prose and
in code. What is none of these forms, `a < b` or `Vec<T>`, stays as it was written.

What links may do is the business of links.py.
"""

from __future__ import annotations

import html
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

import regex

from bot.render.blocks import Block, Kind, pipes
from bot.render.inline import read
from bot.render.links import BREAK, Edit, Stretch, link_edits
from bot.render.scan import scan

# The bytes one `<` or one `]` may cost more than it was written with: one break each.
BREAK_BYTES = len(BREAK.encode())

_UNCLEAN = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_LESS = regex.compile(
    r"""<|&(?:(?:amp|AMP);|\#0*+38;|\#[xX]0*+26;)*+
        (?:(?:lt|LT);?|\#0*+60;?|\#[xX]0*+3[cC];?)""",
    regex.X,
)
_UNSEEN = r"\p{Cf}\p{Mn}\\`"
_UNSEEN_IN_CODE = regex.compile(rf"[{_UNSEEN}]*+(.{{0,12}})", regex.S)
_UNSEEN_IN_PROSE = regex.compile(rf"\n?[{_UNSEEN}*_~\[\]()]*+(.{{0,12}})", regex.S)
# `\n?` here and in _WORD: a reader who joins lines takes the line break away.
# What begins one of Slack's forms, and `?`, which with the tags below hides text from some readers.
_STARTS = ("!", "@", "#", "<", "?")
_RAW = regex.compile(r"(?:script|pre|style|textarea)\b", regex.I)
_TAG = regex.compile(r"</?[a-zA-Z]")
_NO_COMMAND = regex.compile(r"!(?:doctype\b|--|\[)", regex.I)
_SCHEME = regex.compile(rf"[{_UNSEEN}*_~\[\]()]*+[a-zA-Z][\w+.-]*+:")
_WORD = regex.compile(r"\n?[^\s<>]{0,3000}")
_LINE = regex.compile(r"[^\n<>]{0,3000}")
_AUTOLINK = regex.compile(
    r"(?:(?:https?://|mailto:)[^\s<>|\\`]++|[\w.!#$%'*+/=?^{}~-]++@[\w.-]++)>", regex.I
)


def inert(text: str) -> str:
    """Return markdown `text` with nothing in it live for Slack; twice is the same as once."""
    text = clean(text)
    if "<" not in text and "&" not in text and not _may_link(text):
        return text
    return _edited(text, _edits(text))


def inert_beginning(text: str, end: int) -> str:
    """Return how `inert` clean `text` begins: what has become of its first `end` characters."""
    return _edited(text[:end], [edit for edit in _edits(text) if edit[0] < end])


def inert_line(text: str) -> str:
    """Return plain `text`, no markdown, with nothing in it live for Slack."""
    text = clean(text)
    return _edited(text, list(_breaks(text, [])))


def escaped(text: str) -> str:
    """Return plain `text` for a mrkdwn field: inert, with Slack's escapes (slack-facts §3.2)."""
    return inert_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clean(text: str) -> str:
    """Return `text` without control characters and halves of characters, equally long."""
    return _UNCLEAN.sub(lambda match: " " if match[0] in "\r\v\f" else "\ufffd", text)


def _edits(text: str) -> list[Edit]:
    stretches, codes = _survey(text)
    edits = [edit for stretch in stretches for edit in link_edits(text, stretch)]
    return sorted([*edits, *_breaks(text, codes)])


def _survey(text: str) -> tuple[list[Stretch], list[tuple[int, int]]]:
    """Find the stretches of running text that may hold links, and where code is."""
    stretches: list[Stretch] = []
    codes: list[tuple[int, int]] = []
    above: Block | None = None
    for block in scan(text).blocks:
        if block.kind is Kind.FENCE:
            inside = block.lines[1][0] if len(block.lines) > 1 else block.end
            codes.append((inside, block.end))
            if in_tag(text, block, above):
                stretches.append(_stretch(text, inside, block.end, prose=False))
        else:
            prose = block.kind is not Kind.CODE
            found = [_stretch(text, *place, prose=prose) for place in _parts(text, block)]
            stretches += found
            codes += [code for stretch in found for code in stretch.found.codes]
        above = block
    return stretches, codes


def _parts(text: str, block: Block) -> Iterator[tuple[int, int]]:
    """Yield where code spans and links can begin and end, and where there may be any."""
    whole = [(block.inner, block.end)]
    for start, end in _cells(text, block) if block.kind is Kind.TABLE else whole:
        part = text[start:end]
        if _may_link(part) or ("`" in part and ("<" in part or "&" in part)):
            yield start, end


def _cells(text: str, table: Block) -> Iterator[tuple[int, int]]:
    ends = [*(start for start, _ in table.lines[1:]), table.end]
    for (_, start), end in zip(table.lines, ends, strict=True):
        bars = [start - 1, *pipes(text, start, end), end]
        yield from ((bar + 1, bar_after) for bar, bar_after in pairwise(bars))


def _stretch(text: str, start: int, end: int, *, prose: bool) -> Stretch:
    return Stretch(start, end, read(text, start, end), prose)


def in_tag(text: str, block: Block, above: Block | None) -> bool:
    """Say whether readers of HTML may take a fence for a part of what stands above it."""
    return above is not None and not block.fresh and bool(_TAG.match(text, above.inner))


def _may_link(text: str) -> bool:
    return "](" in text or "][" in text or "]:" in text


def _breaks(text: str, codes: list[tuple[int, int]]) -> Iterator[Edit]:
    """Yield a break behind every `<`, however it is spelled, that may begin a form of Slack's."""
    starts = [start for start, _ in codes]
    for match in _LESS.finditer(text):
        at = match.end()
        if text.startswith(BREAK, at):
            continue
        index = bisect_right(starts, match.start()) - 1
        in_code = index >= 0 and match.start() < codes[index][1]
        if _live_in_code(text, at) if in_code else _live(text, at, match[0]):
            yield at, at, BREAK


def _live(text: str, at: int, less: str) -> bool:
    """Say whether what follows a `<` in prose may be live, whatever markup is taken away."""
    word = html.unescape(_found(_WORD, text, at))
    if "|" in word:
        return True
    if less == "<" and _AUTOLINK.match(text, at):
        return False
    if _ahead(_UNSEEN_IN_PROSE, text, at)[:1] in _STARTS:
        return True
    return bool(_SCHEME.match(word) or _RAW.match(word))


def _live_in_code(text: str, at: int) -> bool:
    """Say the same of code, where `<!--`, `<!doctype` and `<# ` are nothing of Slack's."""
    ahead = _ahead(_UNSEEN_IN_CODE, text, at)
    if ahead.startswith("!"):
        return not _NO_COMMAND.match(ahead)
    if ahead.startswith(("@", "#")):
        return ahead[1:2].isalnum()
    line = html.unescape(_found(_LINE, text, at))
    return "|" in line and bool(_SCHEME.match(line))


def _ahead(unseen: regex.Pattern[str], text: str, at: int) -> str:
    match = unseen.match(text, at)
    return html.unescape(match[1]) if match else ""


def _found(pattern: regex.Pattern[str], text: str, at: int) -> str:
    match = pattern.match(text, at)
    return match[0] if match else ""


def _edited(text: str, edits: list[Edit]) -> str:
    pieces, done = [], 0
    for start, end, new in edits:
        pieces += [text[done:start], new]
        done = max(done, end)
    return "".join([*pieces, text[done:]])
