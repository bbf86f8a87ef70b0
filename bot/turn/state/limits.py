"""The limits of one answer, whatever the model does. Pure: sizes and a clock go in.

The limits hold for all tool rounds, connections, attempts and take-overs of a turn together.
(`UPSTREAM_TOTAL_SECONDS` is different: it limits retries without progress.) An answer that reaches
a limit is cut off: its text stays, with a sentence that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import BotError, ResponseTooLarge
from bot.storage.records import Spent


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """The limits of one answer. All are settings, as is the number of tool rounds.

    `seconds` are counted while the model writes and its tools run. `events` leaves room for a model
    that streams single letters and as much reasoning as text. A tool returns at most 8,000
    characters per call, so 25 calls fit into `tool_characters`.
    """

    seconds: float = 1800.0
    characters: int = 200_000
    tool_calls: int = 25
    tool_characters: int = 250_000
    events: int = 1_000_000


NOTHING = Spent()


class AnswerLimitReached(BotError):
    """The answer has reached a limit. The message is what its reader is shown."""


class AnswerBudget:
    """Counts what one answer uses of its limits. Its time runs from construction on.

    `before` is what earlier owners of the turn have used; `now` is a monotonic clock in seconds.
    The `count_…` methods raise AnswerLimitReached when a limit is exceeded.
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
        """What the answer has used so far. Tool calls are counted from the checkpoint instead."""
        return Spent(self._now() - self._started_at, self._event_count)

    @property
    def seconds_left(self) -> float:
        """Seconds until the answer is cut off, at least 0."""
        return max(0.0, self.limits.seconds - self.spent.seconds)

    @property
    def tool_calls_left(self) -> int:
        """How many more tool calls may be run."""
        return max(0, self.limits.tool_calls - self._tool_call_count)

    def count_events(self, count: int, characters: int, pending_calls: int) -> None:
        """Count events; `characters` and `pending_calls` are those of the answer after them."""
        self._event_count += count
        if characters > self.limits.characters:
            limit = f"{self.limits.characters:,} characters"
            raise AnswerLimitReached(f"Cut off at {limit}, the most for one answer. {_GO_ON_HINT}")
        if pending_calls > self.tool_calls_left:
            raise AnswerLimitReached(
                f"Cut off: the model wanted to use tools more than {self.limits.tool_calls} times. "
                "Ask for a smaller part of it."
            )
        if self._event_count > self.limits.events:
            raise AnswerLimitReached(ResponseTooLarge.user_message)

    def count_tool_call(self, output_characters: int) -> None:
        """Count one tool call and the characters it returned."""
        self._tool_call_count += 1
        self._tool_characters += output_characters
        if self._tool_characters > self.limits.tool_characters:
            raise AnswerLimitReached(
                "Cut off: the tools returned more than fits into one answer. "
                "Ask for a smaller part of it."
            )

    def round_limit_error(self, rounds: int) -> AnswerLimitReached:
        """The error of an answer that calls tools again after the `rounds` rounds it may have."""
        times = "round" if rounds == 1 else "rounds"
        return AnswerLimitReached(
            f"Cut off: the model wanted to use tools after {rounds} {times} of them, the most for "
            "one answer. Ask for a smaller part of it."
        )

    def time_limit_error(self) -> AnswerLimitReached:
        """The error of an answer that has used its time."""
        return AnswerLimitReached(
            f"Cut off after {_format_duration(self.limits.seconds)}, the most for one answer. "
            f"{_GO_ON_HINT}"
        )


_GO_ON_HINT = "Ask me to go on if you need the rest."


def _format_duration(seconds: float) -> str:
    """For example "30 minutes"."""
    minutes = seconds / 60
    number, unit = (minutes, "minute") if minutes >= 1 else (seconds, "second")
    return f"{number:.3g} {unit}" + ("" if number == 1 else "s")
