"""Decides whether a message in a thread is answered although it does not mention the bot. Pure.

Every reason to leave a message alone is enough by itself. Outcomes are labels of a metric.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.listeners.admission.phrases import is_reaction, parse_thread_mode
from bot.listeners.payloads.follow_ups import FollowUp
from bot.storage.records import ThreadActivity

SECONDS_PER_HOUR = 3600.0


class Outcome(StrEnum):
    """What became of a message, and why."""

    FOLLOWED = "followed"
    OFF = "off"
    MENTIONS_OTHERS = "mentions_others"
    REACTION = "reaction"
    NOT_ANSWERED = "not_answered"
    MENTIONS_ONLY = "mentions_only"
    SILENT = "silent"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class FollowUpRules:
    """The settings. `default` holds for channels whose own setting nobody changed: "thread" follows
    there, "channel" does not. `hours` is the longest silence of a thread."""

    default: Literal["channel", "thread"] = "channel"
    hours: float = 24.0

    def is_on(self, channel_setting: str | None) -> bool:
        """Whether follow-ups are answered in a channel with this setting ("on", "off", None)."""
        return channel_setting == "on" or (channel_setting is None and self.default == "thread")


def reason_in_message(follow_up: FollowUp) -> Outcome | None:
    """The reason to leave a message alone that it has in itself, or None."""
    if follow_up.mentions_others:
        return Outcome.MENTIONS_OTHERS
    question = follow_up.question
    if not (question.files or question.unreadable) and is_reaction(question.text):
        return Outcome.REACTION
    return None


def decide(
    follow_up: FollowUp, thread: ThreadActivity, is_on: bool, hours: float, now: float
) -> Outcome:
    """Whether a message is answered. `now` is in seconds since the epoch."""
    if not is_on:
        return Outcome.OFF
    if reason := reason_in_message(follow_up):
        return reason
    if not (thread.answered or follow_up.in_our_thread):
        return Outcome.NOT_ANSWERED
    if thread.mode == "mentions" and parse_thread_mode(follow_up.question.text) != "follow":
        return Outcome.MENTIONS_ONLY
    if not thread.is_active and now - _used_at(follow_up, thread) > hours * SECONDS_PER_HOUR:
        return Outcome.SILENT
    return Outcome.FOLLOWED


def _used_at(follow_up: FollowUp, thread: ThreadActivity) -> float:
    """When our newest answer ended, or somebody said later that the thread is to be followed.

    For a thread that only begins with an answer of ours: when that was posted.
    """
    ended_at = thread.ended_at
    if ended_at is None:
        ended_at = seconds_of(follow_up.question.place.thread_ts)
    return max(ended_at, thread.mode_set_at) if thread.mode == "follow" else ended_at


def seconds_of(ts: str | None) -> float:
    """The time of a message, in seconds since the epoch; 0 if its ts is not a number."""
    try:
        return float(ts or 0)
    except ValueError:
        return 0.0
