"""The HTML tags that models and web pages use, as patterns."""

from __future__ import annotations

import regex

TAG_REACH_CHARACTERS = 300
"""How far a closing tag is searched, and how much of a line around a tag is read."""

_ATTRIBUTES = r"""(?:\s++[\w:-]++(?:=(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>]++))?+)*+\s*+/?"""
_NAMES = "br|p|div|ul|ol|li|b|strong|i|em|s|del|strike|sup|sub|code|a"
HTML_TAG = regex.compile(rf"<(/?)({_NAMES})({_ATTRIBUTES})>", regex.I)
EMPHASIS_MARKERS = {
    **dict.fromkeys(("b", "strong"), "**"),
    **dict.fromkeys(("i", "em"), "*"),
    **dict.fromkeys(("s", "del", "strike"), "~~"),
}
"""The Markdown of emphasis tags."""

EMPHASIS_TAG = regex.compile(rf"</?(?:{'|'.join(EMPHASIS_MARKERS)}){_ATTRIBUTES}>", regex.I)

PAIRED_TAGS = frozenset({*EMPHASIS_MARKERS, "sup", "sub", "code", "a"})
"""Tags that need a closing tag."""

_CLOSING = {name: regex.compile(rf"<(/?){name}{_ATTRIBUTES}>", regex.I) for name in PAIRED_TAGS}


def find_closing_tag(text: str, match: regex.Match[str], end: int) -> regex.Match[str] | None:
    """The closing tag of `match` within TAG_REACH_CHARACTERS; None if there is none."""
    after, stop = match.end(), min(end, match.end() + TAG_REACH_CHARACTERS)
    found = _CLOSING[match[2].lower()].search(text, after, stop)
    return found if found and found[1] else None
