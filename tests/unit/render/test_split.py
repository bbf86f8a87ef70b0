"""Long texts are parted where readers would part them, and parts stay as they are."""

from __future__ import annotations

from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.markdown.close import close_open_markup
from bot.render.safety.neutralise import neutralise, replace_control_characters
from bot.render.split import MessagePart, split_text
from tests.support.shared_data import corpora, markdown
from tests.unit.render.reference_reader import fragments, visible_text

LIMIT = 1_000
GAP = regex.compile(r"[\s>]*(?:```+|~~~+)?[\s>]*(?:[0-9]+[.)])?[\s>]*")

chunks = st.one_of(
    fragments, st.sampled_from(["word " * 30, "漢字" * 60, "x" * 90, "- item\n" * 9])
)

long_texts = st.lists(chunks, min_size=2, max_size=20).map(
    lambda pieces: replace_control_characters((("\n".join(pieces) + "\n") * 100)[:3_500])
)


def shown(text: str, limit: int = LIMIT, cuts: tuple[int, ...] = ()) -> list[str]:
    """Return the messages a finished text stands in."""
    return [_message(text, part) for part in split_text(text, limit, cuts)]


def _message(text: str, part: MessagePart) -> str:
    share = part.opening + text[part.start : part.end]
    return share if part.last else share.rstrip() + part.closing


def test_split_text_that_fits_is_one_part() -> None:
    assert split_text("short", LIMIT) == [MessagePart(0, 5, "", "", last=True)]
    assert split_text("", LIMIT) == [MessagePart(0, 0, "", "", last=True)]


def test_split_takes_a_good_place_near_the_end_at_once() -> None:
    text = "word " * 110 + "\n\nNext paragraph, told"
    assert [message[:4] for message in shown(text)] == ["word", "Next"]
    assert len(split_text(text[:-10], LIMIT)) == 1


def test_split_does_not_leave_a_heading_alone() -> None:
    text = "word " * 100 + "\n\n# Heading here\n\n" + "more " * 100
    assert shown(text)[1].startswith("# Heading")


def test_split_fence_is_reopened_with_its_language() -> None:
    text = "```python title\n" + "x = 1  # code\n" * 90 + "```\n"
    first, second = shown(text)
    assert first.endswith("# code\n```")
    assert second.startswith("```python title\nx = 1")


def test_split_fence_that_ends_with_its_message_is_not_reopened() -> None:
    for lines in range(40, 60):
        text = "```\n" + "x = 1  # code\n" * lines + "```\n\nAfter the code."
        for message in shown(text):
            assert "```\n```" not in message


def test_split_table_repeats_its_header() -> None:
    text = "| Name | Value |\n|:--|--:|\n" + "| a row | of some width |\n" * 40
    first, second = shown(text)
    assert first.endswith("|")
    assert second.startswith("| Name | Value |\n|:--|--:|\n| a row")


def test_split_list_keeps_its_numbers() -> None:
    text = "".join(f"{n}. item number {n} of many\n" for n in range(1, 60))
    lazy = regex.sub(r"(?m)^[0-9]+\.", "1.", text)
    for written in (text, lazy):
        heads = [regex.match(r"([0-9]+)\. item number ([0-9]+)", m) for m in shown(written)]
        assert len(heads) > 1
        assert all(head and head[1] == head[2] for head in heads)


def test_split_list_item_continues_in_the_item() -> None:
    text = "1. one\n2. two\n" + "".join(f"   - nested {n} and more of it\n" for n in range(40))
    second = shown(text)[1]
    assert second.startswith("2. …\n   - nested")
    fenced = "- a\n\n  ```sh\n" + "  ls -l  # list\n" * 60 + "  ```\n"
    assert shown(fenced)[1].startswith("- …\n  ```sh\n  ls")


def test_split_quote_and_emphasis_are_reopened() -> None:
    first, second = shown("> **" + "quoted words " * 80 + "end** after")
    assert first.endswith("**")
    assert second.startswith("> **")


def test_split_paragraph_ends_after_a_sentence() -> None:
    first, second = shown("One more sentence stands here. " * 30)
    assert first.endswith("here.")
    assert second.startswith("One")


def test_split_never_cuts_a_word_that_fits_a_message() -> None:
    text = "a few words first " * 12 + "w" * 600 + " and the rest"
    assert shown(text)[1].startswith("w" * 600)


