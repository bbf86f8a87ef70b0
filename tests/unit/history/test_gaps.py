"""Which messages a prompt lacks, and when a summary is used or made."""

from __future__ import annotations

import pytest

from bot.history.fitting.gaps import (
    MAX_AGE_SECONDS,
    MIN_OVERLAP,
    Gaps,
    ReadRange,
    count_gaps,
    is_usable,
    needs_summary,
)
from bot.storage.records import ThreadSummary

SUMMARY = ThreadSummary(1, "short", "10", "50", message_count=40, begun_at=1000.0)
WHOLE = ReadRange(since="20")


@pytest.mark.parametrize(
    ("read", "usable"),
    [
        (WHOLE, True),
        (ReadRange(since="60", unread=5), True),
        (ReadRange(since="60", must_overlap=True), False),
        (ReadRange(since="50", must_overlap=True), True),
        (ReadRange(must_overlap=True), False),
        (ReadRange(since="20", not_before="11"), False),
        (ReadRange(since="20", not_before="10"), True),
    ],
)
def test_summary_is_usable_only_in_its_own_conversation(read: ReadRange, usable: bool) -> None:
    assert is_usable(SUMMARY, read) is usable


def test_erased_summary_is_not_usable() -> None:
    assert not is_usable(ThreadSummary(3), WHOLE)


@pytest.mark.parametrize(
    ("dropped", "read", "summary", "gaps"),
    [
        ([], WHOLE, None, Gaps()),
        (["20", "30"], WHOLE, None, Gaps(2, 2)),
        (["20", "30"], WHOLE, SUMMARY, Gaps(2, 0)),
        (["40", "50", "51"], WHOLE, SUMMARY, Gaps(3, 1)),
        ([], ReadRange("45", unread=30), None, Gaps(30, 30, True)),
        ([], ReadRange("45", unread=30), SUMMARY, Gaps(30, 0)),
        (["70"], ReadRange("70", unread=55), SUMMARY, Gaps(56, 16, True)),
    ],
)
def test_gaps_are_the_messages_neither_told_nor_summarised(
    dropped: list[str], read: ReadRange, summary: ThreadSummary | None, gaps: Gaps
) -> None:
    assert count_gaps(dropped, read, summary) == gaps


@pytest.mark.parametrize(
    ("gaps", "read", "summary", "now", "needed"),
    [
        (Gaps(), WHOLE, None, 1000.0, False),
        (Gaps(3, 3), WHOLE, None, 1000.0, True),
        (Gaps(3, 0), WHOLE, SUMMARY, 1000.0, False),
        (Gaps(3, 1), WHOLE, SUMMARY, 1000.0, True),
        (Gaps(3, 0), WHOLE, SUMMARY, 1001.0 + MAX_AGE_SECONDS, True),
        (Gaps(), WHOLE, SUMMARY, 1001.0 + MAX_AGE_SECONDS, False),
        (Gaps(), ReadRange("20", is_nearly_cut=True), None, 1000.0, True),
    ],
)
def test_summary_is_needed_for_what_is_left_out_and_when_it_is_old(
    gaps: Gaps, read: ReadRange, summary: ThreadSummary | None, now: float, needed: bool
) -> None:
    assert needs_summary(gaps, read, [], summary, now) is needed


@pytest.mark.parametrize("overlap", [0, MIN_OVERLAP - 1, MIN_OVERLAP])
def test_summary_of_a_direct_message_is_renewed_before_it_is_out_of_reach(overlap: int) -> None:
    read = ReadRange("40", is_nearly_cut=True, must_overlap=True)
    all_read = ["45"] * overlap + ["60"] * 30
    assert needs_summary(Gaps(), read, all_read, SUMMARY, 1000.0) is (overlap < MIN_OVERLAP)
