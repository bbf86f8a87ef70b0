"""Markdown as one short plain line, for notifications and for a question that is quoted."""

from __future__ import annotations

import html

import regex

_FENCE = regex.compile(r"^[ \t>]*(?:```|~~~).*$", regex.M)
_RULE = regex.compile(r"^[ \t>]*(?:[-*_=|:][ \t]*){3,}$", regex.M)
_LINE_START = regex.compile(
    r"^[ \t]*(?:(?:>|#{1,6}(?=[ \t])|[-+*][ \t]+(?:\[[ xX]\])?)[ \t]*)+", regex.M
)
_CODE = regex.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", regex.S)
_LINK = regex.compile(
    r"""!?\[([^\[\]]*+)\]\u200b?
        (?:\([^()\s]*+(?:\([^()\s]*+\)[^()\s]*+)*+\)|\[[^\[\]]*+\])""",
    regex.X,
)
_AUTOLINK = regex.compile(r"<((?:https?://|mailto:)[^\s<>|]++)>", regex.I)
_EMPHASIS = regex.compile(
    r"(?<![\w\\])(?:\*+|_+|~~)(?=[^\s*_~])|(?<=[^\s*_~\\])(?:\*+|_+|~~)(?!\w)"
)
_ESCAPE = regex.compile(r"\\([!-/:-@\[-`{-~])")
_BAR = regex.compile(r"(?<!\\)\|")
_GRAPHEME = regex.compile(r"\X")


def plain(text: str, limit: int = 150) -> str:
    """Return the beginning of `text` without markup, at most `limit` characters and an ellipsis."""
    line = " ".join(_unmarked(text[: 6 * limit]).split())
    if len(line) <= limit:
        return line
    head = line[: limit + 1]
    end = head.rfind(" ")
    if end < limit // 2:
        end = [match.start() for match in _GRAPHEME.finditer(head)][-1]
    return head[:end].rstrip() + "…"


def _unmarked(text: str) -> str:
    """Return `text` without markup, code left as it is."""
    text = _LINE_START.sub("", _RULE.sub("", _FENCE.sub("", text)))
    pieces, done = [], 0
    for match in _CODE.finditer(text):
        pieces += [_prose(text[done : match.start()]), match[2]]
        done = match.end()
    return "".join([*pieces, _prose(text[done:])])


def _prose(text: str) -> str:
    bare = _EMPHASIS.sub("", _AUTOLINK.sub(r"\1", _LINK.sub(r"\1", text)))
    return html.unescape(_ESCAPE.sub(r"\1", _BAR.sub(" ", bare)))
