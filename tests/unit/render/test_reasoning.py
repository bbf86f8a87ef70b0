from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.reasoning import MAX_LINE_CHARACTERS, newest_line
from tests.support.corpus.markdown_texts import TEXTS

PIECES = st.sampled_from(
    [
        *["**Weighing**\n\n", "# Plan\n", "I look. ", "Then I `say` it. ", "- one\n", "3.14"],
        *["```\ncode. \n```\n", "<@U1>", "<!channel>", "[label](http://x.example)", "<think>"],
        *["我看。", " ", "\n", "."],
    ]
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("I look at the", ""),
        ("I look at the pond. Then I", "I look at the pond."),
        ("I look at the pond.", ""),  # the next piece may be "5"
        ("It costs 3.14 dollars. No", "It costs 3.14 dollars."),
        ('They said "it is done." Then', 'They said "it is done."'),
        ("Is it really so? I think", "Is it really so?"),
        ("I look at the pond. Hmm. Wait", "I look at the pond."),
        ("我先看看池塘。然后", "我先看看池塘。"),
        ("- the first item\n- the", "the first item"),
        ("... ---\n***\n", ""),
        ("**Weighing the op", ""),
        ("**Weighing the options**", ""),
        ("**Weighing the options**\n\nI look at the pond. Then", "Weighing the options"),
        ("**Weighing**\n\nI look. \n\n**Deciding:**\n\nI", "Deciding"),
        ("## Weighing `all` of it\nI look at the pond. Then", "Weighing all of it"),
        ("1.  **Analyse the question**:\n    * all", "Analyse the question"),
        ("I look at **the pond**. Then", "I look at the pond."),
        ("Look.\n```py\nx = 1. \ny = 2.\n", ""),
        ("```py\nx = 1. \n```\nSo it is a one. And", "So it is a one."),
        ("<think>\nI look at the pond. Then", "I look at the pond."),
        ("See [the pond](https://x.example/a.b). Then", "See the pond."),
    ],
)
def test_newest_line_is_the_newest_heading_or_else_sentence(text: str, line: str) -> None:
    assert newest_line(text) == line


def test_newest_line_is_clipped_at_a_word() -> None:
    line = newest_line("otters " * 40 + "swim. And")
    assert len(line) <= MAX_LINE_CHARACTERS
    assert line.endswith("otters…")


@given(st.lists(PIECES | st.text(max_size=5), max_size=20).map("".join))
def test_newest_line_is_one_short_line_without_markup(text: str) -> None:
    line = newest_line(text)
    assert len(line) <= MAX_LINE_CHARACTERS + 1
    assert line == " ".join(line.split())
    assert not line.startswith(("#", "**", "```"))
    assert "<think>" not in line
    assert newest_line(text + "and") == line, "a word that is not complete changes nothing"


@pytest.mark.parametrize("text", dict.fromkeys(TEXTS))
def test_newest_line_takes_any_markdown(text: str) -> None:
    for cut in range(0, len(text), 7):
        assert "\n" not in newest_line(text[:cut])
