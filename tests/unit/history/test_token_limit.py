"""What of a conversation fits, and what a token is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.history.token_limit import (
    DEFAULT_BYTES_PER_TOKEN,
    MAX_BYTES_PER_TOKEN,
    MIN_BYTES_PER_TOKEN,
    TokenRate,
    count_prompt_bytes,
    fit_messages,
    halve_messages,
)
from bot.upstream.prompt import Prompt, ToolSpec
from bot.values import Author, Message

MESSAGES = st.lists(st.builds(Message, st.just("user"), st.text(max_size=200)), max_size=12)
ASKED = [Message("user", "and now?")]
RATE = TokenRate()


def cost(messages: list[Message]) -> int:
    return sum(map(RATE.estimate_tokens, messages))


@given(MESSAGES, st.integers(0, 500))
def test_what_is_kept_is_the_first_and_the_newest_and_fits(said: list[Message], limit: int) -> None:
    fitted = fit_messages(said[:1], said[1:], ASKED, limit, RATE)
    told = [*fitted.first, *fitted.newest, *ASKED]
    assert cost(told) <= max(limit, cost(ASKED))
    assert list(fitted.newest) == said[len(said) - len(fitted.newest) :]
    assert fitted.left_out == len(said) - len(fitted.first) - len(fitted.newest)


@given(MESSAGES, st.integers(0, 500))
def test_nothing_that_fits_is_left_out(said: list[Message], limit: int) -> None:
    fitted = fit_messages(said[:1], said[1:], ASKED, limit, RATE)
    if said and not fitted.first:
        assert cost([*said[:1], *ASKED]) > limit
    later = said[1:]
    if len(fitted.newest) < len(later):
        one_more = later[len(later) - len(fitted.newest) - 1 :]
        assert cost([*fitted.first, *one_more, *ASKED]) > limit


def test_a_question_longer_than_the_limit_is_kept_whole() -> None:
    long = [Message("user", "x" * 10_000), Message("user", "y" * 10_000)]
    fitted = fit_messages(ASKED, ASKED, long, 100, RATE)
    assert (fitted.first, fitted.newest, fitted.left_out) == ((), (), 2)


def test_a_message_costs_what_is_sent_of_it() -> None:
    plain = RATE.estimate_tokens(Message("user", "hello"))
    assert RATE.estimate_tokens(Message("user", "hello", Author("U1", "Ada"))) > plain


@pytest.mark.parametrize(
    ("sent", "counted", "learnt"),
    [
        (3000, 1000, 3.0),
        (900_000, 1, MAX_BYTES_PER_TOKEN),
        (1000, 90_000, MIN_BYTES_PER_TOKEN),
        (1000, 0, DEFAULT_BYTES_PER_TOKEN),
    ],
)
def test_the_first_report_is_believed_within_bounds(sent: int, counted: int, learnt: float) -> None:
    rate = TokenRate()
    rate.add_sample(sent, counted)
    assert rate.bytes_per_token == learnt


def test_one_odd_report_moves_the_rate_a_little_and_many_move_it_all_the_way() -> None:
    rate = TokenRate()
    rate.add_sample(4000, 1000)
    rate.add_sample(2000, 1000)
    assert 3.0 < rate.bytes_per_token < 4.0
    for _ in range(40):
        rate.add_sample(2000, 1000)
    assert rate.bytes_per_token == pytest.approx(2.0, abs=0.01)


def test_a_short_prompt_teaches_nothing() -> None:
    rate = TokenRate()
    rate.add_sample(20, 15)
    assert rate.bytes_per_token == DEFAULT_BYTES_PER_TOKEN


def test_the_bytes_of_a_prompt_are_those_of_all_that_is_sent() -> None:
    bare = count_prompt_bytes(Prompt("Be brief.", (Message("user", "é"),)))
    assert bare == len("Be brief.") + 2
    tool = ToolSpec("now", "Tells the time.", {"type": "object"})
    assert count_prompt_bytes(Prompt("Be brief.", (Message("user", "é"),), (tool,))) > bare + 30
    by_ada = Prompt("Be brief.", (Message("user", "é", Author("U1", "Ada")),))
    assert count_prompt_bytes(by_ada) > bare + 300


@given(MESSAGES)
def test_a_halved_conversation_is_shorter_and_keeps_its_first_and_newest(
    said: list[Message],
) -> None:
    kept = halve_messages([*said, *ASKED])
    assert len(kept) < len(said) + 1
    if said:
        assert kept[-1] is ASKED[0]
    if len(said) > 1:
        assert kept[0] is said[0]
        assert list(kept[1:-1]) == said[len(said) - len(kept) + 2 :]
