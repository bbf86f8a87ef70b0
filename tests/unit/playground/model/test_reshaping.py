from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.playground.model.script import reshaping
from bot.playground.model.script.reading import read

LIST = "Three things:\n\n- **One.** The first.\n  - inner\n- Two: the second\n3. Three\n\nDone."


def test_items_are_those_of_the_list_without_what_is_nested() -> None:
    assert reshaping.items(LIST) == ["**One.** The first.", "Two: the second", "Three"]
    assert reshaping.items("- [x] done\n- [ ] open") == ["done", "open"]


def test_items_of_a_table_are_its_rows_with_their_heads() -> None:
    table = "Look:\n\n| A | B |\n|---|--:|\n| x | 1 |\n| y | 2 |"
    assert reshaping.items(table) == ["**x** (b: 1)", "**y** (b: 2)"]


def test_items_of_prose_are_its_paragraphs_without_code() -> None:
    prose = "One.\nStill one.\n\n```python\n- no item\n```\n\n# Head\n\nTwo."
    assert reshaping.items(prose) == ["One. Still one.", "Two."]


def test_sentences_keep_what_closes_them() -> None:
    text = "**Bold.** Then (a remark.) And more… Last one"
    assert reshaping.sentences(text) == ["**Bold.**", "Then (a remark.)", "And more…", "Last one"]


def test_shorter_is_the_first_sentence_and_the_heads_of_three_items() -> None:
    assert reshaping.shorter(LIST) == "Three things:\n\n- One\n- Two\n- Three"
    assert reshaping.shorter("Only this. And that.") == "Only this."
    assert reshaping.shorter("") == ""


def test_essay_can_be_shortened() -> None:
    assert 0 < len(reshaping.shorter(read("essay"))) < 200


def test_text_is_reshaped_into_lists_quotes_and_pirate_talk() -> None:
    assert reshaping.as_list("One. Two.") == "- One.\n- Two."
    assert reshaping.as_numbers("One. Two.") == "1. One.\n2. Two."
    assert reshaping.quoted("a\n\nb") == "> a\n>\n> b"
    assert (
        reshaping.pirate("Hello, you are writing `the code`")
        == "Arr! Hello, ye be writin' `the code`"
    )
    assert reshaping.word_count("It's **one** word-pair.") == 3


def test_code_and_addresses_are_never_dressed_up() -> None:
    text = "see `code` and [a link](https://a.example/b)\n```\nprint(1)\n```"
    assert reshaping.capitals(text) == (
        "SEE `code` AND [A LINK](https://a.example/b)\n```\nprint(1)\n```"
    )


@given(st.text(alphabet="`~ab\n", max_size=40))
def test_fence_is_longer_than_any_inside_it(text: str) -> None:
    first, *inside, last = reshaping.fenced(text).splitlines()
    assert first == last + "text"
    assert all(last not in line for line in inside)


@given(st.text(alphabet="ab.!?…- |*#>\n`1)", max_size=120))
def test_reshaping_accepts_any_text(text: str) -> None:
    for change in (reshaping.shorter, reshaping.as_list, reshaping.quoted, reshaping.pirate):
        assert isinstance(change(text), str)
    assert all(item in " ".join(text.split()) or "(" in item for item in reshaping.paragraphs(text))
