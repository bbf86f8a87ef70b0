# ruff: noqa: RUF001  # full-width letters and marks are what Chinese keyboards write
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turn.thread_queue import MAX_STOP_CHARACTERS, is_stop, ordering_thread_key
from bot.values import File, Subject
from tests.unit.turn.answer_setup import question

STOPS = (
    *(
        "stop",
        " Stop! ",
        "STOP.",
        "Stop?",
        "stop…",
        "**stop**",
        "`stop`",
        "Ｓｔｏｐ！",
        "stop\u200b",
    ),
    *("Stop please!", "please stop", "ok stop now", "Ok, stop it.", "could you stop?", "stop it"),
    *("Can you please stop now?", "thanks, stop", "stop, thank you", "hey, stop that", "stop stop"),
    *("stop :pray:", "stop 🙏", "<@U0B> stop", "please <@W1|Ann>, stop", "stop\n\nplease\n"),
    *("停", "停止", "停一下", "停下来", "停下來吧", "停！", "请停止", "請停止", "请停一下，谢谢。"),
    *("别说了", "好了，别说了！", "不要说了", "打住", "停停停", "可以停一下吗？", "能不能停下来"),
    *("please 停", "停 please", "ok停", "stop 谢谢"),
)
QUESTIONS = (
    *("Stop words: which ones does NLTK ship?", "stop. What is X?", "stop the server how?"),
    *("Stop, then explain", "stop\n\nWhat about otters?", "stop — otters", "stop 3 of them"),
    *("stopped", "stopped clocks", "stop-motion", "don't stop", "non-stop", "okstop", "stopstop"),
    *("how do I stop it?", "please", "thanks", "谢谢", "", "!", ":octagonal_sign:", "<@U0STOP>"),
    *(
        "停车",
        "停止服务怎么做",
        "怎么停止",
        "别停",
        "不停",
        "停电了",
        "先说",
        "停止符是什么",
        "公交车停",
    ),
    *("stop и", "stop ①", "стоп", "st op"),
)


@pytest.mark.parametrize("text", STOPS)
def test_stop_is_a_message_that_only_asks_to_stop(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize("text", QUESTIONS)
def test_stop_is_no_message_that_says_anything_else(text: str) -> None:
    assert not is_stop(text)


# Words that are no courtesy; none of them is part of a longer request to stop.
WORDS = st.one_of(
    st.sampled_from(["words", "server", "not", "don't", "then", "why", "服务", "车", "怎么", "42"]),
    st.from_regex(r"[b-df-hj-np-tv-z]{3,8}", fullmatch=True).filter(
        lambda word: word not in {"pls", "plz", "thx"}
    ),
)
SEAMS = st.sampled_from([" ", ", ", ". ", "! ", "\n", ": ", " — ", "… "])


@given(stop=st.sampled_from(STOPS), word=WORDS, seam=SEAMS, before=st.booleans())
def test_stop_with_any_other_word_is_a_question(
    stop: str, word: str, seam: str, before: bool
) -> None:
    assert not is_stop(f"{word}{seam}{stop}" if before else f"{stop}{seam}{word}")


@given(
    stop=st.sampled_from(STOPS),
    around=st.tuples(
        *[st.text(st.sampled_from(" \n.,;:!?…。，！？*_~\"'()—-"), max_size=9)] * 2
    ).filter(
        lambda around: not (around[0].endswith(":") and around[1].startswith(":"))  # an emoji
    ),
)
def test_stop_may_have_punctuation_around_it(stop: str, around: tuple[str, str]) -> None:
    assert is_stop(f"{around[0]}{stop}{around[1]}")


@given(st.text(min_size=MAX_STOP_CHARACTERS + 1, max_size=MAX_STOP_CHARACTERS + 50))
def test_stop_is_no_long_text(text: str) -> None:
    assert not is_stop(text)


def test_thread_key_names_workspace_channel_and_root() -> None:
    assert ordering_thread_key(
        question(team="T1", channel="C1", surface="channel", thread_ts="1.0")
    ) == ("T1:C1:1.0")


def test_question_about_a_message_never_waits() -> None:
    asked = question(team="T1", channel="C1", surface="channel", thread_ts="1.0")
    assert ordering_thread_key(asked)
    assert ordering_thread_key(replace(asked, about=Subject("1.0"))) is None


def test_thread_key_of_a_command_is_none() -> None:
    assert ordering_thread_key(question(team="T1", channel="C1", surface="command")) is None


@pytest.mark.parametrize("files", [(), (File("F1", "a.png", "image/png", 7, ""),)])
def test_ordering_thread_key_of_a_message_without_words_is_none(files: tuple[File, ...]) -> None:
    assert ordering_thread_key(replace(question(), text=" ", files=files)) is None


@pytest.mark.parametrize(("surface", "waits"), [("dm", False), ("channel", True)])
def test_ordering_thread_key_of_a_new_conversation_is_none(surface: str, waits: bool) -> None:
    asked = question(text="/new", team="T1", channel="D1", surface=surface, thread_ts="1.0")
    assert bool(ordering_thread_key(asked)) is waits
