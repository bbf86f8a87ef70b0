"""Markdown as one short plain line."""

from __future__ import annotations

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.message import render_messages
from bot.render.notification import plain_line, question_line
from bot.values import Draft, Phase
from tests.support.words import EN
from tests.unit.render.reference_reader import texts


@pytest.mark.parametrize(
    ("markdown", "line"),
    [
        ("# A **bold** head\n\nand _text_", "A bold head and text"),
        ("- [x] done\n- [ ] open\n1. one", "done open 1. one"),
        ("> > quoted", "quoted"),
        ("`a_b * c` stays, snake_case and 2*3 too", "a_b * c stays, snake_case and 2*3 too"),
        ("[label](https://a.bc/x_(y)) ![img](u)", "label img"),
        ("```py\nx = 1\n```\n---\nafter", "x = 1 after"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b 1 2"),
        (r"\*literal\* &amp; <b>", "*literal* & <b>"),
        ("", ""),
    ],
)
def test_plain_line_removes_markup_and_keeps_words(markdown: str, line: str) -> None:
    assert plain_line(markdown) == line


def test_plain_line_is_cut_after_a_word() -> None:
    line = plain_line("words " * 100, max_characters=20)
    assert line == "words words words…"


def test_plain_line_never_cuts_a_grapheme() -> None:
    assert plain_line("👩‍👩‍👧‍👦" * 40, max_characters=20) == "👩‍👩‍👧‍👦👩‍👩‍👧‍👦…"


@given(texts)
@settings(max_examples=100, deadline=None)
def test_plain_line_is_one_short_line(text: str) -> None:
    line = plain_line(text, max_characters=50)
    assert len(line) <= 51
    assert line == " ".join(line.split())


def test_question_line_names_no_person() -> None:
    assert question_line("ask <@U1> and <@WABC2>, *please*") == "ask @… and @…, please"


@pytest.mark.parametrize("phase", [phase for phase in Phase if not phase.is_final])
def test_placeholder_notification_says_what_is_being_answered(phase: Phase) -> None:
    [body] = render_messages(
        Draft(phase), question_id="t", language=EN, notified_question="**Why** & how?"
    )
    assert body.text == "Answering: Why &amp; how?"


def test_notification_of_a_question_without_words_is_the_status() -> None:
    [body] = render_messages(
        Draft(Phase.ASKING), question_id="t", language=EN, notified_question=" "
    )
    assert body.text == "Thinking…"


MARKUP = st.sampled_from(["<@U1>", "<!here>", "<!subteam^S1>", "<#C1>", "<https://a.b|c>", "&"])


@given(st.lists(st.one_of(texts, MARKUP)).map("".join), st.sampled_from(Phase))
@settings(max_examples=100, deadline=None)
def test_notification_of_a_placeholder_has_no_slack_markup(question: str, phase: Phase) -> None:
    [body] = render_messages(Draft(phase), question_id="t", language=EN, notified_question=question)
    assert "<" not in body.text
    assert len(html.unescape(body.text)) <= 130
