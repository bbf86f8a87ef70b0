"""The text of an answer by part: order, paragraphs, healing, and cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.events import TextDelta, TextDone
from bot.upstream.text.parts import BUNDLE, Key, Parts

KEYS = st.builds(Key, st.integers(0, 3), st.integers(0, 1), st.integers(0, 2))


def test_deltas_of_one_part_follow_each_other() -> None:
    parts = Parts()
    assert parts.append(Key(0, 0, 0), "a") == TextDelta("a")
    assert parts.append(Key(0, 0, 0), "") is None
    assert parts.append(Key(0, 0, 0), "b") == TextDelta("b")
    assert parts.whole() == "ab"


def test_items_are_paragraphs_and_their_parts_are_not() -> None:
    parts = Parts()
    parts.append(Key(0, 0, 0), "a")
    assert parts.append(Key(0, 0, 1), "b") == TextDelta("b")
    assert parts.append(Key(2, 0, 0), "c") == TextDelta("\n\nc")
    assert parts.append(Key(2, 0, 0), "d") == TextDelta("d")
    assert parts.whole() == "ab\n\ncd"


def test_an_earlier_part_that_grows_is_told_as_a_whole() -> None:
    parts = Parts()
    parts.append(Key(1, 0, 0), "late")
    assert parts.append(Key(0, 0, 0), "early") == TextDone("early\n\nlate")
    assert parts.append(Key(1, 0, 0), "r") == TextDelta("r")
    assert parts.whole() == "early\n\nlater"


def test_lost_deltas_are_healed_and_nothing_is_said_when_none_were() -> None:
    parts = Parts()
    parts.append(Key(0, 0, 0), "a")
    parts.append(Key(0, 0, 0), "c")
    assert parts.replace(Key(0, 0, 0), "ac") is None
    assert parts.replace(Key(0, 0, 0), "abc") == TextDone("abc")
    assert parts.append(Key(0, 0, 0), "d") == TextDelta("d")
    assert parts.whole() == "abcd"


def test_a_part_only_confirmed_is_text_too() -> None:
    parts = Parts()
    assert parts.replace(Key(0, 0, 0), "a") == TextDelta("a")
    assert parts.replace(Key(1, 0, 0), "") is None
    assert parts.whole() == "a"


def test_thousands_of_deltas_are_one_text() -> None:
    parts = Parts()
    deltas = [f"{number} " for number in range(3 * BUNDLE + 5)]
    for delta in deltas:
        assert parts.append(Key(0, 0, 0), delta) == TextDelta(delta)
    assert parts.whole() == "".join(deltas)
    assert parts.length == len(parts.whole())
    assert parts.replace(Key(0, 0, 0), "".join(deltas)) is None
    parts.append(Key(1, 0, 0), "end")
    assert parts.whole() == "".join(deltas) + "\n\nend"


@given(st.lists(st.tuples(KEYS, st.text(max_size=4), st.booleans()), max_size=30))
def test_a_reader_who_follows_has_the_whole_text(
    steps: list[tuple[Key, str, bool]],
) -> None:
    parts, shown = Parts(), ""
    for key, text, confirmed in steps:
        event = parts.replace(key, text) if confirmed else parts.append(key, text)
        if isinstance(event, TextDelta):
            shown += event.text
        elif event is not None:
            shown = event.text
        assert shown == parts.whole()
