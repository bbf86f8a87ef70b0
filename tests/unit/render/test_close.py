"""What streams is whole at every moment."""

from __future__ import annotations

import pytest
import regex
from hypothesis import example, given, settings

from bot.render.markdown.close import close_open_markup, close_truncated, displayable_prefix
from bot.render.safety.neutralise import replace_control_characters
from tests.support.shared_data import corpora, markdown
from tests.unit.render.reference_reader import MARKERS, fragments, styled, texts, visible_text

GROWING = """\
# A *fine* heading

Some **bold, _nested_ and ~~struck~~** text with `code * like` this & that; 3 < 4 &amp; so on.
It has [a link](https://example.com/a_(b)?c=d "title") and ![an image](https://example.com/i.png).

1. one
2. two with **bold**
   - nested `x`
   - [x] done

     ```python
     def f(x):
         return x ** 2  # not **bold**
     ```

10. ten

| Name | Value |
|:-----|------:|
| `a`  | **1** |
| b    | ~~2~~ |

> quoted *text*
> goes on

---

***both*** end. It costs 5 * 3, snake_case_name stays, \\*escaped\\* too.
"""


OPEN = {"strong", "em", "s", "code", "link"}


def test_open_markup_is_closed_innermost_first() -> None:
    assert close_open_markup("a **b *c ~~d `e") == "a **b *c ~~d `e`~~***"


def test_open_fence_is_closed_in_its_containers() -> None:
    assert close_open_markup("1. do\n\n   ```sh\n   ls") == "1. do\n\n   ```sh\n   ls\n   ```"
    assert close_open_markup("> ~~~~\n> x") == "> ~~~~\n> x\n> ~~~~"


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        ("see [the man", "see"),
        ("see [the man\n![", "see [the man"),
        ("a <b\n<", "a <b"),
        ("a\n#\n**\n1. [", "a"),
        ("see [the manual](https://exa", "see"),
        ("see ![", "see"),
        ("text <htt", "text"),
        ("AT&am", "AT"),
        ("Title\n--", "Title"),
        ("text\n- ", "text"),
        ("text\n12", "text"),
        ("text\n\n```pyth", "text"),
        ("text\n\n```python\n", "text"),
        ("text\n\n| a | b |", "text"),
        ("text\n\n| a | b |\n|--", "text"),
        ("text\n\n| a | b |\n|--|--|", "text"),
        ("- one\n- **", "- one"),
        ("```\ncode\n``", "```\ncode\n```"),
        ("a back\\", "a back"),
        ("[name]: https://exam", ""),
    ],
)
def test_displayable_prefix_holds_back_what_is_not_decided(held: str, shown: str) -> None:
    assert close_open_markup(held) == shown


def test_truncated_text_is_shown_to_its_last_word() -> None:
    assert close_truncated("**see [the man") == "**see [the man**"
    assert close_truncated("| a | b |") == "| a | b |"
    assert close_truncated("It is\n\n42") == "It is\n\n42"
    assert close_truncated("one\n- **") == "one"
    assert close_truncated("one\n\n```py\nx =") == "one\n\n```py\nx =\n```"


def test_growing_table_appears_with_its_delimiters_and_then_by_cells() -> None:
    table = "| a | b |\n|---|---|\n"
    assert close_open_markup(table) == table.rstrip()
    assert close_open_markup(table + "| **x") == table + "| **x**"
    assert close_open_markup(table + "| `x` | y |\n| ") == table + "| `x` | y |"


def test_displayable_prefix_contains_a_long_open_bracket() -> None:
    text = "[" + "not a link " * 40
    assert close_open_markup(text) == text.rstrip()


def test_open_markup_excludes_stars_between_numbers() -> None:
    assert close_open_markup("so 2*3 is six") == "so 2*3 is six"


def _grew(before: str, after: str) -> bool:
    """Say whether nothing but markers came or went in what was seen before."""
    table = {ord(marker): None for marker in MARKERS}
    return after.translate(table).startswith(before.translate(table))


@corpora
def test_displayable_prefix_of_recorded_texts_only_grows(corpus: str) -> None:
    for text in markdown(corpus):
        before = ""
        for length in range(1, min(len(text), 300) + 1):
            now = visible_text(close_open_markup(text[:length]))
            assert _grew(before, now), text[:length]
            before = now


@pytest.mark.parametrize(
    "text", ["one\\\ntwo", "> one\\\n> two", "- one\\\n  #two", "one\\\\\ntwo"]
)
def test_displayable_prefix_holds_back_a_backslash_that_may_end_a_line(text: str) -> None:
    before = ""
    for length in range(1, len(text) + 1):
        now = visible_text(close_open_markup(text[:length]))
        assert _grew(before, now), text[:length]
        before = now


def test_truncated_text_keeps_a_backslash_at_its_end() -> None:
    assert close_truncated("one\\\n").rstrip() == "one\\"


def test_displayable_prefix_keeps_the_style_of_displayed_text() -> None:
    def spelled(markdown: str) -> list[tuple[str, frozenset[str]]]:
        return [(char, style) for text, style in styled(markdown) for char in text if char.strip()]

    end = spelled(GROWING)
    for length in range(1, len(GROWING) + 1):
        now = spelled(close_open_markup(GROWING[:length]))
        assert now == end[: len(now)], GROWING[:length][-60:]
    assert spelled(close_open_markup(GROWING)) == end


def test_displayable_prefix_holds_back_little() -> None:
    for length in range(1, len(GROWING) + 1):
        assert length - displayable_prefix(GROWING[:length])[0] < 80


@given(fragments)
@settings(max_examples=100, deadline=None)
@example("- [x](")
@example("> - ```\n> ")
@example("words```py\n\\\n```\n")
def test_displayable_prefix_contains_nothing_that_comes_later(text: str) -> None:
    shown = close_open_markup(replace_control_characters(text))
    (last, style) = styled(f"{shown}\n\nAFTER")[-1]
    # Our fences win over tables as on GitHub; the judge's tables win over fences.
    if "|" not in shown:
        assert last == "AFTER"
        assert not style & OPEN
    for _, style in styled(f"{shown} AFTER")[-1:]:
        assert not style & OPEN - {"code"}


@given(texts)
@settings(max_examples=80, deadline=None)
def test_truncated_text_keeps_its_words(text: str) -> None:
    words = regex.findall(r"[^\W\d_]+", text)
    kept = regex.findall(r"[^\W\d_]+", close_truncated(text))
    assert kept == words[: len(kept)]
    assert len(words) - len(kept) <= 1 or "```" in text or "~~~" in text


@given(texts)
@settings(max_examples=80, deadline=None)
def test_displayable_prefix_is_a_prefix_and_its_closing_markup(text: str) -> None:
    end, closers = displayable_prefix(text)
    assert close_open_markup(text) == text[:end] + closers
    assert len(closers) < 320
