"""What one answer's reader has left to read. Pure: time is an argument, in seconds of any monotonic
clock; text is counted in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.delivery.config import BYTES_PER_WORD
from bot.delivery.ratelimit.limiters import WINDOW_SECONDS

NEVER = float("inf")

EXPECTED_WORDS_PER_SECOND = 20.0  # of an answer that has just begun
FORECAST_SECONDS = 30.0  # how far edits are planned ahead, at least
MIN_EDIT_INTERVAL_SECONDS = 3.0  # between two edits of an answer in the forecast


def count_words(text: str) -> float:
    """Return the length of a text in words."""
    return _count_bytes(text) / BYTES_PER_WORD


def _count_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


@dataclass(slots=True, eq=False)
class ReaderState:
    """How much of one live answer is written and shown, and how much of it its reader has read.

    The reply keeps it up to date, except for `is_blocked` and `next_post_at`, which the dispatcher
    sets. The time of an event that has not happened is `NEVER`.
    """

    words_per_second: float  # how fast the reader reads
    text_began_at: float = NEVER  # when the first word was written
    words_written: float = 0.0
    unseen_since: float = NEVER  # when the oldest change was made that is not shown
    final: bool = False  # whether the newest text is the final one
    has_stale_footer: bool = False  # all text is shown; an earlier message still says *Writing…*
    needs_edit: bool = False  # a new message can't show the text: what is shown is unknown
    has_placeholder: bool = False  # no text is shown, and a new message may replace what is
    is_blocked: bool = False  # the scheduler must not choose it now
    next_post_at: float = 0.0  # when a new message may be posted
    words_shown: float = field(default=0.0, init=False)
    _counted_characters: int = field(default=0, init=False)  # those that `_counted_bytes` counts
    _counted_bytes: int = field(default=0, init=False)
    _words_read: float = field(default=0.0, init=False)
    _words_read_at: float = field(default=0.0, init=False)

    @property
    def needs_write(self) -> bool:
        """Whether there is something to show, and the scheduler may choose it."""
        return self.unseen_since < NEVER and not self.is_blocked

    def update_text(self, text: str) -> None:
        """Set `words_written` from the whole text of the answer.

        Only characters that are new are counted, because this runs for every delta. A text that was
        rewritten is counted in full when it has become shorter or is final.
        """
        if self.final or len(text) < self._counted_characters:
            self._counted_characters = self._counted_bytes = 0
        self._counted_bytes += _count_bytes(text[self._counted_characters :])
        self._counted_characters = len(text)
        self.words_written = self._counted_bytes / BYTES_PER_WORD

    def record_shown(self, words: float, now: float) -> None:
        """Record that Slack shows the first `words` words from now on."""
        self._words_read, self._words_read_at = self.words_read(now), now
        self.words_shown = words

    def words_read(self, now: float) -> float:
        """Return how many words the reader has read by now."""
        return min(
            self.words_shown, self._words_read + self.words_per_second * (now - self._words_read_at)
        )

    @property
    def runs_out_at(self) -> float:
        """When the reader will have read all that is shown."""
        return (
            self._words_read_at + (self.words_shown - self._words_read) / self.words_per_second
            if self.words_shown
            else self.text_began_at
        )

    @property
    def unshown_reading_seconds(self) -> float:
        """How many seconds it takes to read the text that is written but not shown."""
        return (self.words_written - self.words_shown) / self.words_per_second

    @property
    def starves_since(self) -> float:
        """When the reader began, or will begin, to starve: to wait for text that is written."""
        return max(self.runs_out_at, self.unseen_since)

    def words_written_per_second(self, now: float) -> float:
        """Estimate how fast the answer is written."""
        return (self.words_written + EXPECTED_WORDS_PER_SECOND) / (self.age_seconds(now) + 1)

    def age_seconds(self, now: float) -> float:
        """Return the seconds since the first word was written."""
        return max(0.0, now - self.text_began_at)

    def predict_run_outs(self, now: float, *, edited_now: bool) -> Iterator[float]:
        """Yield the times when the reader will run out of text, if an edit is made at each of
        them. `edited_now`: assume that an edit is made now as well."""
        end = now + min(WINDOW_SECONDS, max(FORECAST_SECONDS, self.age_seconds(now)))
        began, rate = now - self.age_seconds(now), self.words_written_per_second(now)
        shown = self.words_written if edited_now else self.words_shown
        at = now + (shown - self.words_read(now)) / self.words_per_second
        while at < end:
            yield at
            written = rate * (at - began)
            at += max(MIN_EDIT_INTERVAL_SECONDS, (written - shown) / self.words_per_second)
            shown = written
