"""Filters the text of one part, delta by delta. Pure.

Thinking is recognised only at the beginning of a part; citation marks are dropped anywhere; markup
of tool calls is held back for a while, because it often ends a round, where `calls` removes it. The
result depends on the text alone, not on how it was split into deltas.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.upstream.text.markup.bare_citations import read_bare_citation
from bot.upstream.text.markup.citations import MAX_MARK_CHARACTERS, read_citation
from bot.upstream.text.markup.code import GrowingCodeState, ends_in_code
from bot.upstream.text.markup.tokens import (
    ANALYSIS_END,
    ANALYSIS_END_TOKENS,
    ANGLE_TOKENS,
    CHANNEL_HEADER,
    CHANNEL_HEADER_STARTS,
    MARKUP_START,
    MAX_ANGLE_TOKEN_CHARACTERS,
    MAX_CHANNEL_HEADER_CHARACTERS,
    MESSAGE_END,
    THINKING_CLOSERS,
    THINKING_TAGS,
    TOOL_CALL_OPENERS,
    may_become,
)

# Characters that are held back at most until it is decided what they are: about a second of output
# of a fast model, at 100 tokens a second.
MAX_HELD_CHARACTERS = MAX_MARK_CHARACTERS
# A closing tag whose opener the server removed counts only among the first characters of a part.
MAX_UNOPENED_THINKING_CHARACTERS = 8_000
_MAX_BLANKS = 8  # blanks before a mark that are dropped with it
_MAX_LEADING_BLANKS = 64  # blanks before the opener of thinking
_BLANKS = " \t"
_NO_BLANK_BEFORE = frozenset(".,;:!?)]}»\u201d\u2019…。\uff0c、\uff1b\uff1a\uff01\uff1f")
_QUOTES = frozenset("`\"'\u201c\u2018«„")
_THINKING_OPENERS = tuple(THINKING_TAGS)
_PART_OPENERS = (*_THINKING_OPENERS, *THINKING_CLOSERS, *TOOL_CALL_OPENERS, *CHANNEL_HEADER_STARTS)
_MAX_START_CHARACTERS = max(map(len, _PART_OPENERS))

FilterState = Literal["start", "thought", "text"]


@dataclass(frozen=True, slots=True)
class FilteredText:
    """The result for a delta: remove the last `retracted` characters shown, then append `text`.

    `thinking` is reasoning. It includes removed text that turned out to be reasoning.
    """

    text: str = ""
    thinking: str = ""
    retracted: int = 0


class TextFilter:
    """The filter of one part; call `feed` for each delta, then `end` once.

    `shown` must return the part's text after all previous results were applied to it.
    `already_shown`: the filter starts in the middle of a part.
    """

    def __init__(self, shown: Callable[[], str], *, already_shown: bool = False) -> None:
        self.held = ""
        self._shown = shown
        self._state: FilterState = "text" if already_shown else "start"
        self._thinking_ended = False  # blanks after thinking are dropped
        self._past_opening = False  # too far from the beginning for an unopened closing tag
        self._is_harmony = False  # the text is a message of the harmony format
        self._closer: tuple[re.Pattern[str], tuple[str, ...]] = (ANALYSIS_END, ANALYSIS_END_TOKENS)
        self._mark_seen = False  # after the first mark, blanks are held back
        self._after_mark = False  # a mark came last
        self._held_blanks = ""  # blanks at the end, dropped if a mark follows
        self._last_shown = ""  # the last character before `_held_blanks`
        self._code = GrowingCodeState()  # of the text shown
        self._reset_output()

    @property
    def passes_through(self) -> bool:
        """Whether a delta without markup would come out unchanged and need not be fed."""
        return self._state == "text" and not (self.held or self._mark_seen)

    def feed(self, text: str) -> FilteredText:
        """Filter a delta."""
        return self._run(self.held + text, is_final=False)

    def end(self) -> FilteredText:
        """End the part, and decide what becomes of the text that was held back."""
        piece = self._run(self.held, is_final=True)
        if self._held_blanks and not self._after_mark:
            piece = FilteredText(piece.text + self._held_blanks, piece.thinking, piece.retracted)
        self._held_blanks = ""
        self._mark_seen = self._after_mark = False
        if self._state == "start":
            self._state = "text"
        return piece

    def _reset_output(self) -> None:
        self._out: list[str] = []
        self._thinking: list[str] = []
        self._retracted = 0

    def _run(self, text: str, *, is_final: bool) -> FilteredText:
        self._reset_output()
        self.held, at = "", 0
        while at < len(text):
            if self._state == "text":
                at = self._read_text(text, at, is_final)
            elif self._state == "start":
                at = self._read_start(text, at, is_final)
            else:
                at = self._read_thinking(text, at, is_final)
        return FilteredText("".join(self._out), "".join(self._thinking), self._retracted)

    def _hold(self, text: str, at: int) -> int:
        self.held = text[at:]
        return len(text)

    def _read_start(self, text: str, at: int, is_final: bool) -> int:
        """Read the beginning of a part, or the text after thinking."""
        begin = len(text) - len(text[at:].lstrip())
        if begin == len(text):
            if not is_final and (self._thinking_ended or begin - at <= _MAX_LEADING_BLANKS):
                return begin if self._thinking_ended else self._hold(text, at)
        elif begin - at <= _MAX_LEADING_BLANKS or self._thinking_ended:
            after = self._read_opener(text, begin)
            if after:
                return after
            if not is_final and self._may_open(text[begin:]):
                return self._hold(text, begin if self._thinking_ended else at)
        if self._thinking_ended:
            at = begin
        self._state = "text"
        return at

    def _read_opener(self, text: str, at: int) -> int:
        """Return the end of an opener of thinking or of a message at `at`; 0 if there is none."""
        lower = text[at : at + _MAX_START_CHARACTERS].lower()
        for opener, closer in THINKING_TAGS.items():
            if lower.startswith(opener):
                self._closer = re.compile(re.escape(closer), re.IGNORECASE), (closer,)
                self._state = "thought"
                return at + len(opener)
        found = CHANNEL_HEADER.match(text, at) if lower.startswith("<|") else None
        if found is None or lower.startswith(TOOL_CALL_OPENERS):
            return 0
        self._is_harmony = self._thinking_ended = True
        self._state = "thought" if found[1].lower() == "analysis" else "text"
        self._closer = ANALYSIS_END, ANALYSIS_END_TOKENS
        return found.end()

    def _may_open(self, begun: str) -> bool:
        if len(begun) < _MAX_START_CHARACTERS and may_become(begun, _PART_OPENERS):
            return True
        header = len(begun) < MAX_CHANNEL_HEADER_CHARACTERS and "<|message|>" not in begun
        return header and begun.lower().startswith(CHANNEL_HEADER_STARTS)

    def _read_thinking(self, text: str, at: int, is_final: bool) -> int:
        pattern, tokens = self._closer
        if found := pattern.search(text, at):
            self._thinking.append(text[at : found.start()])
            self._state = "start"
            self._thinking_ended = True
            return found.end()
        cut = len(text)
        if not is_final:
            tail = range(max(at, cut - max(map(len, tokens)) + 1), cut)
            cut = next((i for i in tail if may_become(text[i:], tokens)), cut)
        self._thinking.append(text[at:cut])
        return self._hold(text, cut)

    def _read_text(self, text: str, at: int, is_final: bool) -> int:
        sign = MARKUP_START.search(text, at)
        if sign is None:
            self._emit(text[at:])
            return len(text)
        if sign.start() > at:
            self._emit(text[at : sign.start()])
        if sign[0] == "<":
            return self._read_angle(text, sign.start(), is_final)
        if sign[0].isascii():
            return self._read_bare_citation(text, sign.start(), is_final)
        mark = read_citation(text, sign.start(), is_final=is_final)
        if mark is None:
            return self._hold(text, sign.start())
        if mark.shown_text:
            self._emit(mark.shown_text)
        elif mark.is_dropped:
            self._drop_mark()
        return mark.end

    def _read_bare_citation(self, text: str, at: int, is_final: bool) -> int:
        """Read what may be a bare citation mark; in code it is text."""
        mark = read_bare_citation(text, at, before=self._last_character(), is_final=is_final)
        if (mark and not mark.is_dropped) or self._in_code():
            self._emit(text[at])
            return at + 1
        if mark is None:
            return self._hold(text, at)
        self._drop_mark()
        return mark.end

    def _read_angle(self, text: str, at: int, is_final: bool) -> int:
        begun = text[at : at + MAX_ANGLE_TOKEN_CHARACTERS].lower()
        if closer := next(filter(begun.startswith, THINKING_CLOSERS), ""):
            end = at + len(closer)
            if not is_final and len(text) - end < 2:
                return self._hold(text, at)
            if self._ends_thinking(closer, text[end : end + 2]):
                self._retract_as_thinking()
                return end
        elif self._is_harmony and (found := MESSAGE_END.match(text, at)):
            self._state = "start"
            return found.end()
        elif not is_final and _may_be_markup(len(text) - at, begun):
            return self._hold(text, at)
        self._emit("<")
        return at + 1

    def _ends_thinking(self, closer: str, after: str) -> bool:
        """Whether a closing tag ends thinking whose opener is missing.

        It does near the beginning of a part, but not in prose or code.
        """
        if self._thinking_ended or self._past_opening:
            return False
        before = self._shown_so_far() + self._held_blanks
        self._past_opening = len(before) > MAX_UNOPENED_THINKING_CHARACTERS
        opener = closer.replace("</", "<")
        if self._past_opening or before[-1:] in _QUOTES or opener in before.lower():
            return False
        if before[-1:] in {" ", "\t"} and before.rstrip()[-1:] not in {".", "!", "?"}:
            goes_on = after[:1] == " " and after[1:].islower()
            if goes_on or after[:1] in _NO_BLANK_BEFORE:
                return False
        return not ends_in_code(before)

    def _retract_as_thinking(self) -> None:
        self._thinking.append(self._shown_so_far() + self._held_blanks)
        self._retracted = len(self._shown())
        self._out.clear()
        self._held_blanks = ""
        self._mark_seen = self._after_mark = False
        self._code = GrowingCodeState()
        self._state = "start"
        self._thinking_ended = True

    def _shown_so_far(self) -> str:
        shown = self._shown()
        self._out = ["".join(self._out)]
        return shown[: len(shown) - self._retracted] + self._out[0]

    def _last_character(self) -> str:
        """Return the last character of the text so far; "" after a mark."""
        if self._held_blanks or self._after_mark:
            return self._held_blanks[-1:]
        return (self._out[-1] if self._out else "")[-1:] or self._shown_so_far()[-1:]

    def _in_code(self) -> bool:
        text = self._shown_so_far() + self._held_blanks
        self._code = self._code.extended(text)
        return self._code.ends_in_code(text)

    def _drop_mark(self) -> None:
        """Leave out a mark at the current position."""
        if not self._mark_seen:
            self._mark_seen = True
            before = self._shown_so_far()
            bare = before.rstrip(_BLANKS)
            self._held_blanks = before[len(bare) :][-_MAX_BLANKS:]
            self._last_shown = bare[-1:]
            self._retract(len(self._held_blanks))
        self._after_mark = True

    def _retract(self, count: int) -> None:
        out = "".join(self._out)
        self._out = [out[: max(0, len(out) - count)]]
        self._retracted += max(0, count - len(out))

    def _emit(self, text: str) -> None:
        if not self._mark_seen:
            self._out.append(text)
            return
        if self._after_mark:
            text = self._close_gap(text)
        bare = text.rstrip(_BLANKS)
        if bare:
            self._out.append(self._held_blanks + bare)
            self._last_shown, self._held_blanks = bare[-1], ""
        blank = self._held_blanks + text[len(bare) :]
        if len(blank) > _MAX_BLANKS:
            self._out.append(blank[:-_MAX_BLANKS])
        self._held_blanks = blank[-_MAX_BLANKS:]

    def _close_gap(self, text: str) -> str:
        """Drop the blanks around a mark, and its line if it was alone on it."""
        if self._last_shown in {"", "\n"}:
            self._held_blanks = ""
            text = text.lstrip(_BLANKS)
            self._after_mark = not text
            return text.removeprefix("\n")
        if text[0].isspace() or text[0] in _NO_BLANK_BEFORE:
            self._held_blanks = ""
        self._after_mark = False
        return text


def _may_be_markup(length: int, begun: str) -> bool:
    """Return whether the last `length` characters are a call's markup, or may become markup."""
    call = length <= MAX_HELD_CHARACTERS and begun.startswith(TOOL_CALL_OPENERS)
    return call or (length <= MAX_ANGLE_TOKEN_CHARACTERS and may_become(begun, ANGLE_TOKENS))


def filter_text(text: str) -> FilteredText:
    """Return the result for a complete text."""
    shown = ""
    text_filter = TextFilter(lambda: shown)
    first = text_filter.feed(text)
    shown = first.text
    rest = text_filter.end()
    filtered = shown[: len(shown) - rest.retracted] + rest.text
    return FilteredText(filtered, first.thinking + rest.thinking)
