"""The retry budget: attempts, delays, deadline, and what a reset restores."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import (
    PromptRefused,
    StreamDropped,
    UpstreamBusy,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnreachable,
)
from bot.upstream.session.retry_budget import RetryBudget
from tests.unit.upstream.upstream_setup import config


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def new_budget(time: Time | None = None, jitter: float = 1.0, **settings: Any) -> RetryBudget:
    """Return a budget of which nothing is spent."""
    return RetryBudget(config(**settings), time or Time(), lambda: jitter)


def delays(budget: RetryBudget, error: UpstreamError) -> list[float]:
    """Return every delay until the budget raises the error."""
    found: list[float] = []
    with pytest.raises(UpstreamError) as last:
        found.extend(budget.delay_after(error) for _ in range(99))
    assert last.value is error
    return found


@pytest.mark.parametrize(
    "error",
    [UpstreamBusy("x"), UpstreamUnreachable("x"), StreamDropped("x")],
    ids=lambda error: type(error).__name__,
)
def test_retry_budget_doubles_delays_up_to_a_cap(error: UpstreamError) -> None:
    assert delays(new_budget(attempts=7), error) == [0.5, 1, 2, 4, 8, 8, 8]


def test_retry_budget_spreads_delays_with_full_jitter() -> None:
    assert delays(new_budget(jitter=0.0), UpstreamBusy("x")) == [0, 0, 0, 0, 0]
    assert delays(new_budget(jitter=0.5), UpstreamBusy("x")) == [0.25, 0.5, 1, 2, 4]


@pytest.mark.parametrize("error", [UpstreamRefused("x"), PromptRefused("x"), UpstreamError("x")])
def test_retry_budget_is_not_spent_on_permanent_errors(error: UpstreamError) -> None:
    assert delays(new_budget(), error) == []


def test_retry_budget_respects_retryable_of_a_single_error() -> None:
    assert delays(new_budget(), UpstreamBusy("x", retryable=False)) == []
    assert len(delays(new_budget(), PromptRefused("x", retryable=True))) == 5


def test_retry_budget_waits_at_least_retry_after() -> None:
    assert delays(new_budget(), UpstreamBusy("x", retry_after=3)) == [3, 3, 3, 4, 8]
    assert delays(new_budget(), UpstreamBusy("x", retry_after=120))[0] == 120


def test_retry_budget_does_not_wait_longer_than_max_wait_seconds() -> None:
    assert delays(new_budget(), UpstreamBusy("x", retry_after=120.1)) == []
    assert delays(new_budget(max_wait_seconds=5), UpstreamBusy("x", retry_after=6)) == []


def test_retry_budget_starts_no_attempt_after_its_deadline() -> None:
    time = Time()
    budget = new_budget(time, total_seconds=10)
    assert budget.delay_after(UpstreamBusy("x")) == 0.5
    time.now = 9.5
    with pytest.raises(UpstreamBusy):
        budget.delay_after(UpstreamBusy("x"))


def test_retry_budget_reset_restores_attempts_and_time() -> None:
    time = Time()
    budget = new_budget(time, attempts=2, total_seconds=10)
    error = StreamDropped("x")
    assert [budget.delay_after(error) for _ in range(2)] == [0.5, 1]
    assert budget.failed_attempts == 2
    time.now = 100
    budget.reset()
    assert budget.failed_attempts == 0
    assert delays(budget, error) == [0.5, 1]


def test_retry_budget_of_no_attempts_raises_the_first_failure() -> None:
    assert delays(new_budget(attempts=0), StreamDropped("x")) == []
