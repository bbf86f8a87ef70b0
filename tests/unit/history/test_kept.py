"""A cache bounded in bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.history.kept import ENTRY_OVERHEAD_BYTES, ByteBoundedCache, string_bytes

STEPS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 900)), max_size=60)


@given(STEPS)
def test_a_cache_never_holds_more_than_its_limit_and_counts_what_it_holds(
    steps: list[tuple[int, int]],
) -> None:
    kept: ByteBoundedCache[int, str] = ByteBoundedCache(
        5 * ENTRY_OVERHEAD_BYTES, lambda _, text: string_bytes(text)
    )
    newest: dict[int, str] = {}
    for key, size in steps:
        kept.put(key, "x" * size)
        newest[key] = "x" * size
        assert kept.used_bytes <= 5 * ENTRY_OVERHEAD_BYTES
    held = {key: text for key in newest if (text := kept.get(key)) is not None}
    assert kept.used_bytes == sum(ENTRY_OVERHEAD_BYTES + len(text) for text in held.values())
    assert all(newest[key] == text for key, text in held.items())
    assert len(kept) == len(held)


def test_what_was_used_last_stays() -> None:
    kept: ByteBoundedCache[str, str] = ByteBoundedCache(2 * ENTRY_OVERHEAD_BYTES, lambda *_: 0)
    kept.put("a", "1")
    kept.put("b", "2")
    assert kept.get("a") == "1"
    kept.put("c", "3")
    assert (kept.get("a"), kept.get("b"), kept.get("c")) == ("1", None, "3")


def test_what_is_too_large_by_itself_pushes_nothing_out() -> None:
    kept: ByteBoundedCache[str, str] = ByteBoundedCache(1000, lambda _, text: string_bytes(text))
    kept.put("a", "small")
    kept.put("b", "x" * 10_000)
    assert (kept.get("a"), kept.get("b")) == ("small", None)


def test_wide_letters_count_four_bytes() -> None:
    assert (string_bytes("abc", "d"), string_bytes("é")) == (4, 4)
