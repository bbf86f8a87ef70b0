"""The newest line of the model's reasoning, for the status of an answer. Pure."""

from __future__ import annotations

from itertools import pairwise

import regex

from bot.render.notification import plain_line

MAX_LINE_CHARACTERS = 120

_TAG = regex.compile(r"</?(?:think|thinking|thought|thoughts|reasoning|reflection)>", regex.I)
_FENCE = regex.compile(r"^[ \t]*(?:```|~~~)", regex.M)
_HEADING = regex.compile(
    r"^[ \t]*(?:\#{1,6}[ \t]+(.+?)|(?:\d+\.[ \t]+)?(?:\*\*|__)([^*_].*?)(?:\*\*|__):?)[ \t]*$"
)
# A sentence ends with a mark of its script; "3.14" and "e.g." within a line do not end one.
_SENTENCE_END = regex.compile(r"(?:(?<=[.!?…][\"')\]*_]?)(?=\s)|(?<=[。！？]))")
_WIDE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
# Characters of the shortest sentence that is shown, of which "Hmm." is none. A wide one counts as
# two. Ours.
_MIN_SENTENCE_CHARACTERS = 10


def newest_line(text: str) -> str:
    """The newest heading of reasoning, or its newest sentence if it has no headings, as one plain
    line; "" if there is none yet.

    What is not complete is left out, because it changes with every delta. `text` may begin and end
    anywhere.
    """
    prose = _prose_lines(_TAG.sub("", text))
    complete = prose[:-1]
    headings = [found[1] or found[2] for line in complete if (found := _HEADING.match(line))]
    if headings and (heading := plain_line(headings[-1], MAX_LINE_CHARACTERS).rstrip(":\uff1a ")):
        return heading
    lines = (plain_line(one, MAX_LINE_CHARACTERS) for one in reversed(_sentences(prose)))
    return next((line for line in lines if _says_something(line)), "")


def _says_something(line: str) -> bool:
    return len(line) + len(_WIDE.findall(line)) >= _MIN_SENTENCE_CHARACTERS


def _prose_lines(text: str) -> list[str]:
    """The lines outside of fenced code; the last one is not complete."""
    pieces = _FENCE.split(text)
    prose = "".join(piece if n % 2 == 0 else "\n" for n, piece in enumerate(pieces))
    return prose.split("\n")


def _sentences(lines: list[str]) -> list[str]:
    """The complete sentences. The end of a line ends one."""
    found = []
    for number, line in enumerate(lines):
        ends = [0, *(match.start() for match in _SENTENCE_END.finditer(line)), len(line)]
        pieces = [line[start:end] for start, end in pairwise(ends)]
        found += pieces if number < len(lines) - 1 else pieces[:-1]
    return found
