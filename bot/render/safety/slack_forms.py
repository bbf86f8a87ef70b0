"""Breaks up `<…>` that Slack would act on, including `<` written as an entity.

In prose a break follows each `<` that may start a mention, a command or a link with a label, even
with markup in between. In code only forms that take effect are broken: existing commands, ids in
Slack's format (docs/slack.md#slack-markup), and links whose label names another host.
"""

from __future__ import annotations

import html
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

import regex

from bot.render.safety.edits import ZERO_WIDTH_SPACE, Edit
from bot.render.safety.labels import host_remark
from bot.render.safety.tags import HTML_TAG

_LESS_THAN = regex.compile(
    r"""<|&(?:(?:amp|AMP);|\#0*+38;|\#[xX]0*+26;)*+
        (?:(?:lt|LT);?|\#0*+60;?|\#[xX]0*+3[cC];?)""",
    regex.X,
)
_INVISIBLE = r"\p{Cf}\p{Mn}\\`"
_IN_CODE = regex.compile(rf"[{_INVISIBLE}]*+(.{{0,60}})", regex.S)
_IN_PROSE = regex.compile(rf"\n?[{_INVISIBLE}*_~\[\]()]*+(.{{0,12}})", regex.S)
# `\n?` here and in _SCHEME: some parsers join lines.
# Characters that start Slack's forms, and `?`: like the tags below, it hides text in some parsers.
_FORM_STARTS = ("!", "@", "#", "<", "?")
_RAW_TEXT_TAG = regex.compile(r"(?:script|pre|style|textarea)\b", regex.I)
_SCHEME = regex.compile(rf"\n?([{_INVISIBLE}*_~\[\]()]*+)([a-zA-Z&][^\s<>]{{0,150}})")
_SCHEME_ITSELF = regex.compile(rf"[{_INVISIBLE}*_~\[\]()]*+[a-zA-Z][\w+.-]*+:")
# Tags are removed, so they don't separate words.
_WORD = regex.compile(rf"(?:{HTML_TAG.pattern}|[^\s<>])*+", regex.I)
_PIPE = regex.compile(r"\||&(?:\#0*+124|\#[xX]0*+7[cC]|vert|verbar|VerticalLine);?")
_AUTOLINK = regex.compile(
    r"(?:(?:https?://|mailto:)[^\s<>|\\`]++|[\w.!#$%'*+/=?^{}~-]++@[\w.-]++)>", regex.I
)
_LIVE_FORM = regex.compile(
    r"""!(?:(?i:channel|here|everyone|group)(?![\w-])|subteam\^S[A-Z0-9]|date\^\d)
      | @[UWB][A-Z0-9]{6,} | \#[CDG][A-Z0-9]{6,}""",
    regex.X,
)
_LABELLED_LINK = regex.compile(r"\s*+((?:https?://|mailto:)[^\s<>|]++)\|([^<>\n]*+)>", regex.I)


def slack_form_breaks(text: str, code_spans: list[tuple[int, int]]) -> Iterator[Edit]:
    """Yield a break after each `<` that may start a form of Slack's; `code_spans` are in order."""
    starts = [start for start, _ in code_spans]
    prose = _ProseScanner(text)
    for match in _LESS_THAN.finditer(text):
        at = match.end()
        if text.startswith(ZERO_WIDTH_SPACE, at):
            continue
        index = bisect_right(starts, match.start()) - 1
        in_code = index >= 0 and match.start() < code_spans[index][1]
        raw = match[0] == "<"
        if _is_live_in_code(text, at, raw=raw) if in_code else prose.may_be_live(at, match[0]):
            yield at, at, ZERO_WIDTH_SPACE


def _is_live_in_code(text: str, at: int, *, raw: bool) -> bool:
    ahead = _IN_CODE.match(text, at)
    if ahead and _LIVE_FORM.match(html.unescape(ahead[1])):
        return True
    link = _LABELLED_LINK.match(text, at) if raw else None
    return bool(link and host_remark(link[2], link[1]))


class _ProseScanner:
    """Looks at the text after each `<` outside of code.

    Calls from left to right take linear time in total.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._pipes: list[int] | None = None
        self._word = (0, -1)

    def may_be_live(self, at: int, less: str) -> bool:
        """Whether the text after a `<` may take effect in Slack, with or without its markup."""
        if less == "<" and _AUTOLINK.match(self._text, at):
            return self._has_pipe(at)
        ahead = _IN_PROSE.match(self._text, at)
        if ahead and html.unescape(ahead[1])[:1] in _FORM_STARTS:
            return True
        return self._begins_address(at) or self._has_pipe(at)

    def _begins_address(self, at: int) -> bool:
        match = _SCHEME.match(self._text, at)
        if match is None:
            return False
        word = html.unescape(match[2])
        return bool(_SCHEME_ITSELF.match(word) or (not match[1] and _RAW_TEXT_TAG.match(word)))

    def _has_pipe(self, at: int) -> bool:
        """Whether the word at a place contains a bar."""
        if self._pipes is None:
            self._pipes = [match.start() for match in _PIPE.finditer(self._text)]
        index = bisect_left(self._pipes, at)
        return index < len(self._pipes) and self._pipes[index] < self._word_end(at)

    def _word_end(self, at: int) -> int:
        begin = at + self._text.startswith("\n", at)
        if not self._word[0] <= begin <= self._word[1]:
            match = _WORD.match(self._text, begin)
            self._word = (begin, match.end() if match else begin)
        return self._word[1]
