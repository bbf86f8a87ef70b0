"""How many failures an answer survives, and how long to wait after each: a tenacity policy.

Reads no clock and draws no random number of its own: both are passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tenacity import AttemptManager, RetryCallState, Retrying, retry_if_exception

from bot.errors import UpstreamError
from bot.upstream.config import UpstreamConfig

# Full jitter up to 0.5 s, 1 s, 2 s … 8 s, as other clients do (docs/upstream.md#retry-delays).
BASE_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 8.0


class RetryBudget:
    """`config.attempts` retries within `config.total_seconds`; `reset` it after progress.

    `now` is a monotonic clock in seconds, `jitter` a random number between 0 and 1. The caller
    sleeps, so the policy is iterated by hand: one attempt of tenacity's for each failure.
    """

    def __init__(
        self,
        config: UpstreamConfig,
        now: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._config = config
        self._now = now
        self._jitter = jitter
        self.reset()

    @property
    def failed_attempts(self) -> int:
        """How many failures were counted since the last reset."""
        return self._attempt.retry_state.attempt_number - 1

    def reset(self) -> None:
        """Start over with all attempts and the whole time."""
        self._deadline = self._now() + self._config.total_seconds
        self._delay_seconds = 0.0
        self._attempts: Iterator[AttemptManager] = iter(
            Retrying(
                retry=retry_if_exception(self._is_worth_retrying),
                wait=self._retry_after_or_jitter,
                stop=self._is_spent,
                sleep=self._record_delay,
                reraise=True,
            )
        )
        self._attempt = next(self._attempts)

    def delay_after(self, error: UpstreamError) -> float:
        """Return the seconds to wait before the next attempt; raise `error` if there is none."""
        with self._attempt:
            raise error
        self._attempt = next(self._attempts)
        return self._delay_seconds

    def _is_worth_retrying(self, error: BaseException) -> bool:
        """Whether another attempt can help, after a wait of at most `max_wait_seconds`."""
        if not isinstance(error, UpstreamError) or not error.retryable:
            return False
        return (error.retry_after or 0) <= self._config.max_wait_seconds

    def _retry_after_or_jitter(self, retry_state: RetryCallState) -> float:
        """Full jitter, but never less than the server asked for."""
        outcome = retry_state.outcome
        error = outcome.exception() if outcome else None
        hint = error.retry_after if isinstance(error, UpstreamError) else None
        longest: float = min(
            MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2 ** (retry_state.attempt_number - 1)
        )
        return max(hint or 0.0, self._jitter() * longest)

    def _is_spent(self, retry_state: RetryCallState) -> bool:
        """Whether no attempt is left, or the next one would begin after the deadline."""
        time_left = self._deadline - self._now()
        spent = retry_state.attempt_number > self._config.attempts
        return spent or retry_state.upcoming_sleep > time_left

    def _record_delay(self, seconds: float) -> None:
        self._delay_seconds = seconds
