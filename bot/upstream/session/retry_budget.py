"""What a failure costs: one tenacity policy, as data, asked after each failure.

Pure but for the randomness and the time it is given. Who climbs the ladder is `answer`; here
stands only whether there is another rung, and how long to wait before it.
"""

from __future__ import annotations

from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from bot.errors import UpstreamError
from bot.upstream.config import UpstreamConfig

# Full jitter up to 0.5 s, 1 s, 2 s … 8 s, as other clients do (docs/upstream.md#retry-delays).
BASE_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 8.0


class RetryBudget:
    """One budget of attempts and time; `reset` it whenever there was progress."""

    def __init__(
        self,
        config: UpstreamConfig,
        now: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._config = config
        self._now = now
        self._deadline = now() + config.total_seconds
        self._policy = Retrying(
            retry=retry_if_exception(self._is_worth_retrying),
            wait=_RetryAfterOrJitter(jitter),
            stop=stop_after_attempt(config.attempts + 1) | _StopAtDeadline(self._time_left),
            reraise=True,
        )
        self._state = self._new_state()

    @property
    def failed_attempts(self) -> int:
        """How many failures this budget has paid for."""
        return self._state.attempt_number - 1

    def reset(self) -> None:
        """Start the budget anew."""
        self._deadline = self._now() + self._config.total_seconds
        self._state = self._new_state()

    def delay_after(self, error: UpstreamError) -> float:
        """Return the seconds to wait before the next attempt; raise `error` if there is none."""
        self._state.set_exception((type(error), error, None))
        self._policy.iter(self._state)
        self._state.prepare_for_next_attempt()
        return self._state.upcoming_sleep

    def _new_state(self) -> RetryCallState:
        self._policy.begin()
        return RetryCallState(self._policy, None, (), {})

    def _is_worth_retrying(self, error: BaseException) -> bool:
        """A longer wait than `max_wait_seconds` is told to the reader instead of slept."""
        if not isinstance(error, UpstreamError) or not error.retryable:
            return False
        return (error.retry_after or 0) <= self._config.max_wait_seconds

    def _time_left(self) -> float:
        return self._deadline - self._now()


class _StopAtDeadline(stop_base):
    """The next attempt would begin after the time is up. tenacity's own stop has its own clock."""

    def __init__(self, time_left: Callable[[], float]) -> None:
        self._time_left = time_left

    def __call__(self, retry_state: RetryCallState) -> bool:
        return retry_state.upcoming_sleep > self._time_left()


class _RetryAfterOrJitter(wait_base):
    """The server's wish where it has one, else full jitter; never sooner than wished."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter

    def __call__(self, retry_state: RetryCallState) -> float:
        outcome = retry_state.outcome
        error = outcome.exception() if outcome else None
        hint = error.retry_after if isinstance(error, UpstreamError) else None
        most: float = min(
            MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2 ** (retry_state.attempt_number - 1)
        )
        return max(hint or 0.0, self._jitter() * most)
