"""Lines, the levels they stand in, and the cells of a row."""

from __future__ import annotations

from bot.render.markdown.blocks import (
    ContainerLevel,
    cell_separators,
    count_cells,
    find_line_content,
)

QUOTE = ContainerLevel(">", 0, 0)
ITEM = ContainerLevel("1.", 0, 3, number=1)


def test_line_content_starts_after_the_markers_of_each_level() -> None:
    line = ">    text"
    assert find_line_content(line, 0, len(line), (QUOTE, ITEM)) == ((5, 5), 2)


def test_line_content_leaves_levels_without_a_marker() -> None:
    line = "> text"
    assert find_line_content(line, 0, len(line), (QUOTE, ITEM))[1] == 1
    assert find_line_content("text", 0, 4, (QUOTE,))[1] == 0


def test_indent_of_a_tab_ends_at_the_next_fourth_column() -> None:
    assert find_line_content("\tx", 0, 2, (ITEM,)) == ((1, 3), 1)


def test_cell_separators_exclude_escaped_bars() -> None:
    assert count_cells(r"| a \| b | c |") == 2
    assert cell_separators(r"a \| b | c", 0, 10) == [7]
