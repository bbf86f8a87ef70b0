"""Which `<…>` Slack would act on, however the `<` is spelled.

In prose a break goes behind every `<` that may begin a mention, a command or a link with a label,
whatever markup stands between. In code only what is live as it stands is broken: commands that
exist, ids as Slack makes them (docs/slack.md#slack-markup), and links whose label names another
host.
"""

from __future__ import annotations

import html
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

import regex

from bot.render.safety.edits import BREAK, Edit
from bot.render.safety.labels import remark
from bot.render.safety.tags import TAG

_LESS = regex.compile(
    r"""<|&(?:(?:amp|AMP);|\#0*+38;|\#[xX]0*+26;)*+
        (?:(?:lt|LT);?|\#0*+60;?|\#[xX]0*+3[cC];?)""",
    regex.X,
)
_UNSEEN = r"\p{Cf}\p{Mn}\\`"
_IN_CODE = regex.compile(rf"[{_UNSEEN}]*+(.{{0,60}})", regex.S)
_IN_PROSE = regex.compile(rf"\n?[{_UNSEEN}*_~\[\]()]*+(.{{0,12}})", regex.S)
# `\n?` here and in _WORD: a reader who joins lines takes the line break away.
# What begins one of Slack's forms, and `?`, which with the tags below hides text from some readers.
_STARTS = ("!", "@", "#", "<", "?")
_RAW = regex.compile(r"(?:script|pre|style|textarea)\b", regex.I)
_SCHEME = regex.compile(rf"\n?([{_UNSEEN}*_~\[\]()]*+)([a-zA-Z&][^\s<>]{{0,150}})")
_SCHEME_ITSELF = regex.compile(rf"[{_UNSEEN}*_~\[\]()]*+[a-zA-Z][\w+.-]*+:")
# Tags that will be gone part no words.
_WORD = regex.compile(rf"(?:{TAG.pattern}|[^\s<>])*+", regex.I)
_BAR = regex.compile(r"\||&(?:\#0*+124|\#[xX]0*+7[cC]|vert|verbar|VerticalLine);?")
_AUTOLINK = regex.compile(
    r"(?:(?:https?://|mailto:)[^\s<>|\\`]++|[\w.!#$%'*+/=?^{}~-]++@[\w.-]++)>", regex.I
)
_REAL = regex.compile(
    r"""!(?:(?i:channel|here|everyone|group)(?![\w-])|subteam\^S[A-Z0-9]|date\^\d)
      | @[UWB][A-Z0-9]{6,} | \#[CDG][A-Z0-9]{6,}""",
    regex.X,
)
_LABELLED = regex.compile(r"\s*+((?:https?://|mailto:)[^\s<>|]++)\|([^<>\n]*+)>", regex.I)


def breaks(text: str, codes: list[tuple[int, int]]) -> Iterator[Edit]:
    """Yield a break behind every `<` that may begin a form of Slack's; `codes` are in order."""
    starts = [start for start, _ in codes]
    prose = _Prose(text)
    for match in _LESS.finditer(text):
        at = match.end()
        if text.startswith(BREAK, at):
            continue
        index = bisect_right(starts, match.start()) - 1
        in_code = index >= 0 and match.start() < codes[index][1]
        raw = match[0] == "<"
        if _live_in_code(text, at, raw=raw) if in_code else prose.live(at, match[0]):
            yield at, at, BREAK


def _live_in_code(text: str, at: int, *, raw: bool) -> bool:
    ahead = _IN_CODE.match(text, at)
    if ahead and _REAL.match(html.unescape(ahead[1])):
        return True
    link = _LABELLED.match(text, at) if raw else None
    return bool(link and remark(link[2], link[1]))


class _Prose:
    """Tells what stands behind a `<` outside code; asked from left to right, it takes one pass."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bars: list[int] | None = None
        self._word = (0, -1)

    def live(self, at: int, less: str) -> bool:
        """Say whether what follows a `<` may be live, whatever markup is taken away."""
        if less == "<" and _AUTOLINK.match(self._text, at):
            return self._has_bar(at)
        ahead = _IN_PROSE.match(self._text, at)
        if ahead and html.unescape(ahead[1])[:1] in _STARTS:
            return True
        return self._begins_address(at) or self._has_bar(at)

    def _begins_address(self, at: int) -> bool:
        match = _SCHEME.match(self._text, at)
        if match is None:
            return False
        word = html.unescape(match[2])
        return bool(_SCHEME_ITSELF.match(word) or (not match[1] and _RAW.match(word)))

    def _has_bar(self, at: int) -> bool:
        """Say whether a bar stands in the word at a place."""
        if self._bars is None:
            self._bars = [match.start() for match in _BAR.finditer(self._text)]
        index = bisect_left(self._bars, at)
        return index < len(self._bars) and self._bars[index] < self._word_end(at)

    def _word_end(self, at: int) -> int:
        begin = at + self._text.startswith("\n", at)
        if not self._word[0] <= begin <= self._word[1]:
            match = _WORD.match(self._text, begin)
            self._word = (begin, match.end() if match else begin)
        return self._word[1]
