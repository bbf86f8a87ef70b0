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
from bot.delivery.ratelimit.budgets import MINUTE, Budget

NEVER = float("inf")

AHEAD = 0.2  # seconds an edit is on its way: so long before its reader runs out, it is due
LOOK = 0.1  # seconds until another look at an answer that does not carry enough yet
GRACE = 0.25  # seconds the end of an answer may wait for an edit
PATIENCE = 8.0  # seconds a reader waits for an edit, however little it carries
STARVES = 3.0  # seconds a reader waits for an edit before a message of its own is worth it…
WORTH_A_MESSAGE = 15.0  # …if it carries so many seconds of reading

# The price: 0.6 s between edits nobody waits for while the minute is unspent, 4 s before its end.
# One answer of 25 s is 0.4 s behind then and leaves a quarter of the minute (the simulator).
PRICE = 4.0
SHORTEST_PAUSE = 0.5

# What is expected of an answer that has just begun. Older ones are expected to go on as long as
# they have gone on.
LIFE = 15.0  # seconds to come
RATE = 20.0  # words a second
HORIZON = 30.0  # seconds looked ahead for needs, at least
ROOM = 2  # edits within the horizon that make an answer worth reading as it is written
PLANNED = 0.5  # of the edits to come, how many are planned for readers who run out
MOST_PLANNED = 4.0  # edits for one of them

MEMORY = 120.0  # seconds: as many answers as have ended in them will come in as many more
EDITS_AN_ANSWER = 4.0  # what one that is still to come will need


BYTES_A_WORD = 6  # holds for English and is near for CJK


def words(text: str) -> float:
    """The length of a text in words."""
    return _bytes(text) / BYTES_A_WORD


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


@dataclass(slots=True, eq=False)
class Standing:
    """One live answer and its reader, who reads `speed` words a second."""

    speed: float
    began: float = NEVER  # when its first word was written
    written: float = 0.0
    unseen_since: float = NEVER  # when the oldest change was made that is not shown
    final: bool = False
    untidy: bool = False  # all text stands; only an older message still says that more comes
    busy: bool = False  # a write is under way
    posts_at: float = 0.0  # when its channel takes another message
    shown: float = field(default=0.0, init=False)
    _counted: int = field(default=0, init=False)  # characters of its text, and their bytes
    _bytes: int = field(default=0, init=False)
    _read: float = field(default=0.0, init=False)
    _read_at: float = field(default=0.0, init=False)

    @property
    def waits(self) -> bool:
        """Whether a write of it would show something new."""
        return self.unseen_since < NEVER and not self.busy

    def writes(self, text: str) -> None:
        """All of its text by now. While it grows only what is new is counted: this is done with
        every piece of every answer. A text that was replaced is counted anew when it is final."""
        if self.final or len(text) < self._counted:
            self._counted = self._bytes = 0
        self._bytes += _bytes(text[self._counted :])
        self._counted = len(text)
        self.written = self._bytes / BYTES_A_WORD

    def sees(self, words: float, now: float) -> None:
        """The reader is shown so many words from now on."""
        self._read, self._read_at = self.read(now), now
        self.shown = words

    def read(self, now: float) -> float:
        """Words the reader has read by now."""
        return min(self.shown, self._read + self.speed * (now - self._read_at))

    @property
    def runs_out(self) -> float:
        """When the reader has read all that is shown."""
        return self._read_at + (self.shown - self._read) / self.speed if self.shown else self.began

    @property
    def carries(self) -> float:
        """Seconds of reading a write of it would bring."""
        return (self.written - self.shown) / self.speed

    @property
    def starves_since(self) -> float:
        """Since when (or from when on) its reader waits for text that exists."""
        return max(self.runs_out, self.unseen_since)

    def rate(self, now: float) -> float:
        """Words a second it is written at, as far as can be told."""
        return (self.written + RATE) / (self.age(now) + 1)

    def age(self, now: float) -> float:
        """Seconds since its first word."""
        return max(0.0, now - self.began)

    def needs(self, now: float, *, edited: bool) -> Iterator[float]:
        """Say when its reader will run out of text, again and again, if it is edited only then;
        with `edited`, if it is edited now besides."""
        end = now + min(MINUTE, max(HORIZON, self.age(now)))
        began, rate = now - self.age(now), self.rate(now)
        shown = self.written if edited else self.shown
        at = now + (shown - self.read(now)) / self.speed
        while at < end:
            yield at
            written = rate * (at - began)
            at += max(STARVES, (written - shown) / self.speed)
            shown = written


class How(Enum):
    """How an answer goes on."""

    EDIT = "an edit of its last message"
    MESSAGE = "a new message with what is missing"


class Choice(NamedTuple):
    """What to write next, and when, if nothing changes until then."""

    at: float
    who: Standing
    how: How


