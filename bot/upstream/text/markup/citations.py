"""Citation marks in a text: where one ends, and what its reader gets in its place. Pure.

Models with a search tool write `U+E200 kind U+E202 field … U+E201`; the sources themselves come as
annotations. Those with a file search write `【4:0†source】`. A mark is dropped, unless it carries
words of the sentence: an entity's name, a link's label.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

OPEN, CLOSE, FIELD = "\ue200", "\ue201", "\ue202"
# Longer than any mark that was seen: what is not closed by then is no mark.
LONGEST_MARK = 400
# A kind is followed by a field, by JSON, or by the end of the mark.
_KIND = re.compile("\ue200([a-z_]{1,32})(?=[\ue201\ue202\\[{(])")
_BEGUN = re.compile("\ue200(?:[a-z_]{0,32}\\Z|[a-z_]{1,32}[\ue202\\[{(])")
_FILE_MARK = re.compile(r"【\d{0,4}(?::\d{1,4})?†[^】\n]{0,100}】")
_FILE_BEGUN = re.compile(r"【\d{0,4}(?::\d{0,4})?(?:†[^】\n]{0,100})?\Z")
_REFERENCE = re.compile(r"turn\d+\w+")


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that ends before `end`; its reader gets `words`. None: its end has not come."""

    end: int
    words: str = ""
    dropped: bool = True


def mark_at(text: str, at: int, *, last: bool) -> Mark | None:
    """Read the mark that begins at `at`; None when more text is needed to tell.

    `last`: no more text comes, so that a mark cut off is one as well.
    """
    if text[at] == "【":
        return _file_mark(text, at, last)
    if text[at] != OPEN:
        return Mark(at + 1)  # a piece of a mark that was lost; never shown
    kind = _KIND.match(text, at)
    if kind is None:
        if _BEGUN.match(text, at):
            return Mark(len(text)) if last else None
        return Mark(at + 1)
    end = text.find(CLOSE, at, at + LONGEST_MARK)
    if end >= 0:
        return _closed(text[kind.end() : end], kind[1], end + 1)
    if len(text) - at >= LONGEST_MARK:
        return Mark(kind.end())
    return Mark(len(text)) if last else None


def _file_mark(text: str, at: int, last: bool) -> Mark | None:
    if found := _FILE_MARK.match(text, at):
        return Mark(found.end())
    if _FILE_BEGUN.match(text, at):
        if not last:
            return None
        if "†" in text[at:]:
            return Mark(len(text))
    return Mark(at + 1, text[at], dropped=False)


def _closed(inside: str, kind: str, end: int) -> Mark:
    words = _words(inside, kind)
    return Mark(end, words, dropped=not words)


def _words(inside: str, kind: str) -> str:
    """Return the words of the sentence that stand inside a mark; "" for most kinds."""
    if kind == "entity":
        return _entity(inside.strip(FIELD))
    if kind in {"url", "link"}:
        label = inside.strip(FIELD).split(FIELD)[0].strip()
        return "" if _REFERENCE.match(label) else label
    return ""


def _entity(inside: str) -> str:
    """Return the name in `["city","Paris","capital"]`."""
    try:
        told = msgspec.json.decode(inside)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    names = [one for one in told if isinstance(one, str)] if isinstance(told, list) else []
    return names[1] if len(names) > 1 else ""
