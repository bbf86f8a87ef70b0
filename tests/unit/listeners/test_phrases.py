# full-width marks are what Chinese keyboards write
"""Reactions and wishes for a thread are recognised, and nothing that asks something."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.listeners.admission.phrases import MAX_PHRASE_CHARACTERS, is_reaction, parse_thread_mode

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
MENTIONS_ONLY = (
    *("only when mentioned", "Only when mentioned, please.", "please only answer when mentioned"),
    *("Only reply when you're mentioned", "answer only if you are mentioned here", "mentions only"),
    *("only answer mentions", "please respond only when I mention you", "only when tagged"),
    *("please only respond in this thread when mentioned", "only if pinged", "only mentions"),
    *("unfollow this thread", "stop following this thread", "don't follow this thread"),
    *("只在提到时回答", "只在被提到时回复", "僅在被提及時回覆", "只有@你时才回答", "提到你再回答"),
    *("请只在提到你的时候回答。", "不要再跟进这个讨论串", "被提到时才回复", "只回答提到你的消息"),
)
FOLLOW = (
    *("follow this thread", "Follow this thread again, please", "please follow this thread"),
    *("keep following this thread", "follow the conversation", "跟进这个话题", "跟进这个消息列"),
    *("请关注这个讨论串", "继续跟进这个讨论", "跟進這個討論串", "请继续关注此话题，谢谢"),
)
NO_WISH = (
    *("only when mentioned in the report", "why only when mentioned", "only when mentioned?"),
    *("follow", "follow this thread and summarise it", "follow this link", "when is it mentioned"),
    *("mention", "only", "", "follow up on this thread", "关注", "什么时候提到", "只有我"),
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

    assert is_reaction(together) == (len(together) <= MAX_PHRASE_CHARACTERS)
    # "that" and the like are part of a reaction where they stand beside one
    if question not in {"that", "so", "all"}:
        assert not is_reaction(f"{together}. {question}")


@given(st.text())
def test_any_text_is_examined_without_an_error(text: str) -> None:
    assert not is_reaction(text + "?")
    is_reaction(text)


@pytest.mark.parametrize("part", ["ok ", "那", "thanks for ", "that is ", "好", "哈", "very "])
def test_long_text_is_examined_quickly(part: str) -> None:
    text = (part * MAX_PHRASE_CHARACTERS)[: MAX_PHRASE_CHARACTERS - 1] + "x"
    began = time.process_time()
    is_reaction(text)

    assert time.process_time() - began < 0.05


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        *((text, "mentions") for text in MENTIONS_ONLY),
        *((text, "follow") for text in FOLLOW),
        *((text, None) for text in (*NO_WISH, *REACTIONS, *QUESTIONS)),
    ],
)
def test_wish_for_a_thread_is_told_from_a_question(text: str, mode: str | None) -> None:
    assert parse_thread_mode(text) == mode
    assert not (mode and is_reaction(text))


@pytest.mark.parametrize("part", ["please ", "only ", "请", "answer only ", "只在提到", "从"])
def test_long_wish_is_examined_quickly(part: str) -> None:
    text = (part * MAX_PHRASE_CHARACTERS)[: MAX_PHRASE_CHARACTERS - 1] + "x"
    began = time.process_time()
    parse_thread_mode(text)

    assert time.process_time() - began < 0.05
