"""The poison-pill rule: an answer that kills the processes that write it is given up. Pure.

A take-over from a replica that died raises the turn's `crash_count`; a hand-over at shutdown does
not, nor does a crash while the turn still waited in its thread.

- Below `MAX_CRASHES` the next owner continues the answer.
- From `MAX_CRASHES` on the model is not asked any more. The text so far is shown as the final text:
  as failed if the crashes came within `CRASH_LOOP_SECONDS`, because then the answer is their likely
  cause, else as interrupted.
- From `MAX_CRASHES_WHILE_SHOWING_END` on, even showing that text has killed processes. The text
  itself may be the cause, so the turn fails without showing it.

A process that survives for `CRASH_CLEAR_SECONDS` while it shows a final text resets the count.
Otherwise unrelated crashes would add up while a final text waits for Slack. But a text may also
kill a process later than that, so the count is not reset once the turn has had more than
`MAX_CRASH_CLEAR_FENCE` owners.
"""

from __future__ import annotations

from enum import Enum, auto

from bot.storage.records import TurnRecord

MAX_CRASHES = 3
"""Crashes after which an answer is not continued. Ours."""

MAX_CRASHES_WHILE_SHOWING_END = 2 * MAX_CRASHES
"""Crashes after which the answer's text is not shown either. Ours."""

CRASH_LOOP_SECONDS = 60.0
"""`MAX_CRASHES` within so many seconds of the first one are blamed on the answer. Ours."""

CRASH_CLEAR_SECONDS = 3.0
"""Seconds a process must survive while it shows a final text to reset the count. Ours."""

MAX_CRASH_CLEAR_FENCE = 20
"""The highest fencing token at which the count is still reset. It is the number of owners. Ours."""


class CrashLimit(Enum):
    """What the next owner of a turn may do after its crashes."""

    GO_ON = auto()
    END_AS_INTERRUPTED = auto()
    END_AS_FAILED = auto()
    END_WITHOUT_TEXT = auto()


def crash_limit(record: TurnRecord, now: float) -> CrashLimit:
    """Return what the owner of a turn may do with it at `now`, in seconds since the epoch.

    A final text that is already in the record may be shown unless the result is END_WITHOUT_TEXT.
    """
    if record.crash_count >= MAX_CRASHES_WHILE_SHOWING_END:
        return CrashLimit.END_WITHOUT_TEXT
    if record.crash_count < MAX_CRASHES:
        return CrashLimit.GO_ON
    first_crash_at = now if record.first_crash_at is None else record.first_crash_at
    in_loop = abs(now - first_crash_at) <= CRASH_LOOP_SECONDS
    return CrashLimit.END_AS_FAILED if in_loop else CrashLimit.END_AS_INTERRUPTED


def may_clear_crashes(crash_count: int, fence: int, showing_end_seconds: float) -> bool:
    """Whether the crash count of a turn may be reset. `showing_end_seconds` is how long its owner
    has survived showing the final text."""
    return (
        crash_count > 0
        and fence <= MAX_CRASH_CLEAR_FENCE
        and showing_end_seconds >= CRASH_CLEAR_SECONDS
    )
