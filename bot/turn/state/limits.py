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
from bot.words import Language, Phrase, Saying, Sentence, say, sentence


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
    """The answer has reached a limit. `user_message` is what its reader is shown."""

    def __init__(self, user_message: Saying) -> None:
        super().__init__(say(Language.ENGLISH, user_message))
        self.user_message = user_message


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
            limit = self.limits.characters
            raise AnswerLimitReached(sentence(Phrase.CHARACTER_LIMIT, count=limit))
        if pending_calls > self.tool_calls_left:
            limit = self.limits.tool_calls
            raise AnswerLimitReached(sentence(Phrase.TOOL_CALL_LIMIT, count=limit))
        if self._event_count > self.limits.events:
            raise AnswerLimitReached(ResponseTooLarge.user_message)

    def count_tool_call(self, output_characters: int) -> None:
        """Count one tool call and the characters it returned."""
        self._tool_call_count += 1
        self._tool_characters += output_characters
        if self._tool_characters > self.limits.tool_characters:
            raise AnswerLimitReached(Phrase.TOOL_OUTPUT_LIMIT)

    def round_limit_error(self, rounds: int) -> AnswerLimitReached:
        """The error of an answer that calls tools again after the `rounds` rounds it may have."""
        return AnswerLimitReached(sentence(Phrase.TOOL_ROUND_LIMIT, count=rounds))

    def time_limit_error(self) -> AnswerLimitReached:
        """The error of an answer that has used its time."""
        duration = _duration(self.limits.seconds)
        return AnswerLimitReached(sentence(Phrase.TIME_LIMIT, duration=duration))


def _duration(seconds: float) -> Sentence:
    """For example "30 minutes"."""
    minutes = seconds / 60
    if minutes >= 1:
        return sentence(Phrase.MINUTES, count=minutes)
    return sentence(Phrase.SECONDS, count=seconds)
