"""The line of the status that tells what the model thinks. Pure: time is an argument."""

from __future__ import annotations

from bot.render.reasoning import newest_line

MIN_LINE_SECONDS = 4.0
"""How long a line stays at least, so that it can be read: 120 bytes at the default of
`READING_SPEED`. Every new line may cost an edit, which text needs more."""

_KEPT_CHARACTERS = 2_000  # of the reasoning: its newest heading and sentence. Ours.
_MAX_END_CHARACTERS = 3  # of the end of a sentence, such as `."`
_LINE_ENDS = frozenset(".!?…\n。！？")


class ReasoningLine:
    """Chooses the line while pieces of reasoning come.

    `is_shown`: a line was chosen since the last `clear`.
    """

    def __init__(self) -> None:
        self.is_shown = False
        self._line = self._tail = ""
        self._has_new_end = False  # a heading or sentence may have ended
        self._chosen_at = float("-inf")

    def add(self, text: str) -> None:
        """Take a piece of reasoning."""
        newest = self._tail[-_MAX_END_CHARACTERS:] + text  # an end is known from what follows it
        self._has_new_end = self._has_new_end or not _LINE_ENDS.isdisjoint(newest)
        self._tail = (self._tail + text)[-_KEPT_CHARACTERS:]

    def choose(self, now: float) -> str:
        """Return the line to show from now on; "" if nothing has to change."""
        if not self._has_new_end or now - self._chosen_at < MIN_LINE_SECONDS:
            return ""
        self._has_new_end = False
        line = newest_line(self._tail)
        if not line or line == self._line:
            return ""
        self.is_shown, self._line, self._chosen_at = True, line, now
        return line

    def clear(self) -> None:
        """Forget what was thought: the model does something else, or writes."""
        self.is_shown = self._has_new_end = False
        self._line = self._tail = ""
