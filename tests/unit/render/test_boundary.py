"""The best place to end a message."""

from __future__ import annotations

import pytest

from bot.render.markdown.boundary import best_boundary, first_good_boundary
from bot.render.markdown.scan import scan_blocks


def cut(text: str, *, after: int = 0, near: int = 0) -> tuple[str, str]:
    place = best_boundary(text, scan_blocks(text), after, near)
    return text[:place], text[place:]


def found_early(text: str, good: int, fair: int) -> str | None:
    block = first_good_boundary(text, scan_blocks(text), 0, good, fair)
    return None if block is None else text[block.start :]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("one.\n\ntwo.\n\nthree is long enough", "three is long enough"),
        ("intro\n- item\n- another item", "- another item"),
        ("```\na\nb\nc", "c"),
        ("| a |\n|---|\n| 1 |\n| 2 |\n| 3", "| 3"),
        ("A sentence. Another one", "Another one"),
        ("words only here", "here"),
        ("これは文。次の文", "次の文"),
        ("これは、次の", "次の"),
        ("word `code with blanks`", "`code with blanks`"),
        ("word [label with blanks](u", "[label with blanks](u"),
        ("longword", "d"),
    ],
)
def test_best_boundary_is_the_last_place_of_the_best_kind(text: str, rest: str) -> None:
    assert cut(text)[1] == rest


def test_best_boundary_prefers_a_place_near_the_end() -> None:
    text = "one.\n\nA sentence. Another one"
    assert cut(text, near=12)[1] == "Another one"


def test_best_boundary_prefers_a_distant_place_to_splitting_a_word() -> None:
    assert cut("one " + "x" * 40, near=20) == ("one ", "x" * 40)


def test_best_boundary_does_not_leave_reopened_markup_alone() -> None:
    text = "```\nxxxxxxxxxxxxxxx"
    assert cut(text, after=4)[0] == "```\nxxxxxxxxxxxxxx"


def test_first_good_boundary_is_a_block_whose_kind_is_decided() -> None:
    text = "text that goes first\n\nnext block, told"
    assert found_early(text, 10, 99) == "next block, told"
    assert found_early(text[:-4], 10, 99) is None
    assert found_early(text, 30, 99) is None


def test_first_good_boundary_takes_a_list_item_as_a_fair_place() -> None:
    text = "- item one here\n- item two is here\n"
    assert found_early(text, 5, 99) is None
    assert found_early(text, 5, 10) == "- item two is here\n"


def test_first_good_boundary_is_not_inside_a_list_item() -> None:
    assert found_early("- item\n\n  more of the item, long\n", 3, 3) is None