class Pace:
    """The edits of one workspace: what was spent, and on whom the next one is.

    `elsewhere`: edits of the last minute by other processes that still write.
    """

    def __init__(self, config: DeliveryConfig) -> None:
        self.edits = Budget(config.edits_per_minute)
        self.elsewhere = 0
        self._finals_kept = config.finals_kept
        self._edited_at = float("-inf")
        self._ends: deque[float] = deque()

    def begin(self, now: float) -> None:
        """Count an edit that begins now."""
        self.edits.begin()
        self._edited_at = now

    def ended(self, now: float) -> None:
        """Take note that an answer has ended."""
        self._ends.append(now)

    def is_crowded(self, live: Collection[Standing], now: float) -> bool:
        """Whether there are more answers than edits for their first text."""
        writing = self._writing([one for one in live if not one.final], now)
        kept = min(self._finals_kept, int(writing))
        return writing > self.edits.until(now + HORIZON, now) - kept

    def has_room(self, live: Collection[Standing], now: float) -> bool:
        """Whether one more answer is likely to be shown as it is written."""
        writing = 1 + self._writing([one for one in live if not one.final], now)
        kept = min(self._finals_kept, int(writing))
        edits = self.edits.until(now + HORIZON, now) - kept
        return edits >= ROOM * writing and self.edits.opens(now, 1 + kept) <= now + STARVES

    def choose(self, live: Collection[Standing], now: float) -> Choice | None:
        """Say which of the live answers goes on next; None if all of them stand as they should."""
        waiting = [one for one in live if one.waits]
        if not waiting:
            return None
        writing = [one for one in live if not one.final]
        answers = self._writing(writing, now)
        kept = min(self._finals_kept, int(answers))
        share = self._share(answers, kept, now)
        choices = [
            *self._ends_of([one for one in waiting if one.final and not one.untidy], now),
            *self._starving([one for one in waiting if not one.final], kept, share, now),
            self._left_over(waiting, writing, kept, share, now),
        ]
        return min(choices, key=lambda choice: max(now, choice.at))  # of those due, the first

    def _ends_of(self, finals: Sequence[Standing], now: float) -> Iterator[Choice]:
        """In the order of completion; as messages where an edit would be late."""
        for place, one in enumerate(sorted(finals, key=lambda one: one.unseen_since), 1):
            at = self.edits.opens(now, place)
            yield Choice(at, one, How.EDIT)
            if at > now + GRACE:
                yield Choice(max(now, one.posts_at), one, How.MESSAGE)

    def _starving(
        self, waiting: Sequence[Standing], kept: int, share: float, now: float
    ) -> Iterator[Choice]:
        """Readers who have read all, or are about to, in the order they run out."""
        opens = self.edits.opens(now, 1 + kept)
        for one in sorted(waiting, key=lambda one: one.runs_out):
            if one.untidy:
                continue
            due = one.runs_out - AHEAD
            if not _is_enough(one, share, now):
                due = max(due, now + LOOK)
            yield Choice(max(due, opens), one, How.EDIT)
            if opens > now + STARVES and one.carries >= WORTH_A_MESSAGE:
                at = max(now, one.starves_since + STARVES, one.posts_at)
                yield Choice(at, one, How.MESSAGE)

    def _left_over(
        self,
        waiting: Sequence[Standing],
        writing: Sequence[Standing],
        kept: int,
        share: float,
        now: float,
    ) -> Choice:
        """Whoever has not seen the newest text for longest, at the price of the minute."""
        ripe = [one for one in waiting if _is_enough(one, share, now)]
        who = min(ripe or waiting, key=lambda one: one.unseen_since)
        needs = [at for one in writing for at in one.needs(now, edited=one is who)]
        needs += [now] * (kept + 1) + self._newcomers(now) + self._elsewhere(writing, now)
        if self.edits.spare(needs, now) < 0:
            at = self.edits.opens(now, self.edits.free(now) + 1)
        else:
            price = PRICE / (self.edits.free(now) - kept) ** 0.5
            at = self._edited_at + max(SHORTEST_PAUSE, price)
        return Choice(at if ripe else max(at, now + LOOK), who, How.EDIT)

    def _writing(self, writing: Sequence[Standing], now: float) -> float:
        """How many answers are being written, with those elsewhere that share the budget: they
        are taken to get as many edits each as ours."""
        theirs = self.elsewhere
        if not theirs:
            return len(writing)
        as_ours = len(writing) * theirs / max(1, self.edits.ours(now))
        return len(writing) + min(theirs / EDITS_AN_ANSWER, as_ours)

    def _share(self, writing: float, kept: int, now: float) -> float:
        """How many edits one of the answers being written can count on, ends aside."""
        edits = self.edits.until(now + HORIZON, now) - kept
        answers = writing + len(self._newcomers(now)) * HORIZON / MINUTE
        return min(MOST_PLANNED, max(1.0, PLANNED * edits / max(1.0, answers)))

    def _elsewhere(self, writing: Sequence[Standing], now: float) -> list[float]:
        """When edits will be needed within a minute by answers that others write."""
        count = int((self._writing(writing, now) - len(writing)) * EDITS_AN_ANSWER)
        return [now + MINUTE * n / count for n in range(1, count + 1)]

    def _newcomers(self, now: float) -> list[float]:
        """When edits will be needed within a minute by answers that have not begun yet."""
        while self._ends and self._ends[0] < now - MEMORY:
            self._ends.popleft()
        count = int(len(self._ends) * EDITS_AN_ANSWER * MINUTE / MEMORY)
        return [now + MINUTE * n / count for n in range(1, count + 1)]


def _is_enough(one: Standing, share: float, now: float) -> bool:
    """Whether what an edit would show is worth one of the `share` edits this answer has left.

    With r seconds of reading written a second, edits made whenever the reader runs out carry c,
    r·c, r²·c… seconds; c is enough if they last to the expected end. What shows no text (a change
    of state) is always worth it.
    """
    if one.carries <= 0 or now - one.starves_since > PATIENCE:
        return True
    return one.carries >= worth(one, share, now)


def worth(one: Standing, share: float, now: float) -> float:
    """Seconds of reading that are worth one of `share` edits, which is 1 or more."""
    ratio = max(0.01, one.rate(now) / one.speed - 1)
    left = max(LIFE, one.age(now))
    return left * ratio / (math.pow(1 + ratio, share) - 1)
