"""Code, links and emphasis are found where an independent reader finds them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.render.markdown.inline import InlineMarkup, MarkdownLink, read_inline
from tests.unit.render.reference_reader import hrefs, styled

PIECES = (
    "a", "b c", " ", "*", "**", "***", "_", "__", "~~", "`", "``", "\\", "[", "]", "(", ")", "!",
    "](u)", "](<u v>)", '](u "t")', "[l](u)", "![i](u)", ".", "é", "漢", "x_y", "2*3",
)  # fmt: skip

paragraphs = st.lists(st.sampled_from(PIECES), max_size=14).map(lambda p: "x" + "".join(p) + "x")


def inline(link: MarkdownLink) -> bool:
    return not link.is_image and not link.is_reference


def parts(text: str, *, unfinished: bool = False) -> InlineMarkup:
    return read_inline(text, 0, len(text), unfinished=unfinished)


@pytest.mark.parametrize(
    ("text", "markers"),
    [
        ("a **b *c", ["**", "*"]),
        ("a **b** *c* ~~d~~ __e__", []),
        ("***a", ["***"]),
        ("***a**", ["*"]),
        ("snake_case_name", []),
        ("2 * 3 and 2*3", []),
        ("it ~costs 5", []),
        (r"\*not \_this", []),
        ("**a `b", ["**", "`"]),
        ("[**a](u) b", []),
        ("<a title=*x> b", []),
    ],
)
def test_inline_open_markers_are_those_without_a_closer(text: str, markers: list[str]) -> None:
    assert parts(text, unfinished=True).open_markers == markers


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see [a", "see "),
        ("see [a]", "see "),
        ("see [a](http", "see "),
        ("see [a](<x y", "see "),
        ('see [a](x "t', "see "),
        ("see [a][re", "see "),
        ("see ![a](", "see "),
        ("x &lt", "x "),
        ("x &#x3", "x "),
        ("x <https://exam", "x "),
        ('x <a href="y z', "x "),
        ("x \\", "x "),
        ("done!", "done"),
        ("see https://github.co", "see "),
        ("see https://a.bc, and", "see https://a.bc, and"),
        ("x & y", "x & y"),
        ("x < y", "x < y"),
        ("x [a] y", "x [a] y"),
        ("x [a](b c) y", "x [a](b c) y"),
        ("`x [a](", "`x [a]("),
    ],
)
def test_inline_undecided_start_is_the_first_undecided_markup(text: str, shown: str) -> None:
    assert text[: parts(text, unfinished=True).undecided_start] == shown


def test_inline_of_finished_text_has_nothing_undecided() -> None:
    found = parts("a `b [c](d &l")
    assert (found.code_spans, found.links, found.undecided_start) == ([], [], 13)


def test_inline_link_has_the_places_of_its_parts() -> None:
    text = "see ![a [b]](<x y> 'title')"
    (link,) = parts(text).links
    assert (text[link.start : link.end], link.is_image) == (text[4:], True)
    assert (text[slice(*link.label)], text[slice(*link.target)]) == ("a [b]", "x y")


def test_inline_brackets_far_back_are_text() -> None:
    text = "[" + "x" * 400
    assert parts(text, unfinished=True).undecided_start == len(text)


def in_image(found: InlineMarkup, place: int) -> bool:
    return any(link.is_image and link.start < place < link.end for link in found.links)


@given(paragraphs)
@settings(max_examples=120, deadline=None)
@example("x![[](u)](u)x")
def test_inline_links_are_those_of_an_independent_parser(text: str) -> None:
    found = parts(text)
    ours = [
        text[slice(*link.target)]
        for link in found.links
        if inline(link) and not in_image(found, link.start)
    ]
    assert ours == [href.replace("%20", " ") for _, href in hrefs(text)]


@given(paragraphs)
@settings(max_examples=120, deadline=None)
@example("x`` ` ``x")
def test_inline_code_is_that_of_an_independent_parser(text: str) -> None:
    found = parts(text)
    ours = [
        re.sub(r"^(`+)(.*)\1$", r"\2", text[start:end], flags=re.DOTALL).strip()
        for start, end in found.code_spans
        if not in_image(found, start)
    ]
    theirs = [piece.strip() for piece, style in styled(text) if "code" in style]
    assert ours == theirs


@given(paragraphs)
@settings(max_examples=120, deadline=None)
def test_inline_emphasis_is_closed_for_an_independent_parser(text: str) -> None:
    open_ = parts(text, unfinished=True).open_markers
    shown = text + "".join(reversed(open_)) + " after"
    if not any(marker in text for marker in "[!<"):
        style = styled(shown)[-1][1]
        assert not style & {"strong", "em", "s", "code"}
