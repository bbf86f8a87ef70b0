"""Citation marks in a text: where one ends, and what is shown in its place. Pure.

Models with a search tool write `U+E200 kind U+E202 field … U+E201`; the sources themselves come as
annotations. Models with a file search write `【4:0†source】`. A mark is dropped, unless it contains
words of the sentence: the name of an entity or the label of a link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

MARK_OPEN, MARK_CLOSE, MARK_FIELD = "\ue200", "\ue201", "\ue202"
# Longer than any known mark: without its end by then, it is no mark.
MAX_MARK_CHARACTERS = 400
# A kind is followed by a field, by JSON, or by the end of the mark.
_KIND = re.compile("\ue200([a-z_]{1,32})(?=[\ue201\ue202\\[{(])")
_UNFINISHED_MARK = re.compile("\ue200(?:[a-z_]{0,32}\\Z|[a-z_]{1,32}[\ue202\\[{(])")
_FILE_MARK = re.compile(r"【\d{0,4}(?::\d{1,4})?†[^】\n]{0,100}】")
_UNFINISHED_FILE_MARK = re.compile(r"【\d{0,4}(?::\d{0,4})?(?:†[^】\n]{0,100})?\Z")
_REFERENCE = re.compile(r"turn\d+\w+")


@dataclass(frozen=True, slots=True)
class CitationMark:
    """A mark that ends before `end`; `shown_text` is shown in its place."""

    end: int
    shown_text: str = ""
    is_dropped: bool = True


def read_citation(text: str, at: int, *, is_final: bool) -> CitationMark | None:
    """Read the mark that begins at `at`; None if more text is needed to decide.

    `is_final`: no more text comes, so a truncated mark counts as well.
    """
    if text[at] == "【":
        return _file_mark(text, at, is_final)
    if text[at] != MARK_OPEN:
        return CitationMark(at + 1)  # a fragment of a mark
    kind = _KIND.match(text, at)
    if kind is None:
        if _UNFINISHED_MARK.match(text, at):
            return CitationMark(len(text)) if is_final else None
        return CitationMark(at + 1)
    end = text.find(MARK_CLOSE, at, at + MAX_MARK_CHARACTERS)
    if end >= 0:
        return _complete_mark(text[kind.end() : end], kind[1], end + 1)
    if len(text) - at >= MAX_MARK_CHARACTERS:
        return CitationMark(kind.end())
    return CitationMark(len(text)) if is_final else None


def _file_mark(text: str, at: int, is_final: bool) -> CitationMark | None:
    if found := _FILE_MARK.match(text, at):
        return CitationMark(found.end())
    if _UNFINISHED_FILE_MARK.match(text, at):
        if not is_final:
            return None
        if "†" in text[at:]:
            return CitationMark(len(text))
    return CitationMark(at + 1, text[at], is_dropped=False)


def _complete_mark(inside: str, kind: str, end: int) -> CitationMark:
    words = _shown_text(inside, kind)
    return CitationMark(end, words, is_dropped=not words)


def _shown_text(inside: str, kind: str) -> str:
    """Return the words of the sentence inside a mark; "" for most kinds."""
    if kind == "entity":
        return _entity_name(inside.strip(MARK_FIELD))
    if kind in {"url", "link"}:
        label = inside.strip(MARK_FIELD).split(MARK_FIELD)[0].strip()
        return "" if _REFERENCE.match(label) else label
    return ""


def _entity_name(inside: str) -> str:
    """Return the name in `["city","Paris","capital"]`."""
    try:
        value = msgspec.json.decode(inside)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    names = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
    return names[1] if len(names) > 1 else ""
