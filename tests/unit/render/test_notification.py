"""Markdown as one short plain line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from bot.render.notification import plain_line
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
