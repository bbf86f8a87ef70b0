"""The text of an answer by part: order, paragraphs, lost deltas, and cost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.events import TextDelta, TextDone
from bot.upstream.text.parts import MAX_UNJOINED_DELTAS, PartKey, TextParts

KEYS = st.builds(PartKey, st.integers(0, 3), st.integers(0, 1), st.integers(0, 2))


def test_text_parts_append_deltas_of_one_part() -> None:
    parts = TextParts()
    assert parts.append(PartKey(0, 0, 0), "a") == TextDelta("a")
    assert parts.append(PartKey(0, 0, 0), "") is None
    assert parts.append(PartKey(0, 0, 0), "b") == TextDelta("b")
    assert parts.full_text() == "ab"


def test_text_parts_separate_items_but_not_parts() -> None:
    parts = TextParts()
    parts.append(PartKey(0, 0, 0), "a")
    assert parts.append(PartKey(0, 0, 1), "b") == TextDelta("b")
    assert parts.append(PartKey(2, 0, 0), "c") == TextDelta("\n\nc")
    assert parts.append(PartKey(2, 0, 0), "d") == TextDelta("d")
    assert parts.full_text() == "ab\n\ncd"


def test_text_parts_send_the_full_text_when_an_earlier_part_grows() -> None:
    parts = TextParts()
    parts.append(PartKey(1, 0, 0), "late")
    assert parts.append(PartKey(0, 0, 0), "early") == TextDone("early\n\nlate")
    assert parts.append(PartKey(1, 0, 0), "r") == TextDelta("r")
    assert parts.full_text() == "early\n\nlater"


def test_text_parts_confirm_replaces_only_lost_deltas() -> None:
    parts = TextParts()
    parts.append(PartKey(0, 0, 0), "a")
    parts.append(PartKey(0, 0, 0), "c")
    assert parts.confirm(PartKey(0, 0, 0), "ac") is None
    assert parts.confirm(PartKey(0, 0, 0), "abc") == TextDone("abc")
    assert parts.append(PartKey(0, 0, 0), "d") == TextDelta("d")
    assert parts.full_text() == "abcd"


def test_text_parts_accept_a_part_without_deltas() -> None:
    parts = TextParts()
    assert parts.confirm(PartKey(0, 0, 0), "a") == TextDelta("a")
    assert parts.confirm(PartKey(1, 0, 0), "") is None
    assert parts.full_text() == "a"


def test_text_parts_join_thousands_of_deltas() -> None:
    parts = TextParts()
    deltas = [f"{number} " for number in range(3 * MAX_UNJOINED_DELTAS + 5)]
    for delta in deltas:
        assert parts.append(PartKey(0, 0, 0), delta) == TextDelta(delta)
    assert parts.full_text() == "".join(deltas)
    assert parts.length == len(parts.full_text())
    assert parts.confirm(PartKey(0, 0, 0), "".join(deltas)) is None
    parts.append(PartKey(1, 0, 0), "end")
    assert parts.full_text() == "".join(deltas) + "\n\nend"


@given(st.lists(st.tuples(KEYS, st.text(max_size=4), st.booleans()), max_size=30))
def test_text_parts_events_rebuild_the_full_text(
    steps: list[tuple[PartKey, str, bool]],
) -> None:
    parts, shown = TextParts(), ""
    for key, text, confirmed in steps:
        event = parts.confirm(key, text) if confirmed else parts.append(key, text)
        if isinstance(event, TextDelta):
            shown += event.text
        elif event is not None:
            shown = event.text
        assert shown == parts.full_text()
