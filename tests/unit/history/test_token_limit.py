"""What of a conversation fits, and what a token is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.history.fitting.remarks import summary_message
from bot.history.fitting.token_limit import (
    CLIPPED_ANSWER_MARK,
    DEFAULT_BYTES_PER_TOKEN,
    MAX_BYTES_PER_TOKEN,
    MIN_BYTES_PER_TOKEN,
    PICTURE_TOKENS,
    TokenRate,
    clip_answer,
    count_prompt_bytes,
    fit_messages,
    halve_messages,
)
from bot.upstream.prompt import Prompt, ToolSpec
from bot.values import Attachment, Author, Message

MESSAGES = st.lists(st.builds(Message, st.just("user"), st.text(max_size=200)), max_size=12)
ASKED = [Message("user", "and now?")]
RATE = TokenRate()


def cost(messages: list[Message]) -> int:
    return sum(map(RATE.estimate_tokens, messages))


@given(MESSAGES, st.integers(0, 500))
def test_fit_messages_keeps_the_first_and_the_newest_that_fit(
    said: list[Message], limit: int
) -> None:
    fitted = fit_messages(said[:1], said[1:], ASKED, limit, RATE)
    told = [*fitted.first, *fitted.newest, *ASKED]
    assert cost(told) <= max(limit, cost(ASKED))
    assert list(fitted.newest) == said[len(said) - len(fitted.newest) :]
    assert fitted.left_out == len(said) - len(fitted.first) - len(fitted.newest)


@given(MESSAGES, st.integers(0, 500))
def test_fit_messages_leaves_out_nothing_that_fits(said: list[Message], limit: int) -> None:
    fitted = fit_messages(said[:1], said[1:], ASKED, limit, RATE)
    if said and not fitted.first:
        assert cost([*said[:1], *ASKED]) > limit
    later = said[1:]
    if len(fitted.newest) < len(later):
        one_more = later[len(later) - len(fitted.newest) - 1 :]
        assert cost([*fitted.first, *one_more, *ASKED]) > limit


LONG_ANSWERS = st.lists(
    st.one_of(
        st.builds(Message, st.just("user"), st.text(max_size=200)),
        st.integers(1, 9000).map(lambda n: Message("assistant", "a" * n)),
    ),
    max_size=12,
)


@given(LONG_ANSWERS, st.integers(50, 6000))
def test_fit_messages_clips_our_answers_before_it_leaves_out_words_of_people(
    said: list[Message], limit: int
) -> None:
    fitted = fit_messages([], said, ASKED, limit, RATE)
    whole = said[len(said) - len(fitted.newest) :]
    clipped = [one is not before for one, before in zip(fitted.newest, whole, strict=True)]
    assert all(
        one in (before, clip_answer(before))
        for one, before in zip(fitted.newest, whole, strict=True)
    )
    if fitted.left_out:
        assert list(fitted.newest) == [clip_answer(one) for one in whole]
    elif cost([*said, *ASKED]) <= limit:
        assert not any(clipped)
    assert cost([*fitted.newest, *ASKED]) <= max(limit, cost(ASKED))


@given(st.text(max_size=4000))
def test_clip_answer_keeps_people_whole_and_shortens_our_long_answers(text: str) -> None:
    assert clip_answer(Message("user", text, Author("U1"))).text == text
    clipped = clip_answer(Message("assistant", text)).text
    assert len(clipped) <= len(text)
    assert clipped == text or clipped.endswith(CLIPPED_ANSWER_MARK)


def test_halve_messages_keeps_the_summary_and_the_first_message() -> None:
    summary = summary_message("short")
    said = [Message("user", f"{n} " * 100, Author("U1")) for n in range(6)]
    kept = halve_messages([summary, *said, *ASKED])
    assert kept[:2] == (summary, said[0])
    assert kept[-1] is ASKED[0]
    assert len(kept) < 8


def test_fit_messages_never_cuts_the_question() -> None:
    long = [Message("user", "x" * 10_000), Message("user", "y" * 10_000)]
    fitted = fit_messages(ASKED, ASKED, long, 100, RATE)
    assert (fitted.first, fitted.newest, fitted.left_out) == ((), (), 2)


def test_token_rate_counts_a_message_as_it_is_sent() -> None:
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
def test_token_rate_takes_the_first_sample_within_bounds(
    sent: int, counted: int, learnt: float
) -> None:
    rate = TokenRate()
    rate.add_sample(sent, counted)
    assert rate.bytes_per_token == learnt


def test_token_rate_is_a_moving_average_of_samples() -> None:
    rate = TokenRate()
    rate.add_sample(4000, 1000)
    rate.add_sample(2000, 1000)
    assert 3.0 < rate.bytes_per_token < 4.0
    for _ in range(40):
        rate.add_sample(2000, 1000)
    assert rate.bytes_per_token == pytest.approx(2.0, abs=0.01)


def test_token_rate_ignores_short_prompts() -> None:
    rate = TokenRate()
    rate.add_sample(20, 15)
    assert rate.bytes_per_token == DEFAULT_BYTES_PER_TOKEN


def test_count_prompt_bytes_counts_everything_that_is_sent() -> None:
    bare = count_prompt_bytes(Prompt("Be brief.", (Message("user", "é"),)))
    assert bare == len("Be brief.") + 2
    tool = ToolSpec("now", "Tells the time.", {"type": "object"})
    assert count_prompt_bytes(Prompt("Be brief.", (Message("user", "é"),), (tool,))) > bare + 30
    by_ada = Prompt("Be brief.", (Message("user", "é", Author("U1", "Ada")),))
    assert count_prompt_bytes(by_ada) > bare + 300


@given(MESSAGES)
def test_halve_messages_keeps_the_first_and_the_newest(
    said: list[Message],
) -> None:
    kept = halve_messages([*said, *ASKED])
    assert len(kept) < len(said) + 1
    if said:
        assert kept[-1] is ASKED[0]
    if len(said) > 1:
        assert kept[0] is said[0]
        assert list(kept[1:-1]) == said[len(said) - len(kept) + 2 :]


def test_picture_counts_as_tokens_and_text_of_a_file_does_not() -> None:
    rate = TokenRate()
    plain = Message("user", "What is this?")
    picture = Attachment("a.png", "image/png", data=bytes(10**6))
    notes = Attachment("a.txt", "text/plain", text="otters " * 1000)
    shown = replace(plain, attachments=(picture, notes))
    assert rate.estimate_tokens(shown) - rate.estimate_tokens(plain) == PICTURE_TOKENS
