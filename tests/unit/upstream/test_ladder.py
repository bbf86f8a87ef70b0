"""What failures cost: attempts, waits, time, and when the budget begins anew."""

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
from tests.unit.upstream.asking import config


class Time:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def ladder(time: Time | None = None, jitter: float = 1.0, **settings: Any) -> RetryBudget:
    """Return a fresh budget."""
    return RetryBudget(config(**settings), time or Time(), lambda: jitter)


def waits(ladder: RetryBudget, error: UpstreamError) -> list[float]:
    """Return every wait until the budget is spent."""
    found: list[float] = []
    with pytest.raises(UpstreamError) as last:
        found.extend(ladder.delay_after(error) for _ in range(99))
    assert last.value is error
    return found


@pytest.mark.parametrize(
    "error",
    [UpstreamBusy("x"), UpstreamUnreachable("x"), StreamDropped("x")],
    ids=lambda error: type(error).__name__,
)
def test_waits_double_up_to_a_cap(error: UpstreamError) -> None:
    assert waits(ladder(attempts=7), error) == [0.5, 1, 2, 4, 8, 8, 8]


def test_waits_are_spread_from_nothing_to_their_most() -> None:
    assert waits(ladder(jitter=0.0), UpstreamBusy("x")) == [0, 0, 0, 0, 0]
    assert waits(ladder(jitter=0.5), UpstreamBusy("x")) == [0.25, 0.5, 1, 2, 4]


@pytest.mark.parametrize("error", [UpstreamRefused("x"), PromptRefused("x"), UpstreamError("x")])
def test_what_no_attempt_can_mend_has_none(error: UpstreamError) -> None:
    assert waits(ladder(), error) == []


def test_an_error_may_know_better_than_its_class() -> None:
    assert waits(ladder(), UpstreamBusy("x", retryable=False)) == []
    assert len(waits(ladder(), PromptRefused("x", retryable=True))) == 5


def test_the_wish_of_the_server_is_the_least_wait() -> None:
    assert waits(ladder(), UpstreamBusy("x", retry_after=3)) == [3, 3, 3, 4, 8]
    assert waits(ladder(), UpstreamBusy("x", retry_after=120))[0] == 120


def test_a_longer_wish_than_we_have_patience_for_is_not_slept() -> None:
    assert waits(ladder(), UpstreamBusy("x", retry_after=120.1)) == []
    assert waits(ladder(max_wait_seconds=5), UpstreamBusy("x", retry_after=6)) == []


def test_no_attempt_begins_after_the_time_is_up() -> None:
    time = Time()
    budget = ladder(time, total_seconds=10)
    assert budget.delay_after(UpstreamBusy("x")) == 0.5
    time.now = 9.5
    with pytest.raises(UpstreamBusy):
        budget.delay_after(UpstreamBusy("x"))


def test_progress_brings_back_attempts_and_time() -> None:
    time = Time()
    budget = ladder(time, attempts=2, total_seconds=10)
    error = StreamDropped("x")
    assert [budget.delay_after(error) for _ in range(2)] == [0.5, 1]
    assert budget.failed_attempts == 2
    time.now = 100
    budget.reset()
    assert budget.failed_attempts == 0
    assert waits(budget, error) == [0.5, 1]


def test_without_attempts_the_first_failure_is_the_last() -> None:
    assert waits(ladder(attempts=0), StreamDropped("x")) == []
