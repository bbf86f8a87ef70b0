"""Pieces of JSON values of unknown meaning, merged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.json_merge import merge_pieces


def reasoning(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "text": text, **more}


def secret(data: str, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning.encrypted", "data": data, **more}


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([], None),
        ([None, "a", None, "b"], "ab"),
        (["a", 1], 1),
        ([{"google": {"thought_signature": "S"}}], {"google": {"thought_signature": "S"}}),
        ([{"id": "a", "text": "x"}, {"id": "a", "text": "y"}], {"id": "a", "text": "xy"}),
        ([{"signature": ""}, {"signature": "S"}, {"signature": None}], {"signature": "S"}),
    ],
)
def test_merge_pieces_joins_text_and_takes_the_last_of_others(
    pieces: list[Any], whole: Any
) -> None:
    assert merge_pieces(pieces) == whole


@pytest.mark.parametrize(
    ("lists", "whole"),
    [
        pytest.param(
            [[reasoning("a", index=0)], [reasoning("b", index=0, signature="S")]],
            [reasoning("ab", index=0, signature="S")],
            id="one index",
        ),
        pytest.param(
            [[reasoning("a", index=0, id="r1")], [reasoning("b", index=0)]],
            [reasoning("ab", index=0, id="r1")],
            id="the id comes once",
        ),
        pytest.param(
            [[reasoning("a", id="r1")], [reasoning("b", id="r2")], [reasoning("c", id="r1")]],
            [reasoning("ac", id="r1"), reasoning("b", id="r2")],
            id="by id",
        ),
        pytest.param(
            [[reasoning("a", index=0, id="x")], [reasoning("b", index=0, id="y")]],
            [reasoning("a", index=0, id="x"), reasoning("b", index=0, id="y")],
            id="a careless index",
        ),
        pytest.param(
            [[reasoning("a", index=0)], [secret("X", index=0)], [reasoning("b", index=0)]],
            [reasoning("ab", index=0), secret("X", index=0)],
            id="by type",
        ),
        pytest.param([[reasoning("a")], [reasoning("b")]], [reasoning("ab")], id="neighbours"),
        pytest.param([[secret("X")], [secret("Y")]], [secret("X"), secret("Y")], id="opaque"),
        pytest.param(
            [[reasoning("a"), reasoning("b")], []], [reasoning("a"), reasoning("b")], id="one list"
        ),
        pytest.param([["a"], ["a"], [3]], ["a", "a", 3], id="no objects"),
        pytest.param(
            [
                [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}],
                [{"type": "thinking", "thinking": [{"type": "text", "text": "b"}]}],
                [{"type": "text", "text": "c"}],
            ],
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "ab"}]},
                {"type": "text", "text": "c"},
            ],
            id="nested",
        ),
    ],
)
def test_merge_pieces_joins_pieces_of_list_entries(lists: list[Any], whole: Any) -> None:
    assert merge_pieces(lists) == whole


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_merge_pieces_keeps_a_single_piece(value: Any) -> None:
    assert merge_pieces([value]) == value


@given(st.lists(JSON, max_size=5))
def test_merge_pieces_accepts_any_pieces(pieces: list[Any]) -> None:
    merge_pieces(pieces)


@given(st.lists(st.lists(st.text(min_size=1), min_size=1, max_size=4), min_size=1, max_size=4))
def test_merge_pieces_separates_interleaved_entries_by_index(texts: list[list[str]]) -> None:
    longest = max(map(len, texts))
    lists = [
        [reasoning(text[n], index=i)]
        for n in range(longest)
        for i, text in enumerate(texts)
        if n < len(text)
    ]
    assert merge_pieces(lists) == [
        reasoning("".join(text), index=i) for i, text in enumerate(texts)
    ]
