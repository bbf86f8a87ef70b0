"""The poison-pill rule, without a process that dies."""

from __future__ import annotations

import pytest

from bot.storage.records import TurnRecord
from bot.turn.durability.crash_limit import (
    CRASH_CLEAR_SECONDS,
    CRASH_LOOP_SECONDS,
    MAX_CRASH_CLEAR_FENCE,
    MAX_CRASHES,
    MAX_CRASHES_WHILE_SHOWING_END,
    CrashLimit,
    crash_limit,
    may_clear_crashes,
)
from bot.values import Draft, Phase, Place, Question

NOW = 1_800_000_000.0
ASKED = Question("q1", (), Place("T1", "C1", "channel", "1.0"), "U1", "Why?", "1.0")


@pytest.mark.parametrize(
    ("crash_count", "first_crash_seconds_ago", "limit"),
    [
        (0, None, CrashLimit.GO_ON),
        (MAX_CRASHES - 1, 0.0, CrashLimit.GO_ON),
        (MAX_CRASHES, CRASH_LOOP_SECONDS, CrashLimit.END_AS_FAILED),
        (MAX_CRASHES, None, CrashLimit.END_AS_FAILED),
        (MAX_CRASHES, CRASH_LOOP_SECONDS + 1, CrashLimit.END_AS_INTERRUPTED),
        (MAX_CRASHES_WHILE_SHOWING_END, 1e6, CrashLimit.END_WITHOUT_TEXT),
    ],
)
def test_crash_limit_depends_on_the_count_and_the_time_of_the_first_crash(
    crash_count: int, first_crash_seconds_ago: float | None, limit: CrashLimit
) -> None:
    first = None if first_crash_seconds_ago is None else NOW - first_crash_seconds_ago
    draft = Draft(Phase.STREAMING, "Half")
    record = TurnRecord(ASKED, draft, None, 2, crash_count=crash_count, first_crash_at=first)
    assert crash_limit(record, NOW) is limit


@pytest.mark.parametrize(
    ("crash_count", "fence", "seconds", "may_clear"),
    [
        (1, 2, CRASH_CLEAR_SECONDS, True),
        (0, 2, CRASH_CLEAR_SECONDS, False),
        (1, 2, CRASH_CLEAR_SECONDS - 0.1, False),
        (1, MAX_CRASH_CLEAR_FENCE, CRASH_CLEAR_SECONDS, True),
        (1, MAX_CRASH_CLEAR_FENCE + 1, CRASH_CLEAR_SECONDS, False),
    ],
)
def test_crash_count_is_cleared_after_a_process_survived_showing_the_end(
    crash_count: int, fence: int, seconds: float, may_clear: bool
) -> None:
    assert may_clear_crashes(crash_count, fence, seconds) is may_clear
