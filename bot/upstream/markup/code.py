"""Whether a place in a Markdown text is code. Pure, and linear in the text that is read.

Only as exact as markup needs: fences and code spans, not code by indentation.
"""

from __future__ import annotations

import re

# What changes the state: a fence, a run of backticks, the end of a paragraph.
STEPS = r"^ {0,3}(?P<fence>```+|~~~+)|(?P<ticks>`+)|(?P<gap>\n[ \t]*\n)"
_STEP = re.compile(STEPS, re.MULTILINE)


class Code:
    """Fed with the steps of a text in order, says whether what follows is code."""

    def __init__(self) -> None:
        self._fence = ""
        self._span = 0

    @property
    def inside(self) -> bool:
        """Whether the place after the last step is code."""
        return bool(self._fence or self._span)

    def step(self, found: re.Match[str]) -> None:
        """Take one match of `STEPS`."""
        fence, ticks = found["fence"], found["ticks"]
        if found["gap"]:
            self._span = 0
        elif fence and not self._span:
            self._fence = "" if self._fence == fence[0] else self._fence or fence[0]
        elif not self._fence:
            length = len(fence or ticks)
            self._span = 0 if self._span == length else self._span or length


def ends_in_code(text: str) -> bool:
    """Return whether what follows this text would be code."""
    code = Code()
    for found in _STEP.finditer(text):
        code.step(found)
    return code.inside
