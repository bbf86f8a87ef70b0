"""The gate over all its facts: every reason to leave a message alone is enough by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.listeners.admission.follow_up_gate import FollowUpRules, Outcome, decide
from bot.listeners.payloads.follow_ups import FollowUp
from bot.storage.records import ThreadActivity
from bot.values import File, Place, Question

NOW, HOUR = 1_800_000_000.0, 3600.0
PLACE = Place("T1", "C1", "channel", f"{NOW - 30 * HOUR:.6f}")
FILE = File("F1", "a.png", "image/png", 1, "https://files.slack.com/a")


def follow_up(text: str = "and in French?", files: tuple[File, ...] = (), **given: Any) -> FollowUp:
    return FollowUp(Question("Q1", (), PLACE, "U1", text, "2.0", files=files), **given)


def answered(hours_ago: float = 1.0, **given: Any) -> ThreadActivity:
    return ThreadActivity(answered=True, ended_at=NOW - hours_ago * HOUR, **given)


@pytest.mark.parametrize(
    ("message", "thread", "is_on", "outcome"),
    [
        (follow_up(), answered(), True, Outcome.FOLLOWED),
        (follow_up(), answered(), False, Outcome.OFF),
        (follow_up(mentions_others=True), answered(), True, Outcome.MENTIONS_OTHERS),
        (follow_up("thanks"), answered(), True, Outcome.REACTION),
        (follow_up("", (FILE,)), answered(), True, Outcome.FOLLOWED),
        (follow_up("thanks", (FILE,)), answered(), True, Outcome.FOLLOWED),
        (follow_up(), ThreadActivity(), True, Outcome.NOT_ANSWERED),
        (follow_up(), answered(mode="mentions"), True, Outcome.MENTIONS_ONLY),
        (follow_up(), answered(mode="follow"), True, Outcome.FOLLOWED),
        (follow_up("follow this thread"), answered(mode="mentions"), True, Outcome.FOLLOWED),
        (follow_up("follow this thread"), ThreadActivity(), True, Outcome.NOT_ANSWERED),
        (follow_up(), answered(25, mode="follow", mode_set_at=NOW), True, Outcome.FOLLOWED),
        (follow_up(), answered(25, mode="mentions", mode_set_at=NOW), True, Outcome.MENTIONS_ONLY),
        (follow_up(), answered(23.9), True, Outcome.FOLLOWED),
        (follow_up(), answered(24.1), True, Outcome.SILENT),
        (follow_up(), answered(99, is_active=True), True, Outcome.FOLLOWED),
        (follow_up(in_our_thread=True), ThreadActivity(), True, Outcome.SILENT),
    ],
)
def test_gate_gives_its_reason(
    message: FollowUp, thread: ThreadActivity, is_on: bool, outcome: Outcome
) -> None:
    assert decide(message, thread, is_on, 24.0, NOW) is outcome


def test_thread_that_begins_with_our_message_counts_from_that_message_on() -> None:
    message = follow_up(in_our_thread=True)

    assert decide(message, ThreadActivity(), True, 31.0, NOW) is Outcome.FOLLOWED


FOLLOW = "follow this thread"
MESSAGES = st.builds(
    follow_up,
    st.sampled_from(["and in French?", "thanks", "好的", "why", "stop", "", FOLLOW]),
    st.sampled_from([(), (FILE,)]),
    mentions_others=st.booleans(),
    in_our_thread=st.booleans(),
)
THREADS = st.builds(
    ThreadActivity,
    st.booleans(),
    st.booleans(),
    st.none() | st.floats(NOW - 100 * HOUR, NOW + HOUR),
    st.sampled_from([None, "follow", "mentions"]),
    st.floats(NOW - 100 * HOUR, NOW),
)


@given(MESSAGES, THREADS, st.booleans(), st.floats(0.1, 100))
def test_message_is_followed_only_if_nothing_speaks_against_it(
    message: FollowUp, thread: ThreadActivity, is_on: bool, hours: float
) -> None:
    if decide(message, thread, is_on, hours, NOW) is not Outcome.FOLLOWED:
        return

    assert is_on
    assert not message.mentions_others
    assert thread.answered or message.in_our_thread
    assert thread.mode != "mentions" or message.question.text == FOLLOW
    assert message.question.files or message.question.text not in {"thanks", "好的", ""}
    said_at = thread.mode_set_at if thread.mode == "follow" else 0.0
    assert thread.is_active or max(thread.ended_at or NOW, said_at) >= NOW - hours * HOUR


@given(MESSAGES, THREADS, st.floats(0.1, 100))
def test_message_that_is_left_alone_stays_so_with_one_more_reason(
    message: FollowUp, thread: ThreadActivity, hours: float
) -> None:
    if decide(message, thread, True, hours, NOW) is Outcome.FOLLOWED:
        return
    others = FollowUp(message.question, True, message.in_our_thread)
    quiet = ThreadActivity(thread.answered, thread.is_active, thread.ended_at, "mentions")

    assert decide(message, thread, False, hours, NOW) is Outcome.OFF
    assert decide(others, thread, True, hours, NOW) is not Outcome.FOLLOWED
    if message.question.text != FOLLOW:
        assert decide(message, quiet, True, hours, NOW) is not Outcome.FOLLOWED


@pytest.mark.parametrize(
    ("default", "setting", "is_on"),
    [
        ("channel", None, False),
        ("channel", "on", True),
        ("channel", "off", False),
        ("thread", None, True),
        ("thread", "on", True),
        ("thread", "off", False),
    ],
)
def test_setting_of_a_channel_goes_before_the_default(
    default: Any, setting: str | None, is_on: bool
) -> None:
    assert FollowUpRules(default).is_on(setting) is is_on
