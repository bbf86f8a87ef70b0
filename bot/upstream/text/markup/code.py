"""Tells whether a position in a Markdown text is inside code. Pure, in time linear in the text.

Recognises fences and code spans, but no indented code: that is enough to keep markup in code. A
step is a match of `CODE_STEP_PATTERN`: a place where code may begin or end.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, field

# What may change the state: a fence, a run of backticks, the end of a paragraph.
CODE_STEP_PATTERN = r"^ {0,3}(?P<fence>```+|~~~+)|(?P<ticks>`+)|(?P<gap>\n[ \t]*\n)"
_STEP = re.compile(CODE_STEP_PATTERN, re.MULTILINE)


class CodeState:
    """Reads the steps of a text in order, and tells whether the text after the last one is code."""

    def __init__(self) -> None:
        self._fence = ""
        self._span = 0

    @property
    def is_inside(self) -> bool:
        """Whether the position after the last step is code."""
        return bool(self._fence or self._span)

    def advance(self, found: re.Match[str]) -> None:
        """Take one match of `CODE_STEP_PATTERN`."""
        fence, ticks = found["fence"], found["ticks"]
        if found["gap"]:
            self._span = 0
        elif fence and not self._span:
            self._fence = "" if self._fence == fence[0] else self._fence or fence[0]
        elif not self._fence:
            length = len(fence or ticks)
            self._span = 0 if self._span == length else self._span or length


@dataclass(frozen=True, slots=True)
class GrowingCodeState:
    """The code state of a text that grows at its end, kept so that only the new part is read.

    `state` is the state at position `stable_until`. The text after that position may still become
    part of a step, so it is read again.
    """

    stable_until: int = 0
    state: CodeState = field(default_factory=CodeState)

    def extended(self, text: str) -> GrowingCodeState:
        """Return the state for a text that begins with the previous one."""
        code, at = copy(self.state), self.stable_until
        for found in _STEP.finditer(text, at):
            if found["gap"] or found.end() < len(text):
                code.advance(found)
                at = found.end()
        return GrowingCodeState(len(text) - _undecided_tail_length(text[at:]), code)

    def ends_in_code(self, text: str) -> bool:
        """Return whether text appended to this one would be code."""
        code = copy(self.state)
        for found in _STEP.finditer(text, self.stable_until):
            code.advance(found)
        return code.is_inside


def _undecided_tail_length(text: str) -> int:
    """Return how many characters at the end of a text without complete steps may begin one: the
    last line if it may become a fence or be blank, else a run of ticks."""
    line = text[max(0, text.rfind("\n")) :]
    return len(line) - len(line.rstrip("`~")) if line.strip(" \t\n`~") else len(line)


def ends_in_code(text: str) -> bool:
    """Return whether text appended to this one would be code."""
    return GrowingCodeState().ends_in_code(text)
