"""When a connection is tried again, and what the operator reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.listeners.socket_mode.backoff import (
    Backoff,
    advice,
    connection_count,
    disconnect_error,
    lifetime_seconds,
)

AWAY = SlackUnreachable("socket", "closed")
REFUSED = SlackRefused("apps.connections.open", "invalid_auth")
failures = st.integers(0, 10_000)
chances = st.floats(0, 1)


@given(failures, chances)
def test_backoff_reconnects_within_seconds_without_many_attempts(count: int, chance: float) -> None:
    assert 0.125 <= Backoff().delay_after(count, AWAY, chance) <= 4.0


@given(failures, chances)
def test_backoff_after_a_refusal_keeps_the_rate_limit_of_the_method(
    count: int, chance: float
) -> None:
    assert 2.5 <= Backoff().delay_after(count, REFUSED, chance) <= 60.0


@given(failures, chances, st.floats(0, 300))
def test_backoff_waits_as_long_as_retry_after_says(count: int, chance: float, wish: float) -> None:
    limited = SlackRateLimited("apps.connections.open", wish)
    assert Backoff().delay_after(count, limited, chance) >= wish


@pytest.mark.parametrize("error", [AWAY, REFUSED], ids=["away", "refused"])
def test_backoff_grows_to_its_maximum(error: SlackUnreachable | SlackRefused) -> None:
    pauses = [Backoff().delay_after(count, error, 1.0) for count in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[:2] == [pauses[0], pauses[0] * 2]
    assert pauses[-1] == pauses[-2] == (4.0 if error is AWAY else 60.0)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("invalid_auth", "SLACK_APP_TOKEN"),
        ("token_revoked", "connections:write"),
        ("missing_scope", "connections:write"),
        ("link_disabled", "switch Socket Mode on"),
        ("too_many_websockets", "SOCKET_CONNECTIONS"),
        ("account_inactive", "install it again"),
        ("never_heard_of", "SLACK_APP_TOKEN"),
    ],
)
def test_advice_for_a_refusal_says_what_to_do(code: str, words: str) -> None:
    assert words in advice(SlackRefused("socket", code))


@pytest.mark.parametrize("reason", ["link_disabled", "too_many_websockets"])
def test_disconnect_error_of_a_refused_connection_is_a_refusal(reason: str) -> None:
    assert isinstance(disconnect_error(reason), SlackRefused)


@pytest.mark.parametrize("reason", ["closed", "silent", "warning", "no hello"])
def test_disconnect_error_of_a_broken_connection_is_unreachable(reason: str) -> None:
    assert isinstance(disconnect_error(reason), SlackUnreachable)


@pytest.mark.parametrize(
    ("hello", "seconds"),
    [
        ({"debug_info": {"approximate_connection_time": 18060}}, 18060.0),
        ({"debug_info": {"approximate_connection_time": 0}}, None),
        ({"debug_info": {"approximate_connection_time": "long"}}, None),
        ({"debug_info": {}}, None),
        ({"debug_info": "applink"}, None),
        ({}, None),
    ],
)
def test_hello_may_contain_the_lifetime_of_the_connection(
    hello: dict[str, Any], seconds: float | None
) -> None:
    assert lifetime_seconds(hello) == seconds


def test_hello_may_contain_the_number_of_connections() -> None:
    assert connection_count({"num_connections": 3}) == 3
    assert connection_count({"num_connections": "3"}) == connection_count({}) == 0
