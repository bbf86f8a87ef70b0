"""Markdown as one short plain line, for notifications and quoted questions."""

from __future__ import annotations

import html

import regex

_MAX_QUESTION_CHARACTERS = 100  # of a question in a notification: two lines on a phone

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
_MENTION = regex.compile(r"<@[UW][A-Z0-9]+>")
_GRAPHEME = regex.compile(r"\X")


def plain_line(text: str, max_characters: int = 150) -> str:
    """The beginning of `text` without markup: at most `max_characters`, and an ellipsis if cut."""
    line = " ".join(_without_markup(text[: 6 * max_characters]).split())
    if len(line) <= max_characters:
        return line
    head = line[: max_characters + 1]
    end = head.rfind(" ")
    if end < max_characters // 2:
        end = [match.start() for match in _GRAPHEME.finditer(head)][-1]
    return head[:end].rstrip() + "…"


def question_line(question: str) -> str:
    """The beginning of a question as one plain line. No mention takes effect in it, because the id
    of the person is left out."""
    return plain_line(_MENTION.sub("@…", question), _MAX_QUESTION_CHARACTERS)


def _without_markup(text: str) -> str:
    """Remove markup outside of code."""
    text = _LINE_START.sub("", _RULE.sub("", _FENCE.sub("", text)))
    pieces, done = [], 0
    for match in _CODE.finditer(text):
        pieces += [_prose_without_markup(text[done : match.start()]), match[2]]
        done = match.end()
    return "".join([*pieces, _prose_without_markup(text[done:])])


def _prose_without_markup(text: str) -> str:
    bare = _EMPHASIS.sub("", _AUTOLINK.sub(r"\1", _LINK.sub(r"\1", text)))
    return html.unescape(_ESCAPE.sub(r"\1", _BAR.sub(" ", bare)))
