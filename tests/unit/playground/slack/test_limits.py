from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.slack.limits import TIERS, WINDOW, Limiter, Limits, retry_after
from bot.playground.slack.web_api import METHODS


@pytest.mark.parametrize(
    ("method", "calls"),
    [
        ("chat.update", 50),
        ("chat.startStream", 20),
        ("chat.appendStream", 100),
        ("conversations.replies", 50),
        ("apps.connections.open", 50),
        ("assistant.threads.setStatus", 300),
    ],
)
def test_method_takes_as_many_calls_a_minute_as_its_tier(method: str, calls: int) -> None:
    limiter = Limiter(Limits())
    waits = [limiter.take(method, 0.0) for _ in range(calls + 1)]
    assert waits == [0.0] * calls + [WINDOW]


def test_retry_after_ends_when_the_oldest_call_is_a_minute_old() -> None:
    limiter = Limiter(Limits())
    for second in range(50):
        limiter.take("chat.update", float(second))
    assert limiter.take("chat.update", 50.0) == 10.0
    assert limiter.take("chat.update", 60.0) == 0.0


def test_methods_do_not_share_their_minute() -> None:
    limiter = Limiter(Limits())
    for _ in range(51):
        limiter.take("chat.update", 0.0)
    assert limiter.take("chat.delete", 0.0) == 0.0


def test_posts_to_one_channel_come_in_a_short_burst_then_one_a_second() -> None:
    limiter = Limiter(Limits(post_burst=3))
    burst = [limiter.take("chat.postMessage", 0.0, "C1") for _ in range(4)]
    assert burst == [0.0, 0.0, 0.0, 1.0]
    assert limiter.take("chat.postMessage", 0.0, "C2") == 0.0
    assert limiter.take("chat.postMessage", 1.0, "C1") == 0.0
    assert limiter.take("chat.postMessage", 1.5, "C1") == 0.5


def test_used_counts_what_was_let_through_in_the_last_minute() -> None:
    limiter = Limiter(Limits())
    for second in (0.0, 30.0, 61.0):
        limiter.take("chat.update", second)
    assert limiter.used("chat.update", 61.0) == 2
    assert limiter.budgets(61.0) == [{"method": "chat.update", "used": 2, "limit": 50}]


@pytest.mark.parametrize(("wait", "header"), [(0.2, 1), (1.0, 1), (1.01, 2), (59.5, 60)])
def test_retry_after_is_whole_seconds_and_long_enough(wait: float, header: int) -> None:
    assert retry_after(wait) == header


def test_limits_name_every_method() -> None:
    assert set(METHODS) == set(TIERS) | set(Limits().special)


@given(st.lists(st.floats(0, 3), max_size=300))
def test_calls_in_any_minute_never_exceed_the_tier(pauses: list[float]) -> None:
    limiter, now, through = Limiter(Limits()), 0.0, list[float]()
    for pause in pauses:
        now += pause
        wait = limiter.take("chat.update", now)
        assert wait >= 0
        through += [] if wait else [now]
    for end in through:
        assert sum(end - WINDOW < at <= end for at in through) <= 50


@given(st.lists(st.floats(0, 60), min_size=51, max_size=80))
def test_call_after_the_retry_after_is_accepted(pauses: list[float]) -> None:
    limiter, now = Limiter(Limits(tiers={3: 5})), 0.0
    for pause in pauses:
        now += pause / 100
        wait = limiter.take("chat.update", now)
        if wait:
            now += retry_after(wait)
            assert limiter.take("chat.update", now) == 0.0
