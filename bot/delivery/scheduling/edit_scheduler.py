"""Decides which answer is edited next, and when. Pure: time is an argument, in seconds of any
monotonic clock; text is counted in words.

All answers of a workspace share one limit of edits (docs/slack.md#tiers). A model of each reader
says how much of the shown text is read by now. Whichever write is due first is made:

1. The final text of an answer is due at once. Some edits are reserved for final texts.
2. Text for a starving reader, one who has read all that is shown, is due when there is enough of
   it: with few edits for many answers, an edit that shows three words is wasted.
3. A spare edit goes to the answer whose newest text has been unseen for longest. After the last
   edit it waits for a pause, which grows as fewer edits are left. It is not made if the forecast
   shows that a reader will need that edit later.

If no edit is available in time, the missing text goes out as the next message of the thread. Posts
have a limit of their own, so the final text does not wait for an edit.
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

EDIT_LATENCY_SECONDS = 0.2  # duration of an edit, which is due that long before its reader runs out
RECHECK_SECONDS = 0.1  # until an answer with too little new text is looked at again
MAX_FINAL_EDIT_WAIT_SECONDS = 0.25  # how long a final text waits for an edit
MAX_EDIT_WAIT_SECONDS = 8.0  # after this wait a reader gets an edit that shows little, too
MAX_STARVING_SECONDS = 3.0  # after this wait for an edit a reader gets a new message…
MIN_NEW_MESSAGE_READING_SECONDS = 15.0  # …if it takes at least this long to read

# The pause before a spare edit: 0.6 s while no edit of the minute is used, 4 s before the last one.
# In the simulator, one answer of 25 s is then 0.4 s behind and leaves a quarter of the edits.
PAUSE_AT_LAST_EDIT_SECONDS = 4.0
MIN_EDIT_PAUSE_SECONDS = 0.5

# Expected of an answer that has just begun. An older one is expected to take as long again as it
# has taken so far.
MIN_EXPECTED_REMAINING_SECONDS = 15.0
EXPECTED_WORDS_PER_SECOND = 20.0
FORECAST_SECONDS = 30.0  # how far edits are planned ahead, at least
MIN_EDITS_PER_ANSWER = 2  # with fewer in the forecast, showing an answer live is not worth it
PLANNED_EDIT_FRACTION = 0.5  # of the edits in the forecast, planned for readers who run out
MAX_PLANNED_EDITS_PER_ANSWER = 4.0

# As many answers are expected to begin in the next window as have ended in the last one.
ARRIVAL_WINDOW_SECONDS = 120.0
EXPECTED_EDITS_PER_ANSWER = 4.0  # of an answer that has not begun yet

BYTES_PER_WORD = 6  # holds for English and is near for CJK


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
            at += max(MAX_STARVING_SECONDS, (written - shown) / self.words_per_second)
            shown = written


class WriteKind(Enum):
    """How the missing text is shown. Each value describes its member."""

    EDIT = "an edit of the last message"
    NEW_MESSAGE = "a new message with the missing text"


class ScheduledWrite(NamedTuple):
    """The next write and its due time, valid until something changes."""

    due_at: float
    reader: ReaderState
    kind: WriteKind


class EditScheduler:
    """Chooses the edits of one workspace.

    Report each edit with `record_edit_start`, and with `limiter.record_end` when it has ended.
    `remote_edits` is how many edits other processes that are still alive made in the last minute.
    """

    def __init__(self, config: DeliveryConfig) -> None:
        self.limiter = RollingWindowLimiter(config.edits_per_minute)
        self.remote_edits = 0
        self._reserved_final_edits = config.reserved_final_edits
        self._last_edit_at = float("-inf")
        self._ended_at: deque[float] = deque()

    def record_edit_start(self, now: float) -> None:
        """Record that an edit begins now."""
        self.limiter.record_start()
        self._last_edit_at = now

    def record_answer_ended(self, now: float) -> None:
        """Record that an answer has ended; the forecast expects another one in its place."""
        self._ended_at.append(now)

    def is_crowded(self, readers: Collection[ReaderState], now: float) -> bool:
        """Whether fewer edits than answers are in the forecast, so that text will show late."""
        active = self._estimate_active_answers(
            [reader for reader in readers if not reader.final], now
        )
        reserved = min(self._reserved_final_edits, int(active))
        return active > self.limiter.available_by(now + FORECAST_SECONDS, now) - reserved

    def has_room(self, readers: Collection[ReaderState], now: float) -> bool:
        """Whether one more answer can probably be shown while it is being written."""
        active = 1 + self._estimate_active_answers(
            [reader for reader in readers if not reader.final], now
        )
        reserved = min(self._reserved_final_edits, int(active))
        edits = self.limiter.available_by(now + FORECAST_SECONDS, now) - reserved
        return (
            edits >= MIN_EDITS_PER_ANSWER * active
            and self.limiter.available_at(now, 1 + reserved) <= now + MAX_STARVING_SECONDS
        )

    def choose(self, readers: Collection[ReaderState], now: float) -> ScheduledWrite | None:
        """Return the next write of all live answers and its time; None if none needs a write."""
        waiting = [reader for reader in readers if reader.needs_write]
        if not waiting:
            return None
        unfinished = [reader for reader in readers if not reader.final]
        active = self._estimate_active_answers(unfinished, now)
        reserved = min(self._reserved_final_edits, int(active))
        per_answer = self._edits_per_answer(active, reserved, now)
        choices = [
            *self._schedule_finals(
                [reader for reader in waiting if reader.final and not reader.has_stale_footer], now
            ),
            *self._schedule_starving(
                [reader for reader in waiting if not reader.final], reserved, per_answer, now
            ),
            self._schedule_spare_edit(waiting, unfinished, reserved, per_answer, now),
        ]
        return min(choices, key=lambda choice: max(now, choice.due_at))  # of those due, the first

    def _schedule_finals(
        self, finals: Sequence[ReaderState], now: float
    ) -> Iterator[ScheduledWrite]:
        """Schedule final texts in order of completion; as new messages if edits would be late."""
        for place, reader in enumerate(sorted(finals, key=lambda reader: reader.unseen_since), 1):
            at = self.limiter.available_at(now, place)
            yield ScheduledWrite(at, reader, WriteKind.EDIT)
            if at > now + MAX_FINAL_EDIT_WAIT_SECONDS:
                yield ScheduledWrite(max(now, reader.next_post_at), reader, WriteKind.NEW_MESSAGE)

    def _schedule_starving(
        self, waiting: Sequence[ReaderState], reserved: int, edits_per_answer: float, now: float
    ) -> Iterator[ScheduledWrite]:
        """Schedule text for readers in the order in which they run out of it."""
        available_at = self.limiter.available_at(now, 1 + reserved)
        for reader in sorted(waiting, key=lambda reader: reader.runs_out_at):
            if reader.has_stale_footer:
                continue
            due = reader.runs_out_at - EDIT_LATENCY_SECONDS
            if not _is_worth_an_edit(reader, edits_per_answer, now):
                due = max(due, now + RECHECK_SECONDS)
            yield ScheduledWrite(max(due, available_at), reader, WriteKind.EDIT)
            if (
                available_at > now + MAX_STARVING_SECONDS
                and reader.unshown_reading_seconds >= MIN_NEW_MESSAGE_READING_SECONDS
            ):
                at = max(now, reader.starves_since + MAX_STARVING_SECONDS, reader.next_post_at)
                yield ScheduledWrite(at, reader, WriteKind.NEW_MESSAGE)

    def _schedule_spare_edit(
        self,
        waiting: Sequence[ReaderState],
        unfinished: Sequence[ReaderState],
        reserved: int,
        edits_per_answer: float,
        now: float,
    ) -> ScheduledWrite:
        """Schedule a spare edit for the answer whose newest text has been unseen for longest."""
        ripe = [reader for reader in waiting if _is_worth_an_edit(reader, edits_per_answer, now)]
        chosen = min(ripe or waiting, key=lambda reader: reader.unseen_since)
        needs = [
            at
            for reader in unfinished
            for at in reader.predict_run_outs(now, edited_now=reader is chosen)
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
        return ScheduledWrite(
            at if ripe else max(at, now + RECHECK_SECONDS), chosen, WriteKind.EDIT
        )

    def _estimate_active_answers(self, unfinished: Sequence[ReaderState], now: float) -> float:
        """Estimate how many answers are being written, by all processes that share the limit.
        Answers of other processes are assumed to get as many edits each as ours."""
        if not self.remote_edits:
            return len(unfinished)
        by_own_edits = len(unfinished) * self.remote_edits / max(1, self.limiter.own_calls(now))
        return len(unfinished) + min(self.remote_edits / EXPECTED_EDITS_PER_ANSWER, by_own_edits)

    def _edits_per_answer(self, active_answers: float, reserved: int, now: float) -> float:
        """Return how many edits each active answer can count on, apart from that of its end."""
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
        """Predict when answers of other processes will need edits within a minute."""
        count = int(
            (self._estimate_active_answers(unfinished, now) - len(unfinished))
            * EXPECTED_EDITS_PER_ANSWER
        )
        return [now + WINDOW_SECONDS * n / count for n in range(1, count + 1)]

    def _predict_new_answer_edits(self, now: float) -> list[float]:
        """Predict when answers that have not begun yet will need edits within a minute."""
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
    """Whether what an edit would show is worth one of the `edits_left` edits of this answer.

    If an answer is written r times as fast as it is read, and each edit is made when the reader
    runs out, the edits show c, r·c, r²·c… seconds of reading. The first one is worth it if c is
    large enough for all of them to last to the expected end. A change that shows no text, such as a
    new status line, is always worth it.
    """
    if reader.unshown_reading_seconds <= 0 or now - reader.starves_since > MAX_EDIT_WAIT_SECONDS:
        return True
    return reader.unshown_reading_seconds >= min_worthwhile_seconds(reader, edits_left, now)


def min_worthwhile_seconds(reader: ReaderState, edits_left: float, now: float) -> float:
    """Return how many seconds of reading an edit must show to be worth one of `edits_left`, which
    is at least 1."""
    ratio = max(0.01, reader.words_written_per_second(now) / reader.words_per_second - 1)
    remaining = max(MIN_EXPECTED_REMAINING_SECONDS, reader.age_seconds(now))
    return remaining * ratio / (math.pow(1 + ratio, edits_left) - 1)
