"""Which answer is edited next, and when. Pure: time is an argument, in seconds of any monotonic
clock; text is counted in words.

All answers of a workspace share one budget of edits (docs/slack.md#tiers). It is spent where a
reader needs it most, earliest deadline first:

1. The end of an answer, at once. Some edits are kept back for it.
2. Text for a reader who has read all there is to see. It waits until it carries enough to read:
   with few edits for many answers, one that shows three words is wasted.
3. What is left, for whoever has not seen the newest text for longest. These edits have a price,
   a pause that grows as the minute is spent, and none is made that a reader will miss later.

When no edit comes in time, the missing text goes out as the thread's next message: posts have a
budget of their own, so the end of an answer never waits.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from bot.delivery.config import DeliveryConfig
from bot.delivery.ratelimit.limiters import WINDOW_SECONDS, RollingWindowLimiter

NEVER = float("inf")

EDIT_LATENCY_SECONDS = (
    0.2  # seconds an edit is on its way: so long before its reader runs out, it is due
)
RECHECK_SECONDS = 0.1  # seconds until another look at an answer that does not carry enough yet
MAX_FINAL_EDIT_WAIT_SECONDS = 0.25  # seconds the end of an answer may wait for an edit
MAX_EDIT_WAIT_SECONDS = 8.0  # seconds a reader waits for an edit, however little it carries
MAX_STARVING_SECONDS = (
    3.0  # seconds a reader waits for an edit before a message of its own is worth it…
)
MIN_NEW_MESSAGE_READING_SECONDS = 15.0  # …if it carries so many seconds of reading

# The price: 0.6 s between edits nobody waits for while the minute is unspent, 4 s before its end.
# One answer of 25 s is 0.4 s behind then and leaves a quarter of the minute (the simulator).
PAUSE_AT_LAST_EDIT_SECONDS = 4.0
MIN_EDIT_PAUSE_SECONDS = 0.5

# What is expected of an answer that has just begun. Older ones are expected to go on as long as
# they have gone on.
MIN_EXPECTED_REMAINING_SECONDS = 15.0  # seconds to come
EXPECTED_WORDS_PER_SECOND = 20.0  # words a second
FORECAST_SECONDS = 30.0  # seconds looked ahead for needs, at least
MIN_EDITS_PER_ANSWER = (
    2  # edits within the horizon that make an answer worth reading as it is written
)
PLANNED_EDIT_FRACTION = 0.5  # of the edits to come, how many are planned for readers who run out
MAX_PLANNED_EDITS_PER_ANSWER = 4.0  # edits for one of them

ARRIVAL_WINDOW_SECONDS = (
    120.0  # seconds: as many answers as have ended in them will come in as many more
)
EXPECTED_EDITS_PER_ANSWER = 4.0  # what one that is still to come will need


BYTES_PER_WORD = 6  # holds for English and is near for CJK


def count_words(text: str) -> float:
    """The length of a text in words."""
    return _count_bytes(text) / BYTES_PER_WORD


def _count_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


@dataclass(slots=True, eq=False)
class ReaderState:
    """One live answer and its reader, who reads `words_per_second` words a second."""

    words_per_second: float
    text_began_at: float = NEVER  # when its first word was written
    words_written: float = 0.0
    unseen_since: float = NEVER  # when the oldest change was made that is not shown
    final: bool = False
    has_stale_footer: bool = (
        False  # all text stands; only an older message still says that more comes
    )
    is_blocked: bool = False  # a write is under way
    next_post_at: float = 0.0  # when its channel takes another message
    words_shown: float = field(default=0.0, init=False)
    _counted_characters: int = field(
        default=0, init=False
    )  # characters of its text, and their bytes
    _counted_bytes: int = field(default=0, init=False)
    _words_read: float = field(default=0.0, init=False)
    _words_read_at: float = field(default=0.0, init=False)

    @property
    def needs_write(self) -> bool:
        """Whether a write of it would show something new."""
        return self.unseen_since < NEVER and not self.is_blocked

    def update_text(self, text: str) -> None:
        """All of its text by now. While it grows only what is new is counted: this is done with
        every piece of every answer. A text that was replaced is counted anew when it is final."""
        if self.final or len(text) < self._counted_characters:
            self._counted_characters = self._counted_bytes = 0
        self._counted_bytes += _count_bytes(text[self._counted_characters :])
        self._counted_characters = len(text)
        self.words_written = self._counted_bytes / BYTES_PER_WORD

    def record_shown(self, words: float, now: float) -> None:
        """The reader is shown so many words from now on."""
        self._words_read, self._words_read_at = self.words_read(now), now
        self.words_shown = words

    def words_read(self, now: float) -> float:
        """Words the reader has read by now."""
        return min(
            self.words_shown, self._words_read + self.words_per_second * (now - self._words_read_at)
        )

    @property
    def runs_out_at(self) -> float:
        """When the reader has read all that is shown."""
        return (
            self._words_read_at + (self.words_shown - self._words_read) / self.words_per_second
            if self.words_shown
            else self.text_began_at
        )

    @property
    def unshown_reading_seconds(self) -> float:
        """Seconds of reading a write of it would bring."""
        return (self.words_written - self.words_shown) / self.words_per_second

    @property
    def starves_since(self) -> float:
        """Since when (or from when on) its reader waits for text that exists."""
        return max(self.runs_out_at, self.unseen_since)

    def words_written_per_second(self, now: float) -> float:
        """Words a second it is written at, as far as can be told."""
        return (self.words_written + EXPECTED_WORDS_PER_SECOND) / (self.age_seconds(now) + 1)

    def age_seconds(self, now: float) -> float:
        """Seconds since its first word."""
        return max(0.0, now - self.text_began_at)

    def predict_run_outs(self, now: float, *, edited_now: bool) -> Iterator[float]:
        """Say when its reader will run out of text, again and again, if it is edited only then;
        with `edited_now`, if it is edited now besides."""
        end = now + min(WINDOW_SECONDS, max(FORECAST_SECONDS, self.age_seconds(now)))
        began, rate = now - self.age_seconds(now), self.words_written_per_second(now)
        shown = self.words_written if edited_now else self.words_shown
        at = now + (shown - self.words_read(now)) / self.words_per_second
        while at < end:
            yield at
            written = rate * (at - began)
            at += max(MAX_STARVING_SECONDS, (written - shown) / self.words_per_second)
            shown = written


class WriteKind(Enum):
    """How an answer goes on."""

    EDIT = "an edit of its last message"
    NEW_MESSAGE = "a new message with what is missing"


class ScheduledWrite(NamedTuple):
    """What to write next, and when, if nothing changes until then."""

    due_at: float
    reader: ReaderState
    kind: WriteKind


class EditScheduler:
    """The edits of one workspace: what was spent, and on whom the next one is.

    `remote_edits`: edits of the last minute by other processes that still write.
    """

    def __init__(self, config: DeliveryConfig) -> None:
        self.limiter = RollingWindowLimiter(config.edits_per_minute)
        self.remote_edits = 0
        self._reserved_final_edits = config.reserved_final_edits
        self._last_edit_at = float("-inf")
        self._ended_at: deque[float] = deque()

    def record_edit_start(self, now: float) -> None:
        """Count an edit that begins now."""
        self.limiter.record_start()
        self._last_edit_at = now

    def record_answer_ended(self, now: float) -> None:
        """Take note that an answer has ended."""
        self._ended_at.append(now)

    def is_crowded(self, live: Collection[ReaderState], now: float) -> bool:
        """Whether there are more answers than edits for their first text."""
        writing = self._estimate_active_answers([one for one in live if not one.final], now)
        kept = min(self._reserved_final_edits, int(writing))
        return writing > self.limiter.available_by(now + FORECAST_SECONDS, now) - kept

    def has_room(self, live: Collection[ReaderState], now: float) -> bool:
        """Whether one more answer is likely to be shown as it is written."""
        writing = 1 + self._estimate_active_answers([one for one in live if not one.final], now)
        kept = min(self._reserved_final_edits, int(writing))
        edits = self.limiter.available_by(now + FORECAST_SECONDS, now) - kept
        return (
            edits >= MIN_EDITS_PER_ANSWER * writing
            and self.limiter.available_at(now, 1 + kept) <= now + MAX_STARVING_SECONDS
        )

    def choose(self, live: Collection[ReaderState], now: float) -> ScheduledWrite | None:
        """Say which of the live answers goes on next; None if all of them stand as they should."""
        waiting = [one for one in live if one.needs_write]
        if not waiting:
            return None
        writing = [one for one in live if not one.final]
        answers = self._estimate_active_answers(writing, now)
        kept = min(self._reserved_final_edits, int(answers))
        share = self._edits_per_answer(answers, kept, now)
        choices = [
            *self._schedule_finals(
                [one for one in waiting if one.final and not one.has_stale_footer], now
            ),
            *self._schedule_starving([one for one in waiting if not one.final], kept, share, now),
            self._schedule_spare_edit(waiting, writing, kept, share, now),
        ]
        return min(choices, key=lambda choice: max(now, choice.due_at))  # of those due, the first

    def _schedule_finals(
        self, finals: Sequence[ReaderState], now: float
    ) -> Iterator[ScheduledWrite]:
        """In the order of completion; as messages where an edit would be late."""
        for place, one in enumerate(sorted(finals, key=lambda one: one.unseen_since), 1):
            at = self.limiter.available_at(now, place)
            yield ScheduledWrite(at, one, WriteKind.EDIT)
            if at > now + MAX_FINAL_EDIT_WAIT_SECONDS:
                yield ScheduledWrite(max(now, one.next_post_at), one, WriteKind.NEW_MESSAGE)

    def _schedule_starving(
        self, waiting: Sequence[ReaderState], reserved: int, edits_per_answer: float, now: float
    ) -> Iterator[ScheduledWrite]:
        """Readers who have read all, or are about to, in the order they run out."""
        opens = self.limiter.available_at(now, 1 + reserved)
        for one in sorted(waiting, key=lambda one: one.runs_out_at):
            if one.has_stale_footer:
                continue
            due = one.runs_out_at - EDIT_LATENCY_SECONDS
            if not _is_worth_an_edit(one, edits_per_answer, now):
                due = max(due, now + RECHECK_SECONDS)
            yield ScheduledWrite(max(due, opens), one, WriteKind.EDIT)
            if (
                opens > now + MAX_STARVING_SECONDS
                and one.unshown_reading_seconds >= MIN_NEW_MESSAGE_READING_SECONDS
            ):
                at = max(now, one.starves_since + MAX_STARVING_SECONDS, one.next_post_at)
                yield ScheduledWrite(at, one, WriteKind.NEW_MESSAGE)

    def _schedule_spare_edit(
        self,
        waiting: Sequence[ReaderState],
        unfinished: Sequence[ReaderState],
        reserved: int,
        edits_per_answer: float,
        now: float,
    ) -> ScheduledWrite:
        """Whoever has not seen the newest text for longest, at the price of the minute."""
        ripe = [one for one in waiting if _is_worth_an_edit(one, edits_per_answer, now)]
        who = min(ripe or waiting, key=lambda one: one.unseen_since)
        needs = [
            at for one in unfinished for at in one.predict_run_outs(now, edited_now=one is who)
        ]
        needs += (
            [now] * (reserved + 1)
            + self._predict_new_answer_edits(now)
            + self._predict_remote_edits(unfinished, now)
        )
        if self.limiter.spare_calls(needs, now) < 0:
            at = self.limiter.available_at(now, self.limiter.available(now) + 1)
        else:
            price = PAUSE_AT_LAST_EDIT_SECONDS / (self.limiter.available(now) - reserved) ** 0.5
            at = self._last_edit_at + max(MIN_EDIT_PAUSE_SECONDS, price)
        return ScheduledWrite(at if ripe else max(at, now + RECHECK_SECONDS), who, WriteKind.EDIT)

    def _estimate_active_answers(self, unfinished: Sequence[ReaderState], now: float) -> float:
        """How many answers are being written, with those elsewhere that share the budget: they
        are taken to get as many edits each as ours."""
        theirs = self.remote_edits
        if not theirs:
            return len(unfinished)
        as_ours = len(unfinished) * theirs / max(1, self.limiter.own_calls(now))
        return len(unfinished) + min(theirs / EXPECTED_EDITS_PER_ANSWER, as_ours)

    def _edits_per_answer(self, active_answers: float, reserved: int, now: float) -> float:
        """How many edits one of the answers being written can count on, ends aside."""
        edits = self.limiter.available_by(now + FORECAST_SECONDS, now) - reserved
        answers = (
            active_answers
            + len(self._predict_new_answer_edits(now)) * FORECAST_SECONDS / WINDOW_SECONDS
        )
        return min(
            MAX_PLANNED_EDITS_PER_ANSWER,
            max(1.0, PLANNED_EDIT_FRACTION * edits / max(1.0, answers)),
        )

    def _predict_remote_edits(self, unfinished: Sequence[ReaderState], now: float) -> list[float]:
        """When edits will be needed within a minute by answers that others write."""
        count = int(
            (self._estimate_active_answers(unfinished, now) - len(unfinished))
            * EXPECTED_EDITS_PER_ANSWER
        )
        return [now + WINDOW_SECONDS * n / count for n in range(1, count + 1)]

    def _predict_new_answer_edits(self, now: float) -> list[float]:
        """When edits will be needed within a minute by answers that have not begun yet."""
        while self._ended_at and self._ended_at[0] < now - ARRIVAL_WINDOW_SECONDS:
            self._ended_at.popleft()
        count = int(
            len(self._ended_at)
            * EXPECTED_EDITS_PER_ANSWER
            * WINDOW_SECONDS
            / ARRIVAL_WINDOW_SECONDS
        )
        return [now + WINDOW_SECONDS * n / count for n in range(1, count + 1)]


def _is_worth_an_edit(reader: ReaderState, edits_left: float, now: float) -> bool:
    """Whether what an edit would show is worth one of the `edits_per_answer` edits this answer has
    left.

    With r seconds of reading written a second, edits made whenever the reader runs out carry c,
    r·c, r²·c… seconds; c is enough if they last to the expected end. What shows no text (a change
    of state) is always worth it.
    """
    if reader.unshown_reading_seconds <= 0 or now - reader.starves_since > MAX_EDIT_WAIT_SECONDS:
        return True
    return reader.unshown_reading_seconds >= min_worthwhile_seconds(reader, edits_left, now)


def min_worthwhile_seconds(reader: ReaderState, edits_left: float, now: float) -> float:
    """Seconds of reading that are worth one of `edits_per_answer` edits, which is 1 or more."""
    ratio = max(0.01, reader.words_written_per_second(now) / reader.words_per_second - 1)
    left = max(MIN_EXPECTED_REMAINING_SECONDS, reader.age_seconds(now))
    return left * ratio / (math.pow(1 + ratio, edits_left) - 1)
