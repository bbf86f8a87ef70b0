"""Which earlier messages a prompt has neither whole nor in a summary. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.storage.records import ThreadSummary

MIN_OVERLAP = 10
"""In a direct message only so many messages are read. A summary has to reach into them, so it is
made anew before fewer of them than this are covered."""

MAX_AGE_SECONDS = 24 * 3600.0
"""After this time a summary is made anew from Slack instead of going on from its text, so that a
change that Slack did not deliver is noticed. Ours."""


@dataclass(frozen=True, slots=True)
class ReadRange:
    """Which earlier messages were read from Slack.

    - `since`: the oldest of them apart from the first message of a thread; "" if there is none.
    - `unread`: estimates the messages of a thread before `since`.
    - `is_cut`: there may be messages before `since` in a direct message.
    - `is_nearly_cut`: there will be soon, or are.
    - `is_partial`: some messages of a direct message after `since` were not read.
    - `must_overlap`: a summary is used only if it reaches into what was read, because a new
      conversation may begin in what was not.
    - `not_before`: the ts before which nothing may be used.
    """

    since: str = ""
    unread: int = 0
    is_cut: bool = False
    is_nearly_cut: bool = False
    is_partial: bool = False
    must_overlap: bool = False
    not_before: str = ""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Messages that a prompt does not have whole.

    `missing` are all of them, `uncovered` those that are in no summary either. `is_estimate`: some
    of the uncovered ones were not read.
    """

    missing: int = 0
    uncovered: int = 0
    is_estimate: bool = False


def is_usable(summary: ThreadSummary, read: ReadRange) -> bool:
    """Whether a summary may be told to the model with the messages that were read."""
    if not summary.text or summary.covered_from < read.not_before:
        return False
    return not read.must_overlap or (bool(read.since) and read.since <= summary.covered_to)


def count_gaps(dropped: Sequence[str], read: ReadRange, summary: ThreadSummary | None) -> Gaps:
    """Count what a prompt misses. `dropped` are the ts of messages that were read but did not fit;
    `summary` is the one that is told to the model."""
    covered_to = summary.covered_to if summary else ""
    unread = read.unread if covered_to < read.since else 0
    if summary:
        unread = max(0, unread - summary.message_count)
    return Gaps(
        missing=len(dropped) + read.unread,
        uncovered=sum(ts > covered_to for ts in dropped) + unread,
        is_estimate=unread > 0,
    )


def needs_summary(
    gaps: Gaps,
    read: ReadRange,
    all_read: Sequence[str],
    summary: ThreadSummary | None,
    now: float,
) -> bool:
    """Whether a summary has to be made, or made anew, after the answer.

    `all_read` are the ts of all messages that were read, `now` is the time in seconds since the
    epoch.
    """
    if gaps.uncovered:
        return True
    if not gaps.missing and not read.is_nearly_cut:
        return False
    if summary is None:
        return True
    overlap = sum(ts <= summary.covered_to for ts in all_read)
    return is_aged(summary, now) or (read.is_nearly_cut and overlap < MIN_OVERLAP)


def is_aged(summary: ThreadSummary, now: float) -> bool:
    """Whether a summary began so long ago that it is made anew from Slack."""
    return now - summary.begun_at > MAX_AGE_SECONDS
