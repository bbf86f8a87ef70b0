# full-width marks are what Chinese keyboards write
"""Reactions in words are recognised, and nothing that asks something."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.listeners.admission.phrases import MAX_REACTION_CHARACTERS, is_reaction

REACTIONS = (
    *("thanks", "Thanks!", "thank you so much!", "THX :pray:", "ok", "OK 👍", ":+1:", "👍👍"),
    *("great, thanks a lot", "Ok, got it. Thanks!", "that's perfect", "that makes sense, thanks"),
    *("it works now, thank you", "thanks everyone for the help", "good job", "haha"),
    *("谢谢", "謝謝", "好的，谢谢！", "谢谢你啊", "收到", "嗯嗯", "ok谢谢", "好的thanks", "那就好"),
    *("非常感谢", "太棒了", "明白了，谢谢大家", "瞭解，多謝", "辛苦了", "没问题", "原来如此"),
)
QUESTIONS = (
    *("thanks, and in French?", "ok?", "ok？", "why", "yes", "no", "continue", "go on", "stop"),
    *("ok now do it in Python", "what does ok mean", "1", "2.", "please", "more", "make it good"),
    *("thanks to whom", "that", "so", "all", "good question: which one", "kubernetes", "nicely"),
    *("好的，那法语呢", "谢谢的英文怎么说", "好吃", "行李", "可以", "继续", "为什么", "再短一点"),
)


@pytest.mark.parametrize("text", REACTIONS)
def test_reaction_is_recognised(text: str) -> None:
    assert is_reaction(text)


@pytest.mark.parametrize("text", QUESTIONS)
def test_question_is_no_reaction(text: str) -> None:
    assert not is_reaction(text)


@given(st.lists(st.sampled_from(REACTIONS), min_size=1, max_size=4), st.sampled_from(QUESTIONS))
def test_reactions_together_are_a_reaction_until_a_question_follows(
    said: list[str], question: str
) -> None:
    together = ". ".join(said)

    assert is_reaction(together) == (len(together) <= MAX_REACTION_CHARACTERS)
    # "that" and the like are part of a reaction where they stand beside one
    if question not in {"that", "so", "all"}:
        assert not is_reaction(f"{together}. {question}")


@given(st.text())
def test_any_text_is_examined_without_an_error(text: str) -> None:
    assert not is_reaction(text + "?")
    is_reaction(text)


@pytest.mark.parametrize("part", ["ok ", "那", "thanks for ", "that is ", "好", "哈", "very "])
def test_long_text_is_examined_quickly(part: str) -> None:
    text = (part * MAX_REACTION_CHARACTERS)[: MAX_REACTION_CHARACTERS - 1] + "x"
    began = time.process_time()
    is_reaction(text)

    assert time.process_time() - began < 0.05
