from __future__ import annotations

from dataclasses import replace

import pytest

from bot.turn.order import after_stop, thread_of
from tests.turn.way import question


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("stop", ""),
        (" Stop! ", ""),
        ("STOP.", ""),
        ("stop, and tell me about otters", "and tell me about otters"),
        ("Stop: otters", "otters"),
        ("stop\n\nWhat about otters?", "What about otters?"),
        ("stop — otters", "otters"),
        ("stop 3 of them", "3 of them"),
        ("stopped clocks", None),
        ("stop-motion films", None),
        ("don't stop", None),
        ("", None),
    ],
)
def test_a_leading_stop_is_told_from_what_follows_it(text: str, rest: str | None) -> None:
    assert after_stop(text) == rest


def test_a_thread_is_known_by_its_workspace_channel_and_root() -> None:
    assert thread_of(question(team="T1", channel="C1", surface="channel", thread_ts="1.0")) == (
        "T1:C1:1.0"
    )


def test_a_command_has_no_place_in_a_thread() -> None:
    assert thread_of(question(team="T1", channel="C1", surface="command")) is None


def test_a_mention_without_a_word_waits_for_nothing() -> None:
    assert thread_of(replace(question(), text="")) is None


@pytest.mark.parametrize(("surface", "waits"), [("dm", False), ("channel", True)])
def test_a_new_conversation_in_a_direct_message_waits_for_nothing(
    surface: str, waits: bool
) -> None:
    asked = question(text="/new", team="T1", channel="D1", surface=surface, thread_ts="1.0")
    assert bool(thread_of(asked)) is waits
