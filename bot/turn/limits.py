"""What one answer may cost at most, whatever the model does. Pure: an answer's size goes in.

Nothing renews these limits: they hold over all rounds of tools, all connections, all attempts and
all take-overs of one turn. `UPSTREAM_TOTAL_SECONDS` is another thing, one run of bad luck, which
ends as soon as there is progress. An answer that meets a limit is cut off: its text stays, with one
sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import BotError, ResponseTooLarge
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


class AnswerLimitReached(BotError):
    """The answer has met a limit; the message is the sentence for the reader."""


class AnswerBudget:
    """What is left of one answer's limits. Its seconds pass from the moment it is made.

    `before` is what the answer had used when this process took it up; `now` is a clock in seconds.
    Every method that counts raises AnswerLimitReached when the limit it watches is passed.
    """

    def __init__(
        self, limits: AnswerLimits, before: Spent = NOTHING, *, now: Callable[[], float]
    ) -> None:
        self.limits = limits
        self._now = now
        self._started_at = now() - before.seconds
        self._event_count = before.events
        self._tool_call_count = 0
        self._tool_characters = 0

    @property
    def spent(self) -> Spent:
        """What the answer has used by now; calls of tools are counted by its tool rounds."""
        return Spent(self._now() - self._started_at, self._event_count)

    @property
    def seconds_left(self) -> float:
        """Seconds until the answer is cut off; 0 if that is due."""
        return max(0.0, self.limits.seconds - self.spent.seconds)

    @property
    def tool_calls_left(self) -> int:
        """How many more calls of tools may be run."""
        return max(0, self.limits.tool_calls - self._tool_call_count)

    def count_event(self, characters: int, pending_calls: int) -> None:
        """Count one event, after which the answer has so many characters and waiting calls."""
        self._event_count += 1
        if characters > self.limits.characters:
            most = f"{self.limits.characters:,} characters"
            raise AnswerLimitReached(f"Cut off at {most}, the most for one answer. {_GO_ON_HINT}")
        if pending_calls > self.tool_calls_left:
            raise AnswerLimitReached(
                f"Cut off: the model wanted to use tools more than {self.limits.tool_calls} times. "
                "Ask for a smaller part of it."
            )
        if self._event_count > self.limits.events:
            raise AnswerLimitReached(ResponseTooLarge.user_message)

    def count_tool_call(self, output_characters: int) -> None:
        """Count one call of a tool, which returned so many characters."""
        self._tool_call_count += 1
        self._tool_characters += output_characters
        if self._tool_characters > self.limits.tool_characters:
            raise AnswerLimitReached(
                "Cut off: the tools returned more than fits into one answer. "
                "Ask for a smaller part of it."
            )

    def round_limit_error(self, rounds: int) -> AnswerLimitReached:
        """The error of an answer that wants tools after so many rounds, which were all."""
        times = "round" if rounds == 1 else "rounds"
        return AnswerLimitReached(
            f"Cut off: the model wanted to use tools after {rounds} {times} of them, the most for "
            "one answer. Ask for a smaller part of it."
        )

    def time_limit_error(self) -> AnswerLimitReached:
        """The error of an answer that took all of its seconds."""
        return AnswerLimitReached(
            f"Cut off after {_format_duration(self.limits.seconds)}, the most for one answer. "
            f"{_GO_ON_HINT}"
        )


_GO_ON_HINT = "Ask me to go on if you need the rest."


def _format_duration(seconds: float) -> str:
    """The time as a person says it."""
    minutes = seconds / 60
    number, unit = (minutes, "minute") if minutes >= 1 else (seconds, "second")
    return f"{number:.3g} {unit}" + ("" if number == 1 else "s")
