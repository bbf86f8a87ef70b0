"""Lines, the levels they stand in, and the cells of a row."""

from __future__ import annotations

from bot.render.markdown.blocks import Level, behind, cells, pipes

QUOTE = Level(">", 0, 0)
ITEM = Level("1.", 0, 3, number=1)


def test_content_stands_behind_the_markers_of_every_level() -> None:
    line = ">    text"
    assert behind(line, 0, len(line), (QUOTE, ITEM)) == ((5, 5), 2)


def test_a_line_leaves_the_levels_it_is_not_marked_for() -> None:
    line = "> text"
    assert behind(line, 0, len(line), (QUOTE, ITEM))[1] == 1
    assert behind("text", 0, 4, (QUOTE,))[1] == 0


def test_a_tab_reaches_to_the_next_fourth_column() -> None:
    assert behind("\tx", 0, 2, (ITEM,)) == ((1, 3), 1)


def test_bars_in_escapes_part_no_cells() -> None:
    assert cells(r"| a \| b | c |") == 2
    assert pipes(r"a \| b | c", 0, 10) == [7]
