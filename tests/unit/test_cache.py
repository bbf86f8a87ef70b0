"""A cache bounded in bytes."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from bot.cache import ENTRY_OVERHEAD_BYTES, Cache, string_bytes
from bot.values import File, Place, Question, Said
from tests.support.layout_rules import read
from tests.support.project import ROOT

STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 900)), max_size=60)


@given(STEPS)
def test_cache_never_exceeds_its_limit_and_counts_its_bytes(
    steps: list[tuple[int, int]],
) -> None:
    kept: Cache[int, str] = Cache(5 * ENTRY_OVERHEAD_BYTES, lambda _, text: string_bytes(text))
    newest: dict[int, str] = {}
    for key, size in steps:
        kept.put(key, "x" * size)
        newest[key] = "x" * size
        assert kept.used_bytes <= 5 * ENTRY_OVERHEAD_BYTES
    held = {key: text for key in newest if (text := kept.get(key)) is not None}
    assert kept.used_bytes == sum(ENTRY_OVERHEAD_BYTES + len(text) for text in held.values())
    assert all(newest[key] == text for key, text in held.items())
    assert len(kept) == len(held)


def test_cache_keeps_the_most_recently_used_values() -> None:
    kept: Cache[str, str] = Cache(2 * ENTRY_OVERHEAD_BYTES, lambda *_: 0)
    kept.put("a", "1")
    kept.put("b", "2")
    assert kept.get("a") == "1"
    kept.put("c", "3")
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == ("1", None, "3")


def test_value_larger_than_the_cache_evicts_nothing() -> None:
    kept: Cache[str, str] = Cache(1000, lambda _, text: string_bytes(text))
    kept.put("a", "small")
    kept.put("b", "x" * 10_000)
    assert (kept.get("a"), kept.get("b")) == ("small", None)


def test_wide_letters_count_four_bytes() -> None:
    assert (string_bytes("abc", "d"), string_bytes("é")) == (4, 4)


@given(st.text(max_size=99), st.lists(st.text(max_size=99), max_size=3))
def test_size_of_a_question_counts_all_of_its_words(text: str, others: list[str]) -> None:
    asked = Question(
        id="q1",
        keys=tuple(others),
        place=Place("T1", "C1", "channel"),
        user="U1",
        text=text,
        files=tuple(File(one, one, one, 1, one) for one in others),
        said=tuple(Said("U1", "1.0", one) for one in others),
        unreadable=tuple(others),
        mentions=tuple(others),
        earlier=tuple(others),
    )
    assert asked.size == string_bytes(text, *others * 9)


def test_caches_that_evict_are_bounded_in_bytes() -> None:
    dropping = {
        module.name
        for module in read(ROOT).values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "popitem"
        and not module.name.startswith("bot.playground")
    }
    ids_only = {"bot.listeners.admission.refusal_notices"}
    assert dropping - ids_only == {"bot.cache"}
