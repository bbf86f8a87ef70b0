"""The limiters of one process: never more than the limit in any rolling minute, and no less."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.ratelimit.limiters import WINDOW_SECONDS, RollingWindowLimiter, TokenBucket

LIMIT = 5

moments = st.lists(st.floats(0, 30), max_size=60)


def call(budget: RollingWindowLimiter, now: float, lasts: float = 0.0) -> None:
    budget.record_start()
    budget.record_end(now + lasts)


@given(moments)
@settings(max_examples=200)
def test_limiter_allows_no_more_than_its_limit_in_any_minute(pauses: list[float]) -> None:
    budget, now, made = RollingWindowLimiter(LIMIT), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if budget.available(now):
            call(budget, now)
            made.append(now)
        assert sum(at > now - 60 for at in made) <= LIMIT


@given(moments, st.integers(1, LIMIT))
@settings(max_examples=200)
def test_limiter_allows_a_call_exactly_at_available_at(pauses: list[float], calls: int) -> None:
    budget, now = RollingWindowLimiter(LIMIT), 0.0
    for pause in pauses:
        now += pause
        if budget.available(now):
            call(budget, now)
    opens = budget.available_at(now, calls)
    assert opens >= now
    assert budget.available_by(opens, now) >= calls
    assert budget.available(opens) >= calls
    if opens > now:
        assert RollingWindowLimiter.available(budget, opens) >= calls


def test_limiter_counts_a_call_while_in_flight_and_for_a_minute_after() -> None:
    budget = RollingWindowLimiter(1)
    budget.record_start()
    assert budget.available(1000.0) == 0
    assert budget.available_at(1000.0) == float("inf")
    budget.record_end(1000.0)
    assert budget.available_at(1000.0) == 1000.0 + WINDOW_SECONDS
    assert budget.available(1000.0 + WINDOW_SECONDS) == 1


def test_limiter_is_blocked_for_the_retry_after_of_a_429() -> None:
    budget = RollingWindowLimiter(LIMIT)
    budget.record_rate_limited(100.0, 7.0)
    assert budget.available(106.9) == 0
    assert budget.available_at(100.0) == 107.0
    assert budget.available(107.0) > 0


def test_limiter_lowers_its_estimate_after_a_429_and_recovers_slowly() -> None:
    budget = RollingWindowLimiter(40)
    for _ in range(30):
        call(budget, 0.0)
    budget.record_rate_limited(0.0, 10.0)
    assert budget.estimated_limit(0.0) == 27.0
    assert budget.estimated_limit(60.0) < 33.0
    assert budget.estimated_limit(600.0) == 40.0


def test_limiter_keeps_a_minimum_estimate_after_one_odd_429() -> None:
    budget = RollingWindowLimiter(40)
    call(budget, 0.0)
    budget.record_rate_limited(0.0, 1.0)
    assert budget.estimated_limit(0.0) == 10.0


def test_limiter_spare_calls_leave_one_for_each_time_needed() -> None:
    budget = RollingWindowLimiter(LIMIT)
    assert budget.spare_calls([], 0.0) == 5
    assert budget.spare_calls([0.0, 0.0], 0.0) == 3
    assert budget.spare_calls([1.0] * 6, 0.0) == -1
    for _ in range(4):
        call(budget, 0.0)
    assert budget.spare_calls([10.0, 30.0], 10.0) == -1
    assert budget.spare_calls([70.0] * 4, 10.0) == 1  # by then the four are back


@given(st.lists(st.floats(0, 3), max_size=40), st.integers(1, 4))
def test_token_bucket_allows_a_burst_and_then_its_rate(pauses: list[float], burst: int) -> None:
    bucket, now, made = TokenBucket(1.0, burst), 0.0, list[float]()
    for pause in pauses:
        now = bucket.available_at(now + pause)
        bucket.take_token(now)
        made.append(now)
    for first, at in zip(made, made[burst:], strict=False):
        assert at - first > 0.999


def test_token_bucket_allows_one_post_after_the_retry_after_of_a_429() -> None:
    bucket = TokenBucket(1.0, 3)
    bucket.record_rate_limited(10.0, 5.0)
    assert bucket.available_at(10.0) == 15.0
    bucket.take_token(15.0)
    assert bucket.available_at(15.0) == 16.0


def test_limiter_counts_remote_calls_until_their_expiry() -> None:
    budget = RollingWindowLimiter(LIMIT)
    budget.set_remote_calls(1, [30.0, 10.0, -1.0], 0.0)
    assert budget.available(0.0) == 3
    assert budget.available_at(0.0, 4) == 10.0
    assert budget.available_by(30.0, 0.0) == 5
    assert budget.available(10.0) == 4


def test_limiter_with_a_divisor_allows_one_part_of_the_limit() -> None:
    budget = RollingWindowLimiter(LIMIT)
    budget.set_remote_calls(2, [], 0.0)
    assert budget.available(0.0) == 2
    call(budget, 0.0)
    call(budget, 0.0)
    assert budget.available_at(0.0) == WINDOW_SECONDS
    assert budget.available_by(1000.0, 0.0) == 2
    budget.set_remote_calls(1, [], 1.0)
    assert budget.available(1.0) == 3


def test_limiter_divides_only_what_remote_calls_are_not_known_to_use() -> None:
    budget, known = RollingWindowLimiter(LIMIT), [10.0, 20.0, 30.0, 40.0]
    free = []
    for now in (0.0, 9.0, 10.0, 20.0, 40.0):
        budget.set_remote_calls(2, known, now)
        free.append(budget.available(now))
    assert free == [0, 0, 1, 1, 2]


def test_limiter_keeps_own_calls_of_before_an_outage_up_to_its_part() -> None:
    budget = RollingWindowLimiter(LIMIT)
    for _ in range(3):
        call(budget, 0.0)
    budget.set_remote_calls(1, [50.0] * 2, 1.0)
    free = []
    for now, theirs in (
        (2.0, 3),
        (WINDOW_SECONDS - 0.1, 3),
        (WINDOW_SECONDS, 3),
        (WINDOW_SECONDS, 4),
        (WINDOW_SECONDS, LIMIT),
    ):
        budget.set_remote_calls(2, [WINDOW_SECONDS + 50.0] * theirs, now)
        free.append(budget.available(now))
    assert free == [0, 0, 2, 1, 0]


def test_limiter_does_not_count_a_cancelled_call() -> None:
    budget = RollingWindowLimiter(1)
    budget.record_start()
    budget.record_cancel()
    assert (budget.available(0.0), budget.own_calls(0.0)) == (1, 0)


def test_limiter_counts_remote_calls_when_a_429_lowers_its_estimate() -> None:
    budget = RollingWindowLimiter(40)
    budget.set_remote_calls(1, [50.0] * 10, 0.0)
    for _ in range(20):
        call(budget, 0.0)
    budget.record_rate_limited(0.0, 1.0)
    assert budget.estimated_limit(0.0) == 27.0


shares = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 4)), max_size=40)


@given(shares)
@settings(max_examples=100)
def test_limiters_of_several_processes_stay_within_the_limit_together(
    pauses: list[tuple[float, int]],
) -> None:
    parts = [RollingWindowLimiter(LIMIT) for _ in range(2)]
    now, made = 0.0, list[float]()
    for pause, calls in pauses:
        now += pause
        for budget in parts:
            budget.set_remote_calls(len(parts), [], now)
            for _ in range(min(calls, budget.available(now))):
                call(budget, now)
                made.append(now)
        assert sum(at > now - 60 for at in made) <= LIMIT
