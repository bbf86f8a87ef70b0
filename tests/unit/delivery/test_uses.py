"""When the few uses of a lent address are spent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.ephemeral.response_urls import FIRST_LOOK, SECONDS, USES, Lent, spend_at
from bot.delivery.scheduling.pace import NEVER, Standing

SPEED = 5.0


def standing(*, written: float = 0.0, shown: float = 0.0, at: float = 0.0) -> Standing:
    """An answer begun at 0 of which a reader was shown so many words at a time."""
    one = Standing(SPEED)
    one.written = written
    if written:
        one.began = 0.0
    if shown:
        one.sees(shown, at)
    return one


def test_an_address_works_five_times_and_not_for_ever() -> None:
    lent = Lent()
    lent.lend("one", 0.0)
    for left in reversed(range(USES)):
        address = lent.newest(1.0)
        assert address
        address.left -= 1
        assert lent.left(1.0) == left
    assert lent.newest(1.0) is None
    lent.lend("two", 2.0)
    assert lent.left(2.0 + SECONDS - 1) == USES
    assert lent.newest(2.0 + SECONDS) is None
    assert lent.left(2.0 + SECONDS) == 0


def test_the_newest_address_is_used_first_and_then_those_before_it() -> None:
    lent = Lent()
    lent.lend("one", 0.0)
    lent.lend("two", 5.0)
    newest = lent.newest(5.0)
    assert newest
    assert newest.url == "two"
    lent.drop(newest)
    before = lent.newest(5.0)
    assert before
    assert before.url == "one"
    assert "one" not in repr(before)


@given(st.integers(-1, 1), st.floats(0, 5000), st.floats(0, 1000), st.booleans())
def test_the_last_use_is_never_spent_on_text(
    left: int, written: float, now: float, pressed: bool
) -> None:
    at = spend_at(standing(written=written), left, now, pressed_at=now if pressed else NEVER)
    assert at == NEVER


def test_a_press_is_answered_at_once_with_text_and_soon_without() -> None:
    assert spend_at(standing(written=100), 5, 10.0, pressed_at=10.0) == 10.0
    at, looks = 10.0, 0
    while (then := spend_at(standing(), 5, at, pressed_at=10.0)) > at:
        at, looks = then, looks + 1
    assert at == 10.0 + FIRST_LOOK
    assert looks > 5


def test_the_next_use_is_due_when_all_that_is_shown_is_read() -> None:
    one = standing(written=400, shown=50, at=10.0)
    assert spend_at(one, 4, 10.0) == pytest.approx(20.0 - 0.2)


def test_nothing_new_is_worth_no_use() -> None:
    one = standing(written=50, shown=50, at=0.0)
    for now in (5.0, 50.0, 500.0):
        assert spend_at(one, 5, now) > now


def test_the_fewer_uses_are_left_the_more_one_must_carry() -> None:
    """A slow model: two words a second more than its reader reads."""

    def least(left: int) -> float:
        words = 0
        while spend_at(standing(written=10 + words, shown=10, at=0.0), left, 5.0) > 5.0:
            words += 1
        return words

    carried = [least(left) for left in (5, 4, 3, 2)]
    assert carried == sorted(carried)
    assert carried[0] < carried[-1] / 3
