"""What came of a case or of a plan of random crashes."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tests.chaos.crash.bots import Bot

P = TypeVar("P")


@dataclass(frozen=True)
class Outcome(Generic[P]):
    """What is wrong at the end of a plan, and the bots that ran, in order of their starts."""

    plan: P
    wrong: tuple[str, ...]
    bots: Sequence[Bot] = field(repr=False)
    timelines: Sequence[str] = field(repr=False)

    @property
    def crash_count(self) -> int:
        """The crashes that did happen."""
        return sum(bot.code == -signal.SIGKILL for bot in self.bots)

    def __str__(self) -> str:
        return f"{self.plan}: {'; '.join(self.wrong) or 'nothing wrong'}"
