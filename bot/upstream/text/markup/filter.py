"""The text of one part, fed in deltas, without the words that were meant for programs. Pure.

Thinking is told apart at the beginning of a part only; citation marks are dropped anywhere; markup
of tool calls is held back for a while, for it often ends a round and `calls` drops it then. The
result depends on the text alone, not on where it was cut into deltas.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.upstream.text.markup.bare import bare_mark_at
from bot.upstream.text.markup.citations import LONGEST_MARK, mark_at
from bot.upstream.text.markup.code import CodeSoFar, ends_in_code
from bot.upstream.text.markup.tokens import (
    ANALYSIS_END,
    ANALYSIS_ENDS,
    ANGLES,
    CALL_OPENERS,
    CHANNEL,
    CHANNEL_STARTS,
    LONGEST_ANGLE,
    LONGEST_HEADER,
    MESSAGE_END,
    SIGN,
    THOUGHT_CLOSERS,
    THOUGHTS,
    may_become,
)

# Characters that are held back until it is clear what they are: at most about a second's worth
# of a fast model, which writes 100 tokens a second.
MOST_HELD = LONGEST_MARK
# A closing tag whose opener the server ate counts in so many first characters of a part.
LONGEST_OPENING = 8_000
_MOST_BLANKS = 8  # before a mark, that are dropped with it
_MOST_LEADING = 64  # blank characters that may stand before the opener of thinking
_BLANKS = " \t"
_NO_BLANK_BEFORE = frozenset(".,;:!?)]}»\u201d\u2019…。\uff0c、\uff1b\uff1a\uff01\uff1f")
_QUOTES = frozenset("`\"'\u201c\u2018«„")
_OPENERS = tuple(THOUGHTS)
_STARTS = (*_OPENERS, *THOUGHT_CLOSERS, *CALL_OPENERS, *CHANNEL_STARTS)
_LONGEST_START = max(map(len, _STARTS))

State = Literal["start", "thought", "text"]


@dataclass(frozen=True, slots=True)
class Piece:
    """What a delta means: the last `back` characters shown are taken back, then `text` is shown.

    `thought` is reasoning; what was taken back because it was reasoning is part of it.
    """

    text: str = ""
    thought: str = ""
    back: int = 0


class TextFilter:
    """State of one part. `shown` returns all of its text that was given out so far.

    `begun`: text of the part has been shown already, so it does not begin here.
    """

    def __init__(self, shown: Callable[[], str], *, begun: bool = False) -> None:
        self.held = ""
        self._shown = shown
        self._state: State = "text" if begun else "start"
        self._thought_over = False  # thinking has ended; leading blanks go with it
        self._opening_over = False  # a closing tag is too far from the beginning to count
        self._channels = False  # the text is a message of the harmony format
        self._closer: tuple[re.Pattern[str], tuple[str, ...]] = (ANALYSIS_END, ANALYSIS_ENDS)
        self._marked = False  # a mark was dropped: from now on blanks are held back
        self._gap = False  # the last thing that came was a mark
        self._blank = ""  # blanks at the end, which go if a mark follows
        self._before = ""  # the last character before `_blank`
        self._code = CodeSoFar()  # of what is shown, as far as it was looked at
        self._fresh()

    @property
    def plain(self) -> bool:
        """Whether a delta without signs is text as it is, and need not be fed."""
        return self._state == "text" and not (self.held or self._marked)

    def feed(self, text: str) -> Piece:
        """Take more of the text."""
        return self._run(self.held + text, last=False)

    def end(self) -> Piece:
        """No more comes: what is held back is decided."""
        piece = self._run(self.held, last=True)
        if self._blank and not self._gap:
            piece = Piece(piece.text + self._blank, piece.thought, piece.back)
        self._blank = ""
        self._marked = self._gap = False
        if self._state == "start":
            self._state = "text"
        return piece

    def _fresh(self) -> None:
        self._out: list[str] = []
        self._thoughts: list[str] = []
        self._back = 0

    def _run(self, text: str, *, last: bool) -> Piece:
        self._fresh()
        self.held, at = "", 0
        while at < len(text):
            if self._state == "text":
                at = self._read_text(text, at, last)
            elif self._state == "start":
                at = self._read_start(text, at, last)
            else:
                at = self._read_thought(text, at, last)
        return Piece("".join(self._out), "".join(self._thoughts), self._back)

    def _hold(self, text: str, at: int) -> int:
        self.held = text[at:]
        return len(text)

    # The three states.

    def _read_start(self, text: str, at: int, last: bool) -> int:
        """The beginning of a part, or what follows thinking."""
        begin = len(text) - len(text[at:].lstrip())
        if begin == len(text):
            if not last and (self._thought_over or begin - at <= _MOST_LEADING):
                return begin if self._thought_over else self._hold(text, at)
        elif begin - at <= _MOST_LEADING or self._thought_over:
            after = self._opened(text, begin)
            if after:
                return after
            if not last and self._may_open(text[begin:]):
                return self._hold(text, begin if self._thought_over else at)
        if self._thought_over:
            at = begin
        self._state = "text"
        return at

    def _opened(self, text: str, at: int) -> int:
        """Return where thinking or a message begins after its opener; 0 where there is none."""
        lower = text[at : at + _LONGEST_START].lower()
        for opener, closer in THOUGHTS.items():
            if lower.startswith(opener):
                self._closer = re.compile(re.escape(closer), re.IGNORECASE), (closer,)
                self._state = "thought"
                return at + len(opener)
        found = CHANNEL.match(text, at) if lower.startswith("<|") else None
        if found is None or lower.startswith(CALL_OPENERS):
            return 0
        self._channels = self._thought_over = True
        self._state = "thought" if found[1].lower() == "analysis" else "text"
        self._closer = ANALYSIS_END, ANALYSIS_ENDS
        return found.end()

    def _may_open(self, begun: str) -> bool:
        if len(begun) < _LONGEST_START and may_become(begun, _STARTS):
            return True
        header = len(begun) < LONGEST_HEADER and "<|message|>" not in begun
        return header and begun.lower().startswith(CHANNEL_STARTS)

    def _read_thought(self, text: str, at: int, last: bool) -> int:
        pattern, tokens = self._closer
        if found := pattern.search(text, at):
            self._thoughts.append(text[at : found.start()])
            self._state = "start"
            self._thought_over = True
            return found.end()
        cut = len(text)
        if not last:
            tail = range(max(at, cut - max(map(len, tokens)) + 1), cut)
            cut = next((i for i in tail if may_become(text[i:], tokens)), cut)
        self._thoughts.append(text[at:cut])
        return self._hold(text, cut)

    def _read_text(self, text: str, at: int, last: bool) -> int:
        sign = SIGN.search(text, at)
        if sign is None:
            self._emit(text[at:])
            return len(text)
        if sign.start() > at:
            self._emit(text[at : sign.start()])
        if sign[0] == "<":
            return self._read_angle(text, sign.start(), last)
        if sign[0].isascii():
            return self._read_bare(text, sign.start(), last)
        mark = mark_at(text, sign.start(), last=last)
        if mark is None:
            return self._hold(text, sign.start())
        if mark.words:
            self._emit(mark.words)
        elif mark.dropped:
            self._drop()
        return mark.end

    def _read_bare(self, text: str, at: int, last: bool) -> int:
        """What may be a citation mark without its private-use characters; not in code."""
        mark = bare_mark_at(text, at, before=self._last(), last=last)
        if (mark and not mark.dropped) or self._in_code():
            self._emit(text[at])
            return at + 1
        if mark is None:
            return self._hold(text, at)
        self._drop()
        return mark.end

    def _read_angle(self, text: str, at: int, last: bool) -> int:
        begun = text[at : at + LONGEST_ANGLE].lower()
        if closer := next(filter(begun.startswith, THOUGHT_CLOSERS), ""):
            end = at + len(closer)
            if not last and len(text) - end < 2:
                return self._hold(text, at)
            if self._ends_thought(closer, text[end : end + 2]):
                self._take_back()
                return end
        elif self._channels and (found := MESSAGE_END.match(text, at)):
            self._state = "start"
            return found.end()
        elif not last and _may_be_more(len(text) - at, begun):
            return self._hold(text, at)
        self._emit("<")
        return at + 1

    # A closing tag without its opener.

    def _ends_thought(self, closer: str, after: str) -> bool:
        """Whether a closing tag here ends thinking whose opener never came.

        It does near the beginning of a part, not in prose, and not in code.
        """
        if self._thought_over or self._opening_over:
            return False
        before = self._so_far() + self._blank
        self._opening_over = len(before) > LONGEST_OPENING
        opener = closer.replace("</", "<")
        if self._opening_over or before[-1:] in _QUOTES or opener in before.lower():
            return False
        if before[-1:] in {" ", "\t"} and before.rstrip()[-1:] not in {".", "!", "?"}:
            goes_on = after[:1] == " " and after[1:].islower()
            if goes_on or after[:1] in _NO_BLANK_BEFORE:
                return False
        return not ends_in_code(before)

    def _take_back(self) -> None:
        self._thoughts.append(self._so_far() + self._blank)
        self._back = len(self._shown())
        self._out.clear()
        self._blank = ""
        self._marked = self._gap = False
        self._code = CodeSoFar()
        self._state = "start"
        self._thought_over = True

    def _so_far(self) -> str:
        shown = self._shown()
        self._out = ["".join(self._out)]
        return shown[: len(shown) - self._back] + self._out[0]

    def _last(self) -> str:
        """The character before what comes next, or "" behind a mark."""
        if self._blank or self._gap:
            return self._blank[-1:]
        return (self._out[-1] if self._out else "")[-1:] or self._so_far()[-1:]

    def _in_code(self) -> bool:
        text = self._so_far() + self._blank
        self._code = self._code.after(text)
        return self._code.ends_in_code(text)

    # Blanks around marks.

    def _drop(self) -> None:
        """A mark is left out here."""
        if not self._marked:
            self._marked = True
            before = self._so_far()
            bare = before.rstrip(_BLANKS)
            self._blank = before[len(bare) :][-_MOST_BLANKS:]
            self._before = bare[-1:]
            self._cut(len(self._blank))
        self._gap = True

    def _cut(self, count: int) -> None:
        out = "".join(self._out)
        self._out = [out[: max(0, len(out) - count)]]
        self._back += max(0, count - len(out))

    def _emit(self, text: str) -> None:
        if not self._marked:
            self._out.append(text)
            return
        if self._gap:
            text = self._close_gap(text)
        bare = text.rstrip(_BLANKS)
        if bare:
            self._out.append(self._blank + bare)
            self._before, self._blank = bare[-1], ""
        blank = self._blank + text[len(bare) :]
        if len(blank) > _MOST_BLANKS:
            self._out.append(blank[:-_MOST_BLANKS])
        self._blank = blank[-_MOST_BLANKS:]

    def _close_gap(self, text: str) -> str:
        """Leave out the blanks around a mark, and its line where it stood alone."""
        if self._before in {"", "\n"}:
            self._blank = ""
            text = text.lstrip(_BLANKS)
            self._gap = not text
            return text.removeprefix("\n")
        if text[0].isspace() or text[0] in _NO_BLANK_BEFORE:
            self._blank = ""
        self._gap = False
        return text


def _may_be_more(length: int, begun: str) -> bool:
    """Return whether the last `length` characters are a call's markup, or may become markup."""
    call = length <= MOST_HELD and begun.startswith(CALL_OPENERS)
    return call or (length <= LONGEST_ANGLE and may_become(begun, ANGLES))


def filtered(text: str) -> Piece:
    """Return what a whole text means."""
    shown = ""
    one = TextFilter(lambda: shown)
    first = one.feed(text)
    shown = first.text
    rest = one.end()
    whole = shown[: len(shown) - rest.back] + rest.text
    return Piece(whole, first.thought + rest.thought)
