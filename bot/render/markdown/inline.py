"""Parses the inline markup of one paragraph, heading or cell: code, links and emphasis.

It follows CommonMark with GitHub's strikethrough, in one pass from left to right.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category

import regex

# Brackets, links and tags that are still open after so many characters are read as text.
_LABEL_REACH_CHARACTERS = 300
_LINK_REACH_CHARACTERS = 2_000
_TAG_REACH_CHARACTERS = 300
# Longer runs and deeper nesting are read as text, which limits the closing markup.
_MAX_RUN_CHARACTERS = 8
_MAX_TICKS = 40
_MAX_OPEN_RUNS = 16

_TOKEN = regex.compile(r"\\.|`+|\*+|_+|~+|!?\[|\]|</?[a-zA-Z!?][^<>\n]*+>", regex.S)
_TICKS = regex.compile(r"`+")
_TAIL = regex.compile(
    r"""\([ \t\n]*+
        (?:(?:<(?P<angle>[^<>\n]*+)>
            |(?P<bare>(?!<)(?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.|\([^\s()\\]*+\))*+\))*+))
          (?:[ \t\n]++(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?+
          [ \t\n]*+\)
        |(?P<loose>(?i:https?)://[^\s()<>\\/]++/[^\s()<>\\]*+(?:\([^\n()<>\\]*+\)[^\s()<>\\]*+)*+
            (?:[ ]++(?!["'])(?:[^\s()<>\\]|\([^\n()<>\\]*+\))++)++)\))""",
    regex.X | regex.S,
)
_REFERENCE = regex.compile(r"\[((?:[^\[\]\\]|\\.)*+)\]", regex.S)
_UNDECIDED = regex.compile(
    r"""\\ | ! | [hH](?:[tT](?:[tT](?:[pP][sS]?(?::/{0,2}[!-;=?-~]*)?)?)?)?
      | [wW](?:[wW](?:[wW](?:\.[!-;=?-~]*)?)?)?
      | &(?:\#(?:[0-9]{0,7}|[xX][0-9a-fA-F]{0,6})|[a-zA-Z][a-zA-Z0-9]{0,31})?
      | <(?:[a-zA-Z!@\#?/][^\s<>]*+)?
      | <(?:https?://|mailto:)[^\s<>|]++\|[^<>|\n]*+
      | </?[a-zA-Z][\w-]*+(?:\s+[\w:-]++=(?:"[^"<>\n]*"|'[^'<>\n]*'|[^\s"'<>]++))*+
          (?:\s+(?:[\w:-]++(?:=(?:"[^"<>\n]*|'[^'<>\n]*|[^\s"'<>]*))?)?)?/?""",
    regex.X,
)
_UNDECIDED_STARTS = regex.compile(r"\\.|([\\&<!]|(?<![^\W_])[hHwW])", regex.S)


@dataclass(frozen=True, slots=True)
class MarkdownLink:
    """A link or image: `[label](target)`, or `[label][target]` if `is_reference`.

    All fields are places in the text; `start` is the bracket, or the `!` of an image.
    """

    start: int
    label: tuple[int, int]
    target: tuple[int, int]
    end: int
    is_image: bool
    is_reference: bool


@dataclass(frozen=True, slots=True)
class InlineMarkup:
    """The inline markup of a stretch of text.

    `code_spans` include their backticks. `open_markers` are not closed, outermost first;
    `open_start` is the place of the first one, or -1. From `undecided_start` on, more text may
    change how the stretch is read.
    """

    code_spans: list[tuple[int, int]]
    links: list[MarkdownLink]
    open_markers: list[str]
    undecided_start: int
    open_start: int = -1


@dataclass(slots=True)
class _EmphasisRun:
    """A run of `*`, `_` or `~` that may open emphasis; `unused` of its `size` characters are left.

    It is doubtful if it may be no emphasis, as in `2*3` or `{*}`.
    """

    char: str
    unused: int
    size: int
    can_close: bool
    is_doubtful: bool
    start: int


@dataclass(frozen=True, slots=True)
class _Bracket:
    start: int
    label_start: int
    is_image: bool
    run_count: int


def read_inline(text: str, start: int, end: int, *, unfinished: bool = False) -> InlineMarkup:
    """Parse `text[start:end]`.

    If the text is `unfinished`, unclosed backticks open a code span to the end, and
    `undecided_start` is the start of the first undecided markup. Otherwise both are plain text.
    """
    return _InlineReader(text, start, end, unfinished=unfinished).run()


class _InlineReader:
    def __init__(self, text: str, start: int, end: int, *, unfinished: bool) -> None:
        self._text, self._start, self._end = text, start, end
        self._unfinished = unfinished
        self._runs: list[_EmphasisRun] = []
        self._brackets: list[_Bracket] = []
        self._code_spans: list[tuple[int, int]] = []
        self._links: list[MarkdownLink] = []
        self._ticks_by_size: dict[int, list[int]] | None = None
        self._open_code = ""
        self._undecided_start = end

    def run(self) -> InlineMarkup:
        pos, search = self._start, _TOKEN.search
        while match := search(self._text, pos, self._end):
            pos = self._handle_token(match[0], match.start(), match.end())
        if self._unfinished:
            self._mark_open_brackets()
            self._mark_unfinished_token()
        runs = [run for run in self._runs if not run.is_doubtful]
        opened = [run.char * run.unused for run in runs]
        places = [run.start for run in runs]
        if self._open_code:
            opened.append(self._open_code)
            places.append(self._code_spans[-1][0])
        return InlineMarkup(
            self._code_spans, self._links, opened, self._undecided_start, *places[:1]
        )

    def _handle_token(self, token: str, start: int, end: int) -> int:
        """Handle one token, and return the place after it."""
        match token[0]:
            case "*" | "_" | "~":
                self._handle_emphasis(token, start, end)
            case "`":
                return self._handle_ticks(token, start, end)
            case "[" | "!":
                image = token[0] == "!"
                self._brackets.append(_Bracket(start, end, image, len(self._runs)))
            case "]":
                return self._handle_closing_bracket(start, end)
        return end

    def _handle_ticks(self, token: str, start: int, end: int) -> int:
        close = self._closing_ticks_end(len(token), end)
        if close is not None:
            self._code_spans.append((start, close))
            return close
        if self._unfinished and len(token) <= _MAX_TICKS:
            self._code_spans.append((start, self._end))
            self._open_code = token
            return self._end
        return end

    def _closing_ticks_end(self, size: int, after: int) -> int | None:
        """The end of the next run of `size` backticks; None if there is none."""
        if self._ticks_by_size is None:
            self._ticks_by_size = {}
            for match in _TICKS.finditer(self._text, self._start, self._end):
                self._ticks_by_size.setdefault(len(match[0]), []).append(match.start())
        places = self._ticks_by_size.get(size, [])
        index = bisect_left(places, after)
        return places[index] + size if index < len(places) else None

    def _handle_emphasis(self, token: str, start: int, end: int) -> None:
        if len(token) > _MAX_RUN_CHARACTERS or (token[0] == "~" and len(token) != 2):
            return
        opens, closes = self._flanks(token[0], start, end)
        left = len(token)
        while closes and left:
            used = self._close_run(token[0], left, len(token), both=opens and closes)
            if not used:
                break
            left -= used
        if opens and left:
            around = self._text[start - 1 : start] + self._text[end : end + 1]
            plain = len(token) == 1 or not around.isalpha()
            doubtful = closes and around.isascii() and plain
            self._runs.append(_EmphasisRun(token[0], left, len(token), closes, doubtful, start))
            if len(self._runs) > _MAX_OPEN_RUNS:
                del self._runs[0]

    def _flanks(self, char: str, start: int, end: int) -> tuple[bool, bool]:
        """Whether a run may open, and whether it may close emphasis."""
        before = _char_class(self._text[start - 1]) if start > self._start else " "
        after = _char_class(self._text[end]) if end < self._end else " "
        left = after != " " and (after != "." or before != "a")
        right = before != " " and (before != "." or after != "a")
        if char != "_":
            return left, right
        return left and (not right or before == "."), right and (not left or after == ".")

    def _close_run(self, char: str, left: int, size: int, *, both: bool) -> int:
        """Close the nearest open run of `char`, and return the number of characters used."""
        floor = self._brackets[-1].run_count if self._brackets else 0
        for index in range(len(self._runs) - 1, floor - 1, -1):
            run = self._runs[index]
            if run.char != char or not _may_pair(run, size, both=both):
                continue
            used = 2 if min(run.unused, left) >= 2 else 1
            run.unused -= used
            del self._runs[index + 1 :]
            if not run.unused:
                del self._runs[index]
            return used
        return 0

    def _handle_closing_bracket(self, start: int, end: int) -> int:
        if not self._brackets:
            return end
        bracket = self._brackets.pop()
        tail = self._read_target(bracket, end)
        if tail is None:
            return end
        target, stop, reference = tail
        label = (bracket.label_start, start)
        self._links.append(
            MarkdownLink(bracket.start, label, target, stop, bracket.is_image, reference)
        )
        if reference:  # without a definition, its name is a bracket pair of its own
            return end
        del self._runs[bracket.run_count :]
        if not bracket.is_image:
            self._brackets = [other for other in self._brackets if other.is_image]
        return stop

    def _read_target(self, bracket: _Bracket, at: int) -> tuple[tuple[int, int], int, bool] | None:
        """Parse the target after a label: its place, the link's end, whether it is a reference."""
        if at >= self._end:
            self._mark_undecided(bracket.start, _LABEL_REACH_CHARACTERS)
            return None
        if self._text[at] not in "([":
            return None
        pattern = _TAIL if self._text[at] == "(" else _REFERENCE
        stop = min(self._end, at + _LINK_REACH_CHARACTERS)
        match = pattern.match(self._text, at, stop, partial=self._unfinished and stop == self._end)
        if match is None:
            return None
        if match.partial:
            self._mark_undecided(bracket.start, _LABEL_REACH_CHARACTERS + _LINK_REACH_CHARACTERS)
            return None
        if pattern is _REFERENCE:
            return match.span(1), match.end(), True
        group = next(name for name in ("angle", "bare", "loose") if match[name] is not None)
        return match.span(group), match.end(), False

    def _mark_undecided(self, start: int, reach: int) -> None:
        if self._unfinished and self._end - start <= reach:
            self._undecided_start = min(self._undecided_start, start)

    def _mark_open_brackets(self) -> None:
        for bracket in self._brackets:
            if "\n" not in self._text[bracket.start : self._end]:
                self._mark_undecided(bracket.start, _LABEL_REACH_CHARACTERS)

    def _mark_unfinished_token(self) -> None:
        """Mark the start of an unfinished entity, escape, image, address or tag."""
        if self._open_code:
            return
        known = [end for _, end in self._code_spans[-1:]] + [link.end for link in self._links[-1:]]
        begin = max(self._start, self._end - _TAG_REACH_CHARACTERS, *known)
        for match in _UNDECIDED_STARTS.finditer(self._text, begin, self._end):
            if match[1] and _UNDECIDED.fullmatch(self._text, match.start(), self._end):
                self._undecided_start = min(self._undecided_start, match.start())
                return


def _may_pair(run: _EmphasisRun, size: int, *, both: bool) -> bool:
    """Whether two runs may pair: CommonMark's rule of three, and GitHub's rule for tildes."""
    if run.char == "~":
        return run.unused == 2
    if not (both or run.can_close):
        return True
    return (run.size + size) % 3 != 0 or (run.size % 3 == 0 and size % 3 == 0)


@lru_cache(maxsize=4096)
def _char_class(char: str) -> str:
    """Return " " for white space, "." for punctuation and symbols, "a" for all else."""
    if char.isspace():
        return " "
    return "." if category(char)[0] in "PS" else "a"
