"""What was open at a cut is opened again behind it."""

from __future__ import annotations

import pytest

from bot.render.markdown.reopen import reopen_at


@pytest.mark.parametrize(
    ("before", "behind", "opened"),
    [
        ("one\n\n", "two", "two"),
        ("one", "\n\ntwo", "two"),
        ("**one ", "two**", "**two**"),
        ("**a _b ", "c_**", "**_c_**"),
        ("`some ", "code`", "`code`"),
        ("> **one ", "two**", "> **two**"),
        ("> one\n", "> two", "> two"),
        ("- one ", "two", "- … two"),
        ("- a\n  1. b\n  2. c ", "d", "- …\n  2. … d"),
        ("- a\n", "- b", "- b"),
        ("4. a\n1. b\n", "1. c", "6. c"),
        ("- a\n\n", "  b", "- …\n  b"),
        ("> - a\n", ">   b", "> - … b"),
        ("```py\nx\n", "y\n```", "```py\ny\n```"),
        ("```py\nx", "\ny\n```", "```py\ny\n```"),
        ("```py\nx\n", "```\nafter", "after"),
        ("> ```\n> x\n", "> y", "> ```\n> y"),
        ("1. a\n   ```\n   x\n", "     y", "1. …\n   ```\n     y"),
        ("| a | b |\n|--|--|\n| 1 | 2 |\n", "| 3 | 4 |", "| a | b |\n|--|--|\n| 3 | 4 |"),
        ("| a | b |\n|--|--|\n| 1 | **2 ", "3** |", "| a | b |\n|--|--|\n| | **3** |"),
        ("    code\n", "    more", "    more"),
        ("    code ", "more", "    more"),
        ("# a head ", "line", "line"),
        ("text\n- ", "\n\nmore", "more"),
        ("text\n", "\n- \n\nmore", "\n- \n\nmore"),
        ("all", "", ""),
    ],
)
def test_reopen_repeats_the_markup_that_was_open_at_the_cut(
    before: str, behind: str, opened: str
) -> None:
    text = before + behind
    resume, opening = reopen_at(text, len(before))
    assert opening + text[resume:] == opened
