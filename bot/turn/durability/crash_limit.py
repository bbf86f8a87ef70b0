"""The poison-pill rule: an answer that kills the processes that write it is given up. Pure.

A take-over from a replica that died raises the turn's `crash_count`; a hand-over at shutdown does
not, nor does a crash while the turn still waited in its thread.

- Below `MAX_CRASHES` the next owner goes on with the answer.
- From `MAX_CRASHES` on nothing new is written. The text so far is shown with an end: as failed if
  the crashes came within `CRASH_LOOP_SECONDS`, so that the answer is their likely cause, else as
  interrupted.
- From `MAX_CRASHES_WHILE_SHOWING_END` on even showing that end has killed processes, so the text
  itself may be the cause: the turn fails without it.

A process that survives `CRASH_CLEAR_SECONDS` of showing an end resets the count, so that processes
that die for other reasons while ends wait for Slack do not add up. But an end that waited may also
kill after that: a turn that has had more than `MAX_CRASH_CLEAR_FENCE` owners is not reset any more.
"""

from __future__ import annotations

from enum import Enum, auto

from bot.storage.records import TurnRecord

MAX_CRASHES = 3
"""Crashes after which an answer is not continued. Ours."""

MAX_CRASHES_WHILE_SHOWING_END = 2 * MAX_CRASHES
"""Crashes after which the answer's text is not shown either. Ours."""

CRASH_LOOP_SECONDS = 60.0
"""Seconds since the first crash in which `MAX_CRASHES` of them are blamed on the answer. Ours."""

CRASH_CLEAR_SECONDS = 3.0
"""Seconds for which a process must survive while it shows an end to reset the count. Ours."""

MAX_CRASH_CLEAR_FENCE = 20
"""The highest fencing token, thus number of owners, at which the count is still reset. Ours."""


class CrashLimit(Enum):
    """What the crashes of a turn allow its next owner to do."""

    GO_ON = auto()
    END_AS_INTERRUPTED = auto()
    END_AS_FAILED = auto()
    END_WITHOUT_TEXT = auto()


def crash_limit(record: TurnRecord, now: float) -> CrashLimit:
    """Decide what the owner of a turn may do with it at `now`, in seconds since the epoch.

    An end that is already in the record may be shown unless the result is END_WITHOUT_TEXT.
    """
    if record.crash_count >= MAX_CRASHES_WHILE_SHOWING_END:
        return CrashLimit.END_WITHOUT_TEXT
    if record.crash_count < MAX_CRASHES:
        return CrashLimit.GO_ON
    first_crash_at = now if record.first_crash_at is None else record.first_crash_at
    in_loop = abs(now - first_crash_at) <= CRASH_LOOP_SECONDS
    return CrashLimit.END_AS_FAILED if in_loop else CrashLimit.END_AS_INTERRUPTED


def may_clear_crashes(crash_count: int, fence: int, showing_end_seconds: float) -> bool:
    """Whether a turn with these crashes and this fencing token, whose owner has survived so many
    seconds of showing its end, may have its count reset."""
    return (
        crash_count > 0
        and fence <= MAX_CRASH_CLEAR_FENCE
        and showing_end_seconds >= CRASH_CLEAR_SECONDS
    )
