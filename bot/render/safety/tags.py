"""Tags of HTML that sources are full of, and how one is found."""

from __future__ import annotations

import regex

TAG_REACH_CHARACTERS = 300
"""Characters in which what closes a tag is looked for, and in which a line is looked at."""

_ATTRIBUTES = r"""(?:\s++[\w:-]++(?:=(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>]++))?+)*+\s*+/?"""
_NAMES = "br|p|div|ul|ol|li|b|strong|i|em|s|del|strike|sup|sub|code|a"
HTML_TAG = regex.compile(rf"<(/?)({_NAMES})({_ATTRIBUTES})>", regex.I)
EMPHASIS_MARKERS = {
    **dict.fromkeys(("b", "strong"), "**"),
    **dict.fromkeys(("i", "em"), "*"),
    **dict.fromkeys(("s", "del", "strike"), "~~"),
}
"""The Markdown that tags of emphasis stand for."""

EMPHASIS_TAG = regex.compile(rf"</?(?:{'|'.join(EMPHASIS_MARKERS)}){_ATTRIBUTES}>", regex.I)

PAIRED_TAGS = frozenset({*EMPHASIS_MARKERS, "sup", "sub", "code", "a"})
"""Tags that are read only where another closes them."""

_CLOSING = {name: regex.compile(rf"<(/?){name}{_ATTRIBUTES}>", regex.I) for name in PAIRED_TAGS}


def find_closing_tag(text: str, match: regex.Match[str], end: int) -> regex.Match[str] | None:
    """Return the tag that closes another, if one does near it."""
    after, stop = match.end(), min(end, match.end() + TAG_REACH_CHARACTERS)
    found = _CLOSING[match[2].lower()].search(text, after, stop)
    return found if found and found[1] else None
