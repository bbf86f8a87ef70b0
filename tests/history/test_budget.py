from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.history.budget import fit, halved, tokens
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


@given(messages)
def test_a_halved_conversation_is_shorter_and_keeps_its_first_and_newest(
    said: list[Message],
) -> None:
    kept = halved(said)
    assert len(kept) < len(said)
    if len(said) > 1:
        assert kept[-1] is said[-1]
    if len(said) > 2:
        assert kept[0] is said[0]
        assert list(kept[1:]) == said[len(said) - len(kept) + 1 :]
    if len(kept) > 2:
        assert sum(map(tokens, kept)) <= sum(map(tokens, said)) // 2
