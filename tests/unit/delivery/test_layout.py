"""How an answer is split into messages, whatever happens to them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.delivery.edits.layout import EditLayout, answer_below, without_blocks
from bot.delivery.edits.reconcile import Delete, Edit, Post
from bot.render.message import MessageBody
from bot.values import Draft
from tests.support.words import EN
from tests.unit.delivery.delivery_setup import THINKING, done, question, words, writing


def settle(layout: EditLayout, draft: Draft) -> list[object]:
    """Take every step until a draft is shown; returns their types."""
    taken: list[object] = []
    while step := layout.plan(draft):
        taken.append(type(step))
        layout.mark_done(step, f"{len(taken)}.0")
    return taken


def stands(layout: EditLayout) -> list[str]:
    """The markdown of each message, without what holds it."""
    return [without_blocks(one.body).text for one in layout.shown if one.body]


def opened() -> EditLayout:
    layout = EditLayout(question())
    settle(layout, THINKING)
    return layout


def test_edit_layout_shows_a_growing_answer_by_one_post_and_edits() -> None:
    layout = opened()
    assert settle(layout, writing("One.")) == [Edit]
    assert settle(layout, writing("One. Two.")) == [Edit]
    assert settle(layout, done("One. Two.")) == [Edit]
    assert stands(layout) == ["One. Two."]


def test_edit_layout_repeats_an_edit_of_unknown_outcome() -> None:
    layout = opened()
    step = layout.plan(writing("One."))
    assert step
    layout.mark_unknown(step)
    assert settle(layout, THINKING) == [Edit]


def test_edit_layout_roll_over_leaves_the_message_and_posts_the_missing_text() -> None:
    layout = opened()
    settle(layout, writing("One two "))
    assert layout.roll_over(done("One two three."))
    assert isinstance(layout.plan(done("One two three.")), Post)
    assert settle(layout, done("One two three.")) == [Post, Edit]
    assert stands(layout) == ["One two", "three."]


@pytest.mark.parametrize(
    ("begun", "whole", "finished", "follows"),
    [
        ("One everythi", "One everything ends.", "One", "everything ends."),
        ("One two", "One two three.", "One", "two three."),
        ("One two ", "One two three.", "One two", "three."),
        ("One.", "One. Two.", "One.", "Two."),
        ("一二三", "一二三四五", "一二三", "四五"),
        ("x" * 100, "x" * 150, "x" * 100, "x" * 50),
    ],
)
def test_edit_layout_roll_over_keeps_words_whole(
    begun: str, whole: str, finished: str, follows: str
) -> None:
    layout = opened()
    settle(layout, writing(begun))
    assert layout.roll_over(writing(whole))
    settle(layout, done(whole))
    assert stands(layout) == [finished, follows]


@pytest.mark.parametrize("hidden", ["#", "**", "`", "\n"])
def test_edit_layout_roll_over_does_not_count_invisible_text_as_shown(hidden: str) -> None:
    layout = opened()
    assert settle(layout, writing(hidden)) == []
    whole = done(f"{hidden} One two three.")
    assert layout.roll_over(whole)
    assert settle(layout, whole) == [Post, Edit]
    assert layout.shown[0].body == answer_below(EN)
    assert "One two three." in stands(layout)[1]


def test_edit_layout_roll_over_that_returns_false_changes_nothing() -> None:
    layout = opened()
    settle(layout, writing("One two."))
    assert not layout.roll_over(done("One two."))
    assert layout.shown_text == "One two."
    assert not layout.roll_over(done("One two. \n\n"))
    assert layout.shown_text == "One two."


def test_edit_layout_removes_a_stale_footer_after_all_text_is_shown() -> None:
    layout = opened()
    settle(layout, writing("One two"))
    layout.roll_over(done("One two three."))
    step = layout.plan(done("One two three."))
    assert isinstance(step, Post)
    layout.mark_done(step, "2.0")
    assert layout.next_step() is None
    assert layout.has_stale_footer
    assert "Writing" in stands(layout)[0]
    assert settle(layout, done("One two three.")) == [Edit]
    assert not layout.has_stale_footer


def test_edit_layout_roll_over_of_a_placeholder_points_to_the_answer() -> None:
    layout = opened()
    assert layout.roll_over(done("All of it."))
    assert settle(layout, done("All of it.")) == [Post, Edit]
    assert layout.shown[0].body == answer_below(EN)
    assert stands(layout)[1] == "All of it."


def test_edit_layout_cannot_roll_over_to_a_rewritten_text() -> None:
    layout = opened()
    settle(layout, writing("One two"))
    assert not layout.roll_over(writing("Another beginning"))
    assert settle(layout, writing("Another beginning")) == [Edit]


def test_edit_layout_cannot_roll_over_without_more_text() -> None:
    layout = opened()
    settle(layout, writing("One two."))
    assert not layout.roll_over(done("One two."))
    assert settle(layout, done("One two.")) == [Edit]
    assert stands(layout) == ["One two."]


def test_edit_layout_never_edits_a_frozen_message() -> None:
    layout = opened()
    settle(layout, writing("One two "))
    layout.freeze(writing("One two three"))
    assert settle(layout, done("One two three.")) == [Post]
    assert "Writing" in stands(layout)[0]
    assert stands(layout)[1] == "three."


def test_edit_layout_shows_a_rewritten_text_in_full_below_frozen_messages() -> None:
    layout = opened()
    settle(layout, writing("One two"))
    layout.freeze(writing("Another"))
    assert settle(layout, done("Another beginning.")) == [Post]
    assert stands(layout)[1] == "Another beginning."


def test_edit_layout_does_not_repeat_a_first_message_sent_elsewhere() -> None:
    text = words(4000)
    whole = EditLayout(question())
    settle(whole, done(text))
    rest = EditLayout(question(), whole.shown[0].body)
    assert set(settle(rest, done(text))) == {Post}
    assert stands(rest) == stands(whole)


def test_edit_layout_shrinks_to_a_minimum_message_size() -> None:
    layout = opened()
    while layout.shrink():
        pass
    settle(layout, done(words(400)))
    assert all(len(text) <= 1000 for text in stands(layout))


def test_without_blocks_keeps_the_texts_of_a_message() -> None:
    layout = opened()
    assert layout.simplify()
    assert not layout.simplify()
    settle(layout, writing("a < b & *c*"))
    assert layout.shown[0].body == MessageBody("a &lt; b &amp; *c*\n\nWriting…", "[]")


def test_edit_layout_deletes_messages_of_a_shorter_answer_from_the_end() -> None:
    layout = opened()
    settle(layout, done(words(5000)))
    assert set(settle(layout, writing("Short."))) == {Edit, Delete}
    assert len(layout.shown) == 1


grow = st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=12)


@given(grow)
@settings(max_examples=60, deadline=None)
def test_edit_layout_shows_every_word_once_after_any_roll_overs(
    moves: list[tuple[int, bool]],
) -> None:
    layout, whole, count = opened(), words(5000), 0  # the model stops within words, too
    for more, rolls in moves:
        count += more
        if rolls:
            layout.roll_over(writing(whole[:count]))
        settle(layout, writing(whole[:count]))
    settle(layout, done(whole[: count + 1]))
    found = " ".join(text for text in stands(layout) if text != answer_below(EN).text)
    assert found.split() == whole[: count + 1].split()
