from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.playground.model.plan import Failure, Plan, Text, Thought, say, tokens
from bot.playground.model.script.reading import very_long


@given(st.text())
def test_tokens_contain_every_character(text: str) -> None:
    assert "".join(tokens(text)) == text


def test_tokens_are_about_a_word_or_a_part_of_one() -> None:
    assert list(tokens("Hello, extraordinary world")) == [
        "Hello",
        ",",
        " extraord",
        "inary",
        " world",
    ]
    assert list(tokens("答案会一")) == ["答案", "会一"]
    assert max(map(len, tokens(very_long()))) <= 9


@given(st.text(max_size=80), st.integers(0, 60))
def test_plan_within_a_limit_is_a_prefix_of_that_many_tokens(text: str, limit: int) -> None:
    cut = say(text).within(limit)
    assert text.startswith(cut.text)
    assert len(tokens(cut.text)) == min(limit, len(tokens(text)))
    assert cut.cut_off == (len(tokens(text)) > limit)


def test_reasoning_counts_towards_the_limit_and_a_cut_plan_fails_no_more() -> None:
    plan = Plan((Thought("one two three"), Text("four five")), Failure("server_error", "broken"))
    cut = plan.within(4)
    assert cut.parts == (Thought("one two three"), Text("four"))
    assert cut.failure is None
    assert plan.within(None) is plan
    assert plan.within(5) is plan


def test_length_of_an_answer_leaves_reasoning_out() -> None:
    assert Plan((Thought("long thought"), Text("abc"), Text("de"))).length == 5
