"""What readers went through, from when words were written and when they were seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import ClassVar, Protocol

BYTES_A_WORD = 6
READS, SKIMS, READS_SLOWLY = 30.0, 60.0, 15.0  # bytes a second
STEP = 0.1


@dataclass(slots=True)
class Answer:
    """One answer's history: (time, words) as the model wrote them and as they stood in Slack."""

    n: int
    asked: float
    written: list[tuple[float, int]] = field(default_factory=list)
    seen: list[tuple[float, int]] = field(default_factory=list)
    finished: float = 0.0
    words: int = 0

    @property
    def complete(self) -> bool:
        """Whether all that was written was seen in the end."""
        return bool(self.seen) and self.seen[-1][1] == self.written[-1][1]

    @property
    def final_delay(self) -> float:
        """Seconds from the model's last word until all of them stood."""
        last, total = self.written[-1]
        return next((t for t, words in self.seen if words >= total), float("inf")) - last


class Counts(Protocol):
    """A Slack, simulated or played, that knows what was asked of it."""

    def count(self, method: str, outcome: str = "") -> int:
        """How many calls of a method came to that outcome."""

    @property
    def refused(self) -> int:
        """How many calls of any method were answered with 429."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One policy in one scenario; seconds, except counts. Stall and final are a reader's."""

    HEAD: ClassVar[str] = (
        f"{'stale':>7}{'p95':>7}{'x bound':>9}{'stall':>7}{'worst':>7}"
        f"{'at60':>7}{'at15':>7}{'final':>7}{'worst':>7}{'429s':>7}{'edits':>7}{'posts':>7}{'lost':>6}"
    )

    stale: float
    stale_p95: float
    stall: float
    worst_stall: float
    stall_at_60: float
    stall_at_15: float
    final: float
    worst_final: float
    limited: int
    edits: int
    posts: int
    lost: int

    def row(self, least: float) -> str:
        """One line of the table."""
        return (
            f"{self.stale:7.2f}{self.stale_p95:7.2f}{self.stale / least:9.2f}"
            f"{self.stall:7.2f}{self.worst_stall:7.2f}"
            f"{self.stall_at_60:7.2f}{self.stall_at_15:7.2f}"
            f"{self.final:7.2f}{self.worst_final:7.2f}"
            f"{self.limited:7}{self.edits:7}{self.posts:7}{self.lost:6}"
        )


def measure(answers: Sequence[Answer], slack: Counts) -> Figures:
    """Put a scenario's histories into figures."""
    ages = [list(_ages(answer)) for answer in answers]
    stalls = [_stall(answer, READS) for answer in answers]
    finals = [answer.final_delay for answer in answers]
    every = sorted(age for ages_of_one in ages for age in ages_of_one)
    return Figures(
        stale=mean(mean(ages_of_one) for ages_of_one in ages),
        stale_p95=every[int(len(every) * 0.95)],
        stall=mean(stalls),
        worst_stall=max(stalls),
        stall_at_60=mean(_stall(answer, SKIMS) for answer in answers),
        stall_at_15=mean(_stall(answer, READS_SLOWLY) for answer in answers),
        final=mean(finals),
        worst_final=max(finals),
        limited=slack.refused,
        edits=slack.count("chat.update", "ok"),
        posts=slack.count("chat.postMessage", "ok"),
        lost=sum(not answer.complete for answer in answers),
    )


def _walk(answer: Answer) -> list[tuple[float, int, int]]:
    """(time, written, seen) every `STEP` from the first word until all are seen."""
    steps = []
    written = seen = w = s = 0
    total = answer.written[-1][1]
    t = answer.written[0][0]
    while seen < total and t < answer.finished + 1:
        while w < len(answer.written) and answer.written[w][0] <= t:
            written = answer.written[w][1]
            w += 1
        while s < len(answer.seen) and answer.seen[s][0] <= t:
            seen = answer.seen[s][1]
            s += 1
        steps.append((t, written, seen))
        t += STEP
    return steps


def _ages(answer: Answer) -> list[float]:
    """Age of the oldest unseen word, every `STEP`."""
    ages, w = [], 0
    for t, written, seen in _walk(answer):
        while answer.written[w][1] <= seen and w < len(answer.written) - 1:
            w += 1
        ages.append(t - answer.written[w][0] if written > seen else 0.0)
    return ages


def _stall(answer: Answer, speed: float) -> float:
    """Seconds a reader of so many bytes a second had read everything shown while there was more."""
    read, stall = 0.0, 0.0
    for _, written, seen in _walk(answer):
        if read >= seen and written > seen:
            stall += STEP
        read = min(float(seen), read + speed / BYTES_A_WORD * STEP)
    return stall


def least_wait(asked: Sequence[float], lasts: float, words_per_second: float, edits: int) -> float:
    """Mean waiting of a reader no policy can beat with so many edits in any minute, finals among
    them.

    A reader who waits for c seconds and then gets each edit when they have read all reads for
    c (1 + r), c (1 + r)², … seconds, r being how many times as fast the model writes, less one.
    Together that has to reach the end. The wait falls ever more slowly with each further edit, so
    equal shares are best.
    """
    r = words_per_second / (READS / BYTES_A_WORD) - 1
    if r <= 0:
        return 0.0
    minutes = math.ceil((max(asked) + lasts - min(asked)) / 60)
    of_each = max(0.0, minutes * edits / len(asked) - 1)
    return min(lasts, lasts * r / (math.pow(1 + r, of_each + 1) - 1))


def bound(asked: Sequence[float], lasts: float, edits: int) -> float:
    """Mean staleness no policy can beat with so many edits in any minute, finals among them.

    In any minute, edits cut the time being written there into pieces; staleness grows from zero
    over each, so equal pieces are best, and what came before the minute is forgiven.
    """
    end = max(asked) + lasts
    return max(_bound_from(offset, asked, lasts, edits, end) for offset in range(-60, 0, 5))


def _bound_from(
    offset: float, asked: Sequence[float], lasts: float, edits: int, end: float
) -> float:
    area, t = 0.0, float(offset)
    while t < end:
        parts = [min(a + lasts, t + 60) - max(a, t) for a in asked]
        parts = [part for part in parts if part > 0]
        ends = sum(t < a + lasts <= t + 60 for a in asked)
        pieces = max(0, edits - ends) + len(parts)
        area += sum(parts) ** 2 / (2 * pieces) if parts else 0.0
        t += 60
    return area / (lasts * len(asked))
