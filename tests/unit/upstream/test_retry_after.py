"""All forms in which a server asks to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.errors.retry_after import wait_from_headers, wait_from_message

DATE = "Sun, 22 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "0"}, 0),
        ({"llm_provider-retry-after": "7"}, 7),
        ({"llm_provider-retry-after-ms": "250", "llm_provider-retry-after": "9"}, 0.25),
        ({"retry-after": "7", "llm_provider-retry-after": "9"}, 7),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT", "date": DATE}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 11:59:30 GMT", "date": DATE}, 0),
        ({"retry-after": "Sun, 22 Nov 2026 13:00:30 +0100", "date": DATE}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "later", "date": DATE}, None),
        ({"retry-after": "", "date": DATE}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_from_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_from_headers(headers) == seconds


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached. Please try again in 6.5s.", 6.5),
        ("Please try again in 6.57s. Visit https://example.com", 6.57),
        ("try again in 120ms", 0.12),
        ("Try again in 20 seconds", 20),
        ("try again in 1 second", 1),
        ("Please try again in 6m0s.", 360),
        ("try again in 1m30.5s", 90.5),
        ("try again in 1h2m3s", 3723),
        ("try again in 2 minutes", 120),
        ("Please retry in 34.07s.", 34.07),
        ("Please retry after 20 seconds.", 20),
        ("Please wait for 3s", 3),
        ("please try again in a few seconds, or retry after 5 s", 5),
        ("try again in 250 milliseconds", 0.25),
        ("try again later", None),
        ("try again in 5 shoes", None),
        ("the model has 20 s", None),
        ("", None),
    ],
)
def test_retry_after_is_read_from_messages(message: str, seconds: float | None) -> None:
    assert wait_from_message(message) == seconds


@given(st.text(), st.dictionaries(st.sampled_from(["retry-after", "date"]), st.text()))
def test_retry_after_ignores_invalid_values(message: str, headers: dict[str, str]) -> None:
    for wait in (wait_from_message(message), wait_from_headers(headers)):
        assert wait is None or 0 <= wait < float("inf")
