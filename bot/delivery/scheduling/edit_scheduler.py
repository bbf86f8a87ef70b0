"""Decides which answer is edited next, and when. Pure: time is an argument, in seconds of any
monotonic clock; text is counted in words.

All answers of a workspace share one limit of edits (docs/slack.md#tiers). A model of each reader
says how much of the shown text is read by now. Whichever write is due first is made:

1. The final text of an answer is due at once, and so is an edit where it is unknown what Slack
   shows, after a take-over or a lost response. Some edits are reserved for final texts.
2. Text for a starving reader, one who has read all that is shown, is due when there is enough of
   it: with few edits for many answers, an edit that shows three words is wasted.
3. A spare edit goes to the answer whose newest text has been unseen for longest. After the last
   edit it waits for a pause, which grows as fewer edits are left. It is not made if the forecast
   shows that a reader will need that edit later.

Posts have a limit of their own. While edits are short, the first text of an answer is posted, with
the first message or in place of the placeholder. If no edit is available in time, missing text goes
out as the next message of the thread. So the final text does not wait for an edit either.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from bot.delivery.config import DeliveryConfig
from bot.delivery.ratelimit.limiters import WINDOW_SECONDS, RollingWindowLimiter
from bot.delivery.scheduling.reader_state import (
    FORECAST_SECONDS,
    MIN_EDIT_INTERVAL_SECONDS,
    ReaderState,
)

EDIT_LATENCY_SECONDS = 0.2  # duration of an edit, which is due that long before its reader runs out
RECHECK_SECONDS = 0.1  # until an answer with too little new text is looked at again
MAX_FINAL_EDIT_WAIT_SECONDS = 0.25  # how long a final text waits for an edit
MAX_EDIT_WAIT_SECONDS = 8.0  # after this wait a reader gets an edit that shows little, too
MAX_EDIT_DELAY_SECONDS = 1.0  # with no edit within this time, text is posted as a new message…
MIN_STARVING_SECONDS = 0.5  # …after its reader has starved for this time…
MIN_NEW_MESSAGE_READING_SECONDS = 15.0  # …if it takes at least this long to read

# With fewer edits for each answer than this, edits are short: the first text of an answer is
# posted. It is longer the fewer edits follow it: the quotient is how many seconds it takes to read.
SHORT_EDITS_PER_ANSWER = 2.0
FIRST_TEXT_READING_SECONDS = 7.0
MAX_HOLD_SECONDS = 1.5  # how long the first message waits for that text

# The pause before a spare edit, in windows divided by the limit: with 45 edits a minute 0.9 s at
# first, and 2.5 s before the last one of the minute. In the simulator, one answer of 25 s is then
# 0.4 s behind and leaves a third of the edits.
MIN_EDIT_PAUSE = 0.67
PAUSE_AT_LAST_EDIT = 1.9
MIN_EDIT_PAUSE_SECONDS = 0.5  # with any limit

# Expected of an answer that has just begun. An older one is expected to take as long again as it
# has taken so far.
MIN_EXPECTED_REMAINING_SECONDS = 15.0
MIN_EDITS_PER_ANSWER = 2  # with fewer in the forecast, showing an answer live is not worth it
PLANNED_EDIT_FRACTION = 0.5  # of the edits in the forecast, planned for readers who run out
MAX_PLANNED_EDITS_PER_ANSWER = 4.0

# As many answers are expected to begin in the next window as have ended in the last one.
ARRIVAL_WINDOW_SECONDS = 120.0
EXPECTED_EDITS_PER_ANSWER = 2.0  # of an answer that has not begun yet


class WriteKind(Enum):
    """How the missing text is shown. Each value describes its member."""

    EDIT = "an edit of the last message"
    NEW_MESSAGE = "a new message with the missing text"


class ScheduledWrite(NamedTuple):
    """The next write and its due time, valid until something changes."""

    due_at: float
    reader: ReaderState
    kind: WriteKind


class _Forecast(NamedTuple):
    """How the edits of the near future are shared."""

    reserved: int  # edits that are kept for final texts
    per_answer: float  # edits that each active answer can count on, apart from that of its end


class EditScheduler:
    """Chooses the edits of one workspace.

    Report each edit with `record_edit_start`, and with `limiter.record_end` when it has ended.
    `remote_edits` is how many edits other processes that are still alive made in the last minute.
    `ends_without_post` is how many of the live answers could not post their final text, if all
    ended now: more of them are in one channel than it takes posts at once.
    `pause_at_last_edit` is the pause before the last spare edit of a window, in windows divided by
    the limit.
    """

    def __init__(
        self, config: DeliveryConfig, *, pause_at_last_edit: float = PAUSE_AT_LAST_EDIT
    ) -> None:
        self.limiter = RollingWindowLimiter(config.edits_per_minute)
        self.remote_edits = 0
        self.ends_without_post = 0
        self._pause_at_last_edit = pause_at_last_edit
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
        reserved = self._count_reserved(active)
        return active > self.limiter.available_by(now + FORECAST_SECONDS, now) - reserved

    def has_room(self, readers: Collection[ReaderState], now: float) -> bool:
        """Whether one more answer can probably be shown while it is being written."""
        active = 1 + self._estimate_active_answers(
            [reader for reader in readers if not reader.final], now
        )
        reserved = self._count_reserved(active)
        edits = self.limiter.available_by(now + FORECAST_SECONDS, now) - reserved
        return (
            edits >= MIN_EDITS_PER_ANSWER * active
            and self.limiter.available_at(now, 1 + reserved) <= now + MIN_EDIT_INTERVAL_SECONDS
        )

    def hold_first_post_until(
        self, reader: ReaderState, readers: Collection[ReaderState], now: float
    ) -> float:
        """Return until when the first message of an answer waits for text, so that the text needs
        no edit: `now` if there are enough edits or there is enough text.

        `readers` are those of all live answers.
        """
        edits = self._forecast([other for other in readers if not other.final], now).per_answer
        if reader.final or edits >= SHORT_EDITS_PER_ANSWER or _is_worth_a_post(reader, edits, now):
            return now
        return max(now, reader.unseen_since + MAX_HOLD_SECONDS)

    def choose(self, readers: Collection[ReaderState], now: float) -> ScheduledWrite | None:
        """Return the next write of all live answers and its time; None if none needs a write."""
        waiting = [reader for reader in readers if reader.needs_write]
        if not waiting:
            return None
        unfinished = [reader for reader in readers if not reader.final]
        reserved, per_answer = self._forecast(unfinished, now)
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
        """Schedule final texts in order of completion; as new messages if edits would be late, or
        if those who can't post need them. Of two that are due at once, the first is made."""
        only_edits = self.ends_without_post + sum(reader.needs_edit for reader in finals)
        needed = self.limiter.available(now) <= only_edits > 0
        in_order = sorted(finals, key=lambda reader: (not reader.needs_edit, reader.unseen_since))
        for place, reader in enumerate(in_order, 1):
            at = self.limiter.available_at(now, place)
            post_at = max(now, reader.next_post_at)
            if not reader.needs_edit and (at > now + MAX_FINAL_EDIT_WAIT_SECONDS or needed):
                yield ScheduledWrite(post_at, reader, WriteKind.NEW_MESSAGE)
            yield ScheduledWrite(at, reader, WriteKind.EDIT)

    def _schedule_starving(
        self, waiting: Sequence[ReaderState], reserved: int, edits_per_answer: float, now: float
    ) -> Iterator[ScheduledWrite]:
        """Schedule text for readers in the order in which they run out of it, first for those of
        whom it is unknown what they see."""
        starving = [reader for reader in waiting if not reader.has_stale_footer]
        unknown = [reader for reader in starving if reader.needs_edit and reader.words_written]
        for place, reader in enumerate(unknown, 1):
            yield ScheduledWrite(self.limiter.available_at(now, place), reader, WriteKind.EDIT)
        starving = [reader for reader in starving if not reader.needs_edit]
        for place, reader in enumerate(sorted(starving, key=lambda reader: reader.runs_out_at), 1):
            available_at = self.limiter.available_at(now, place + reserved)
            due = reader.runs_out_at - EDIT_LATENCY_SECONDS
            if not _is_worth_an_edit(reader, edits_per_answer, now):
                due = max(due, now + RECHECK_SECONDS)
            edit = ScheduledWrite(max(due, available_at), reader, WriteKind.EDIT)
            at = max(now, reader.next_post_at)
            short = available_at > now + MAX_EDIT_DELAY_SECONDS
            if reader.has_placeholder and reader.words_written:
                enough = _is_worth_a_post(reader, edits_per_answer, now)
                short = short or edits_per_answer < SHORT_EDITS_PER_ANSWER
            else:
                enough = reader.unshown_reading_seconds >= MIN_NEW_MESSAGE_READING_SECONDS
                at = max(at, reader.starves_since + MIN_STARVING_SECONDS)
            if short:
                at = at if enough else max(at, now + RECHECK_SECONDS)
                yield ScheduledWrite(at, reader, WriteKind.NEW_MESSAGE)
            yield edit

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
            spare = self.limiter.available(now) - reserved
            pause = max(MIN_EDIT_PAUSE, self._pause_at_last_edit / spare**0.5)
            seconds = pause * WINDOW_SECONDS / self.limiter.limit
            at = self._last_edit_at + max(MIN_EDIT_PAUSE_SECONDS, seconds)
        return ScheduledWrite(
            at if ripe else max(at, now + RECHECK_SECONDS), chosen, WriteKind.EDIT
        )

    def _forecast(self, unfinished: Sequence[ReaderState], now: float) -> _Forecast:
        active = self._estimate_active_answers(unfinished, now)
        reserved = self._count_reserved(active)
        return _Forecast(reserved, self._edits_per_answer(active, reserved, now))

    def _count_reserved(self, active_answers: float) -> int:
        """Return how many edits are kept for final texts."""
        most = max(self._reserved_final_edits, self.ends_without_post)
        return min(most, int(active_answers))

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


def _is_worth_a_post(reader: ReaderState, edits_left: float, now: float) -> bool:
    """Whether there is enough text for the first message that shows any, if `edits_left` edits of
    this answer follow it."""
    enough = min_worthwhile_seconds(reader, edits_left + 1, now)
    return reader.unshown_reading_seconds >= max(FIRST_TEXT_READING_SECONDS / edits_left, enough)


def min_worthwhile_seconds(reader: ReaderState, edits_left: float, now: float) -> float:
    """Return how many seconds of reading an edit must show to be worth one of `edits_left`, which
    is at least 1."""
    ratio = max(0.01, reader.words_written_per_second(now) / reader.words_per_second - 1)
    remaining = max(MIN_EXPECTED_REMAINING_SECONDS, reader.age_seconds(now))
    return remaining * ratio / (math.pow(1 + ratio, edits_left) - 1)
