"""Events about the bot's own posts and edits are recognised, and cost no listener a look."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.listeners.payloads.addressing import BotIdentifiers
from bot.listeners.payloads.follow_ups import parse_follow_up
from bot.listeners.payloads.own_messages import is_own_write
from bot.listeners.payloads.questions import parse_message
from bot.listeners.payloads.revisions import (
    parse_change,
    parse_deletion,
    parse_edit,
    parse_edited_follow_up,
)

US = BotIdentifiers("UBOT", "BBOT", frozenset({"BBOT", "BOTHER"}))
OURS = {"type": "message", "user": "UBOT", "bot_id": "BBOT", "ts": "2.0", "text": "an answer"}
THEIRS = {"type": "message", "user": "U1", "ts": "2.0", "text": "a question"}
OTHER_BOT = {"type": "message", "bot_id": "BOTHER", "ts": "2.0", "text": "<@UBOT> news"}
TOMBSTONE = {**OURS, "subtype": "tombstone", "user": "USLACKBOT"}


def body(event: object) -> dict[str, Any]:
    """The payload of an event in a channel."""
    return {"team_id": "T1", "type": "event_callback", "event": event}


def changed(now: object, old: object = OURS) -> dict[str, Any]:
    """The payload of an edit."""
    event = {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "3.0"}
    return body({**event, "message": now, "previous_message": old})


@pytest.mark.parametrize(
    "payload",
    [
        body({**OURS, "channel": "C1"}),
        body({**OURS, "channel": "C1", "subtype": "bot_message"}),
        changed({**OURS, "text": "a longer answer"}),
        changed({"bot_id": "BBOT", "ts": "2.0"}),
        changed({"user": "UBOT", "ts": "2.0"}),
    ],
)
def test_own_posts_and_edits_are_recognised(payload: dict[str, Any]) -> None:
    assert is_own_write(payload, US)


@pytest.mark.parametrize(
    "payload",
    [
        body({**THEIRS, "channel": "C1"}),
        body({**OTHER_BOT, "channel": "C1"}),
        body({"type": "message", "subtype": "message_deleted", "user": "UBOT"}),
        body({"type": "message", "subtype": "message_replied", "user": "UBOT"}),
        body({"type": "app_mention", "user": "UBOT", "text": "<@UBOT>"}),
        changed(THEIRS, THEIRS),
        changed(TOMBSTONE),
        changed("no message"),
        body("no event"),
        {"type": "block_actions", "user": {"id": "UBOT"}},
        {},
    ],
)
def test_other_events_go_to_the_listeners(payload: dict[str, Any]) -> None:
    assert not is_own_write(payload, US)


FIELDS = st.fixed_dictionaries(
    {"type": st.just("message"), "ts": st.just("2.0"), "channel": st.just("C1")},
    optional={
        "user": st.sampled_from(["UBOT", "U1", "USLACKBOT"]),
        "bot_id": st.sampled_from(["BBOT", "BOTHER"]),
        "text": st.sampled_from(["", "why?", "<@UBOT> why?"]),
        "subtype": st.sampled_from(["bot_message", "tombstone", "file_share", "me_message"]),
        "thread_ts": st.sampled_from(["1.0", "2.0"]),
        "edited": st.sampled_from([{"user": "UBOT", "ts": "2.5"}, {"user": "U1", "ts": "2.5"}]),
        "hidden": st.booleans(),
    },
)


@given(message=FIELDS, before=FIELDS, edited=st.booleans())
def test_no_listener_would_have_acted_on_an_own_write(
    message: dict[str, Any], before: dict[str, Any], edited: bool
) -> None:
    payload = changed(message, before) if edited else body(message)
    if not is_own_write(payload, US):
        return
    parsers = (
        parse_message,
        parse_follow_up,
        parse_change,
        parse_deletion,
        parse_edit,
        parse_edited_follow_up,
    )
    assert [parse(payload, US) for parse in parsers] == [None] * len(parsers)
