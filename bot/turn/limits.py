"""What one answer may cost at most, whatever the model does. Pure: an answer's size goes in.

Nothing renews these limits: they hold over all rounds of tools, all connections, all attempts and
all take-overs of one turn. `UPSTREAM_TOTAL_SECONDS` is another thing, one run of bad luck, which
ends as soon as there is progress. An answer that meets a limit is cut off: its text stays, with one
sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import BotError, TooMuch
from bot.storage.records import Spent


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """The limits of one answer; all are settings, and so is the number of rounds of tools.

    A model that streams letter by letter, and reasons as long as it writes, sends about twice as
    many events as characters; `events` leaves room for that. A tool returns at most 8,000
    characters a call, so 25 calls fit into `tool_characters`.
    """

    seconds: float = 1800.0  # in which the model is asked
    characters: int = 200_000
    tool_calls: int = 25
    tool_characters: int = 250_000
    events: int = 1_000_000


NOTHING = Spent()


class CutShort(BotError):
    """The answer has met a limit; the message is the sentence for the reader."""


class AnswerBudget:
    """What is left of one answer's limits. Its seconds pass from the moment it is made.

    `before` is what the answer had used when this process took it up; `now` is a clock in seconds.
    Every method that counts raises CutShort when the limit it watches is passed.
    """

    def __init__(
        self, limits: AnswerLimits, before: Spent = NOTHING, *, now: Callable[[], float]
    ) -> None:
        self.limits = limits
        self._now = now
        self._began = now() - before.seconds
        self._events = before.events
        self._calls = 0
        self._tool_characters = 0

    @property
    def spent(self) -> Spent:
        """What the answer has used by now; calls of tools are counted by its tool rounds."""
        return Spent(self._now() - self._began, self._events)

    @property
    def seconds_left(self) -> float:
        """Seconds until the answer is cut off; 0 if that is due."""
        return max(0.0, self.limits.seconds - self.spent.seconds)

    @property
    def calls_left(self) -> int:
        """How many more calls of tools may be run."""
        return max(0, self.limits.tool_calls - self._calls)

    def heard(self, characters: int, calls: int) -> None:
        """Count one event, after which the answer has so many characters and waiting calls."""
        self._events += 1
        if characters > self.limits.characters:
            most = f"{self.limits.characters:,} characters"
            raise CutShort(f"Cut off at {most}, the most for one answer. {_GO_ON}")
        if calls > self.calls_left:
            raise CutShort(
                f"Cut off: the model wanted to use tools more than {self.limits.tool_calls} times. "
                "Ask for a smaller part of it."
            )
        if self._events > self.limits.events:
            raise CutShort(TooMuch.sentence)

    def ran(self, output: int) -> None:
        """Count one call of a tool, which returned so many characters."""
        self._calls += 1
        self._tool_characters += output
        if self._tool_characters > self.limits.tool_characters:
            raise CutShort(
                "Cut off: the tools returned more than fits into one answer. "
                "Ask for a smaller part of it."
            )

    def out_of_rounds(self, rounds: int) -> CutShort:
        """The error of an answer that wants tools after so many rounds, which were all."""
        times = "round" if rounds == 1 else "rounds"
        return CutShort(
            f"Cut off: the model wanted to use tools after {rounds} {times} of them, the most for "
            "one answer. Ask for a smaller part of it."
        )

    def out_of_time(self) -> CutShort:
        """The error of an answer that took all of its seconds."""
        return CutShort(
            f"Cut off after {_duration(self.limits.seconds)}, the most for one answer. {_GO_ON}"
        )


_GO_ON = "Ask me to go on if you need the rest."


def _duration(seconds: float) -> str:
    """The time as a person says it."""
    minutes = seconds / 60
    number, unit = (minutes, "minute") if minutes >= 1 else (seconds, "second")
    return f"{number:.3g} {unit}" + ("" if number == 1 else "s")
