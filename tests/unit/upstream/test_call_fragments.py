"""Pieces of tool calls, as servers number, name and split them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.upstream.events import ToolCall
from bot.upstream.wire.call_fragments import ToolCallAssembler


def piece(
    index: int | None = None, call_id: str | None = None, name: str = "", arguments: Any = ""
) -> dict[str, Any]:
    """Return a piece of a call; what is not given is not there."""
    found: dict[str, Any] = {
        "function": {"arguments": arguments} | ({"name": name} if name else {})
    }
    if index is not None:
        found["index"] = index
    if call_id is not None:
        found["id"] = call_id
    return found


A, B = ToolCall("a", "now", '{"x":1}'), ToolCall("b", "then", '{"y":2}')


@pytest.mark.parametrize(
    "pieces",
    [
        [piece(0, "a", "now", '{"x":1}'), piece(0, "b", "then", '{"y":2}')],
        [
            piece(0, "a", "now", '{"x"'),
            piece(0, None, "", ":1}"),
            piece(0, "b", "then", '{"y"'),
            piece(0, None, "", ":2}"),
        ],
        [
            piece(0, "a", "now", '{"x"'),
            piece(0, "b", "then", '{"y"'),
            piece(0, "a", "", ":1}"),
            piece(0, "b", "", ":2}"),
        ],
        [
            piece(0, "a", "now", '{"x"'),
            piece(1, "b", "then", '{"y"'),
            piece(0, "", "", ":1}"),
            piece(1, "", "", ":2}"),
        ],
        [
            piece(None, "a", "now", '{"x"'),
            piece(None, "a", "now", ":1}"),
            piece(None, "b", "then", '{"y"'),
            piece(None, "b", "then", ":2}"),
        ],
        [
            piece(0, "a", "now"),
            piece(0, "a", "now", '{"x"'),
            piece(0, "a", "now", ":1}"),
            piece(1, "b", "then", {"y": 2}),
        ],
        [
            piece(0, None, "now", '{"x"'),
            piece(0, "a", "", ":1}"),
            piece(1, "b", "then", '{"y":2}'),
        ],
        [piece(5, "a", "now", '{"x":1}'), piece(None, "b", "then", '{"y":2}')],
    ],
)
def test_call_assembler_separates_calls_by_id_and_index(pieces: list[dict[str, Any]]) -> None:
    for chunks in ([pieces], [[one] for one in pieces]):
        fragments = ToolCallAssembler()
        for chunk in chunks:
            fragments.add(chunk)
        assert fragments.calls() == (A, B)


@pytest.mark.parametrize("index", [0, None])
def test_call_assembler_separates_complete_calls_without_ids(index: int | None) -> None:
    fragments = ToolCallAssembler()
    fragments.add([piece(index, None, "now", "{}"), piece(index, None, "now", '{"z":1}')])
    fragments.add([piece(index, None, "then", "{}"), piece(index, None, "then", "")])
    calls = fragments.calls()
    assert [(call.name, call.arguments) for call in calls] == [
        ("now", "{}"),
        ("now", '{"z":1}'),
        ("then", "{}"),
    ]


def test_call_assembler_starts_no_call_for_a_repeated_name() -> None:
    fragments = ToolCallAssembler()
    for part in ('{"a"', ":{", "}}"):
        fragments.add([piece(0, None, "now", part)])
    assert fragments.calls() == (ToolCall("call_0", "now", '{"a":{}}'),)


@given(
    st.lists(st.text('{}":a', max_size=8), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(["index", "same index", "no index"]),
    st.randoms(use_true_random=False),
)
def test_call_assembler_joins_interleaved_calls_with_ids(
    texts: list[str], every: bool, numbered: str, random: Any
) -> None:
    """Every piece has its id, or (one call after the other) the first of each call only."""
    queues = []
    for number, arguments in enumerate(texts):
        index = {"index": number, "same index": 0, "no index": None}[numbered]
        first = [piece(index, f"id{number}", f"tool{number}")]
        queues.append(
            first + [piece(index, f"id{number}" if every else None, "", c) for c in arguments]
        )
    fragments = ToolCallAssembler()
    while queues:
        queue = random.choice(queues) if every else queues[0]
        fragments.add([queue.pop(0)])
        queues = [one for one in queues if one]
    got = {call.call_id: (call.name, call.arguments) for call in fragments.calls()}
    assert got == {f"id{n}": (f"tool{n}", text or "{}") for n, text in enumerate(texts)}
