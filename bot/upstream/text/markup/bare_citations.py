"""Citation marks that lost their private-use characters: `citeturn0search0`. Pure.

Some proxies remove those characters from a text or replace them by blanks. The rest of a mark is
recognised only by the form of its sources, `turn0search0` or `turn0file1`. Marks as models write
them are in `citations`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.upstream.text.markup.citations import MARK_FIELD, CitationMark

_COUNT = r"(?:0|[1-9]\d{0,3})"
_SOURCE = rf"turn{_COUNT}[a-z]{{3,12}}{_COUNT}"
_FILE = rf"turn{_COUNT}file{_COUNT}"
_LINES = r"L\d{1,5}(?:-L?\d{1,5})?| L\d{1,5}-L\d{1,5}"
_LINES_BEGUN = r" ?L(?:\d{1,5}(?:-(?:L\d{0,5}|\d{1,5})?)?)?"
# Sources after the first; keeps a mark below `citations.MAX_MARK_CHARACTERS`.
_MAX_MORE_SOURCES = 10


def _prefix_pattern(*steps: str) -> str:
    """Return a pattern that matches any non-empty prefix of the sequence `steps`."""
    *before, pattern = steps
    for step in reversed(before):
        pattern = f"{step}(?:{pattern})?"
    return pattern


def _cite(gap: str) -> str:
    return _prefix_pattern(*"cite", gap, *"turn", _COUNT, "[a-z]{1,12}", _COUNT)


def _filecite(gap: str) -> str:
    return _prefix_pattern(*"filecite", gap, *"turn", _COUNT, *"file", _COUNT)


@dataclass(frozen=True, slots=True)
class _MarkPatterns:
    """The forms of a mark: `complete`, `unfinished` at the end of a text that goes on, and
    `truncated` at the end of one that does not."""

    complete: re.Pattern[str]
    unfinished: re.Pattern[str]
    truncated: re.Pattern[str]


def _compile_patterns(gap: str) -> _MarkPatterns:
    """Return the patterns with `gap` in place of the lost characters."""
    sources = (
        f"(?:filecite{gap}{_FILE}|cite{gap}{_SOURCE})(?:{gap}{_SOURCE}){{0,{_MAX_MORE_SOURCES}}}"
    )
    next_one = _prefix_pattern(gap, *"turn", _COUNT, "[a-z]{1,12}", _COUNT)
    going_on = f"{sources}(?:{next_one}|{_LINES_BEGUN})"
    name = rf"turn{_COUNT}[a-z]{{0,12}}"
    first = rf"(?:file)?cite(?:{name}|{gap}{name}(?<=[a-z]))"
    return _MarkPatterns(
        re.compile(f"{sources}(?:{_LINES})?"),
        re.compile(rf"(?:{_filecite(gap)}|{_cite(gap)}|{going_on})\Z"),
        re.compile(rf"(?:{first}|{sources}{gap}{name})\Z"),
    )


_SPACED_PATTERNS, _JOINED_PATTERNS = (
    _compile_patterns(f"[ {MARK_FIELD}]?"),
    _compile_patterns(f"{MARK_FIELD}?"),
)


def read_bare_citation(text: str, at: int, *, before: str, is_final: bool) -> CitationMark | None:
    """Read the mark that may begin at `at`; None if more text is needed to decide.

    `before` is the preceding character: after a letter only a mark without blanks counts.
    `is_final`: no more text comes, so a truncated mark counts as well.
    """
    form = _JOINED_PATTERNS if before.lower() != before.upper() else _SPACED_PATTERNS
    if not is_final and form.unfinished.match(text, at):
        return None
    found = (form.truncated.match(text, at) if is_final else None) or form.complete.match(text, at)
    if found is None:
        return CitationMark(at + 1, text[at], is_dropped=False)
    blanks = " " in found[0] and not before.strip()  # a blank for each lost character
    return CitationMark(found.end() + (blanks and text.startswith(" ", found.end())))
