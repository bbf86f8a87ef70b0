"""When the few uses of a response URL are spent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.ephemeral.response_urls import (
    MAX_PRESS_WAIT_SECONDS,
    URL_LIFETIME_SECONDS,
    USES_PER_URL,
    ResponseUrlPool,
    next_use_at,
)
from bot.delivery.scheduling.reader_state import NEVER, ReaderState

SPEED = 5.0


def reader_state(*, written: float = 0.0, shown: float = 0.0, at: float = 0.0) -> ReaderState:
    """An answer begun at 0 of which a reader was shown so many words at a time."""
    one = ReaderState(SPEED)
    one.words_written = written
    if written:
        one.text_began_at = 0.0
    if shown:
        one.record_shown(shown, at)
    return one


def test_response_url_has_five_uses_and_a_lifetime() -> None:
    pool = ResponseUrlPool()
    pool.add("one", 0.0)
    for left in reversed(range(USES_PER_URL)):
        url = pool.newest(1.0)
        assert url
        url.uses_left -= 1
        assert pool.uses_left(1.0) == left
    assert pool.newest(1.0) is None
    pool.add("two", 2.0)
    assert pool.uses_left(2.0 + URL_LIFETIME_SECONDS - 1) == USES_PER_URL
    assert pool.newest(2.0 + URL_LIFETIME_SECONDS) is None
    assert pool.uses_left(2.0 + URL_LIFETIME_SECONDS) == 0


def test_response_url_pool_returns_the_newest_url_first() -> None:
    pool = ResponseUrlPool()
    pool.add("one", 0.0)
    pool.add("two", 5.0)
    newest = pool.newest(5.0)
    assert newest
    assert newest.url == "two"
    pool.discard(newest)
    before = pool.newest(5.0)
    assert before
    assert before.url == "one"
    assert "one" not in repr(before)


@given(st.integers(-1, 1), st.floats(0, 5000), st.floats(0, 1000), st.booleans())
def test_next_use_at_reserves_the_last_use_for_the_final_message(
    left: int, written: float, now: float, pressed: bool
) -> None:
    at = next_use_at(reader_state(written=written), left, now, pressed_at=now if pressed else NEVER)
    assert at == NEVER


def test_next_use_at_answers_a_press_at_once_with_text_and_soon_without() -> None:
    assert next_use_at(reader_state(written=100), 5, 10.0, pressed_at=10.0) == 10.0
    at, looks = 10.0, 0
    while (then := next_use_at(reader_state(), 5, at, pressed_at=10.0)) > at:
        at, looks = then, looks + 1
    assert at == 10.0 + MAX_PRESS_WAIT_SECONDS
    assert looks > 5


def test_next_use_at_is_when_all_that_is_shown_is_read() -> None:
    one = reader_state(written=400, shown=50, at=10.0)
    assert next_use_at(one, 4, 10.0) == pytest.approx(20.0 - 0.2)


def test_next_use_at_spends_no_use_without_new_text() -> None:
    one = reader_state(written=50, shown=50, at=0.0)
    for now in (5.0, 50.0, 500.0):
        assert next_use_at(one, 5, now) > now


def test_next_use_at_demands_more_text_the_fewer_uses_are_left() -> None:
    """A slow model: two words a second more than its reader reads."""

    def least(left: int) -> float:
        words = 0
        while next_use_at(reader_state(written=10 + words, shown=10, at=0.0), left, 5.0) > 5.0:
            words += 1
        return words

    carried = [least(left) for left in (5, 4, 3, 2)]
    assert carried == sorted(carried)
    assert carried[0] < carried[-1] / 3
