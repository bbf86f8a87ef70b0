from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.history.budget import fit, tokens
from bot.values import Message

messages = st.lists(st.builds(Message, st.just("user"), st.text(max_size=200)), min_size=1)


@given(messages, st.integers(0, 500))
def test_what_is_kept_is_the_newest_and_fits(said: list[Message], limit: int) -> None:
    kept = fit(said, limit)
    assert list(kept) == said[len(said) - len(kept) :]
    assert len(kept) == 1 or sum(tokens(m) for m in kept) <= limit


@given(messages, st.integers(0, 500))
def test_nothing_that_fits_is_left_out(said: list[Message], limit: int) -> None:
    kept = fit(said, limit)
    if len(kept) < len(said):
        assert sum(tokens(m) for m in said[-len(kept) - 1 :]) > limit
