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


def test_content_stands_behind_the_markers_of_every_level() -> None:
    line = ">    text"
    assert find_line_content(line, 0, len(line), (QUOTE, ITEM)) == ((5, 5), 2)


def test_a_line_leaves_the_levels_it_is_not_marked_for() -> None:
    line = "> text"
    assert find_line_content(line, 0, len(line), (QUOTE, ITEM))[1] == 1
    assert find_line_content("text", 0, 4, (QUOTE,))[1] == 0


def test_a_tab_reaches_to_the_next_fourth_column() -> None:
    assert find_line_content("\tx", 0, 2, (ITEM,)) == ((1, 3), 1)


def test_bars_in_escapes_part_no_cells() -> None:
    assert count_cells(r"| a \| b | c |") == 2
    assert cell_separators(r"a \| b | c", 0, 10) == [7]