@pytest.mark.parametrize("form", ["[some label]({})", "<{}|some label>"])
def test_split_never_cuts_a_link(form: str) -> None:
    link = form.format("https://example.com/a/long/way/to/go")
    for start in range(0, 60, 7):
        messages = shown("x" * start + " " + (link + " ") * 40)
        assert sum(message.count(link) for message in messages) == 40


@pytest.mark.parametrize("cluster", ["👩‍👩‍👧‍👦", "🇩🇪", "e\u0301\u0302", "각", "漢"])
def test_split_never_cuts_a_grapheme(cluster: str) -> None:
    text = cluster * 900
    for part in split_text(text, LIMIT):
        assert (part.end - part.start) % len(cluster) == 0


@pytest.mark.parametrize("piece", ["&amp;", "&#x1F600;", "\\*", "漢&lt;"])
def test_split_never_cuts_entities_and_escapes(piece: str) -> None:
    text = piece * 600
    kept = [
        text[part.start : part.end].count(piece.lstrip("漢")) for part in split_text(text, LIMIT)
    ]
    assert sum(kept) == 600


@pytest.mark.parametrize(
    "text",
    [
        "```\n" + "line of code\n" * 1_600 + "```",
        "w" * 9_000,
        "漢字かな。" * 6_000,
        "👩‍👩‍👧‍👦" * 3_000,
        "word " * 6_000,
        "<!channel> & " * 2_300,
        "x" * 30_000,
        "**" * 15_000,
        "> " * 10_000 + "deep",
        "- " * 10_000 + "deep",
        "```" + "i" * 20_000 + "\ncode\n```",
        "| a " * 5_000 + "|\n" + "|--" * 5_000 + "|\n",
        "[" * 15_000 + "a" + "](b)" * 100,
        "`" * 20_000,
        "www.a.b**" * 3_000,
    ],
    ids=lambda text: f"{text[:8]!r}",
)
def test_split_of_any_text_keeps_words_and_limits(text: str) -> None:
    parts = split_text(text, 11_000)
    assert "".join(text[part.start : part.end] for part in parts).split() == text.split()
    assert all(len(neutralise(_message(text, part)).encode()) <= 11_000 for part in parts)


@corpora
def test_split_of_recorded_texts_shows_every_word_once(corpus: str) -> None:
    text = "\n\n".join(
        t for t in markdown(corpus) if "[" not in t and "`" not in t and len(t) < 500
    )
    messages = shown(text, len(text) // 5)
    assert len(messages) > 4
    words = visible_text(text)
    assert "".join(visible_text(message) for message in messages).replace("…", "") == words.replace(
        "…", ""
    )


def test_split_at_a_frozen_cut_keeps_the_displayed_message() -> None:
    text = "Some **bold text and [a link](https://example.com) here**.\n\n```py\nx = 1\n```\n"
    for cut in range(1, len(text)):
        before, after = close_open_markup(text[:cut]), shown(text, cuts=(cut,))
        if before and len(after) > 1:
            assert after[0] == before


def test_split_ignores_cuts_that_leave_an_empty_message() -> None:
    assert shown("**bold** text", cuts=(1, 2, 99)) == ["**bold** text"]


@given(long_texts, st.data())
@settings(max_examples=80, deadline=None)
def test_split_loses_and_repeats_nothing(text: str, data: Any) -> None:
    cuts = data.draw(st.lists(st.integers(0, 4_000), max_size=3))
    done = 0
    for part in split_text(text, LIMIT, cuts):
        assert GAP.fullmatch(text[done : part.start])
        assert len(neutralise(_message(text, part)).encode()) <= LIMIT
        done = part.end
    assert done == len(text)


@given(long_texts, st.data())
@settings(max_examples=80, deadline=None)
def test_split_parts_that_are_full_never_change(text: str, data: Any) -> None:
    cuts = data.draw(st.lists(st.integers(1, 2_000), max_size=2))
    final = split_text(text, LIMIT, cuts)
    for length in data.draw(st.lists(st.integers(0, len(text)), max_size=8)):
        if length > max(cuts, default=0):
            grown = split_text(text[:length], LIMIT, cuts)
            assert grown[:-1] == final[: len(grown) - 1]
