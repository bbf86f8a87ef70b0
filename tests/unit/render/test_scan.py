"""Blocks are found where an independent reader finds them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.markdown.blocks import BlockKind, MarkdownBlock
from bot.render.markdown.scan import scan_blocks
from tests.support.shared_data import corpora, markdown
from tests.unit.render.reference_reader import tokens

LINES = (
    "text", "more text", "", "", "- item", "  - nested", "    deeper", "1. one", "2. two", "7) x",
    "> quote", "> - both", ">", "```", "```py", "   ```", "~~~", "# head", "===", "---", "***",
    "  under", "      code", "\ttab", "-\ttab", "> \ttab", "10. ten", "   three", "+ plus", "> ```",
)  # fmt: skip


def kinds(text: str) -> list[BlockKind]:
    return [block.kind for block in scan_blocks(text).blocks]


def test_scan_blocks_finds_blocks_in_order() -> None:
    text = "# Head\n\ntext\nmore\n\n- a\n\n      code\n\n```py\nx\n```\n***\n| a |\n|---|\n| b |\n"
    assert kinds(text) == [
        BlockKind.HEADING,
        BlockKind.TEXT,
        BlockKind.TEXT,
        BlockKind.CODE,
        BlockKind.FENCE,
        BlockKind.RULE,
        BlockKind.TABLE,
    ]


def test_scanned_fence_has_its_marker_language_and_end() -> None:
    (fence,) = scan_blocks("~~~~ py title\n~~~\n~~~~").blocks
    assert (fence.marker, fence.info, fence.is_closed) == ("~~~~", "py title", True)


def test_scanned_list_items_have_their_displayed_numbers() -> None:
    blocks = scan_blocks("4. a\n1. b\n\n   more\n1. c\n\ntext\n\n1. d").blocks
    assert [block.levels[-1].number for block in blocks if block.levels] == [4, 5, 5, 6, 1]


def test_scanned_block_has_the_levels_open_before_it() -> None:
    blocks = scan_blocks("- a\n  > b\n\n  c\n- d").blocks
    assert [(len(block.levels), block.continued_levels) for block in blocks] == [
        (1, 0),
        (2, 1),
        (1, 1),
        (1, 0),
    ]


def test_scanned_table_may_start_in_the_last_line_of_a_paragraph() -> None:
    assert kinds("text\n| a | b |\n|---|---|\n| c | d |") == [BlockKind.TEXT, BlockKind.TABLE]
    assert kinds("| a | b |\n|---|") == [BlockKind.TEXT]


@pytest.mark.parametrize("text", ["", "\n", "- ", "> ", " \t\n"])
def test_scan_blocks_finds_none_in_markers_alone(text: str) -> None:
    assert scan_blocks(text).blocks == []


def _code_lines(text: str) -> list[str]:
    """Return the lines our scanner takes for code."""

    def inside(block: MarkdownBlock) -> list[tuple[int, int]]:
        return block.lines[1 : len(block.lines) - block.is_closed]

    places = [
        line for b in scan_blocks(text).blocks if b.kind is BlockKind.FENCE for line in inside(b)
    ]
    places += [
        line for b in scan_blocks(text).blocks if b.kind is BlockKind.CODE for line in b.lines
    ]
    lines = [text[inner:].partition("\n")[0].strip() for _, inner in sorted(places)]
    return [line for line in lines if line]


def _judged_code_lines(text: str) -> list[str]:
    blocks = [token.content for token in tokens(text) if token.type in ("fence", "code_block")]
    return [line.strip() for block in blocks for line in block.split("\n") if line.strip()]


@corpora
def test_scanned_code_in_recorded_text_is_that_of_an_independent_parser(corpus: str) -> None:
    for text in markdown(corpus):
        assert _code_lines(text) == _judged_code_lines(text), text


@given(st.lists(st.sampled_from(LINES), max_size=12).map("\n".join))
@settings(max_examples=100, deadline=None)
def test_scanned_code_is_that_of_an_independent_parser(text: str) -> None:
    assert _code_lines(text) == _judged_code_lines(text)


@given(st.lists(st.sampled_from(LINES), max_size=12).map("\n".join))
@settings(max_examples=100, deadline=None)
def test_scanned_blocks_are_consecutive_and_contain_every_word(text: str) -> None:
    done, covered = 0, ""
    for block in scan_blocks(text).blocks:
        assert done <= block.start < block.end
        covered += text[block.start : block.end]
        done = block.end
    assert covered.count("text") == text.count("text")
