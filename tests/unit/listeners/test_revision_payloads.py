"""Deletions and edits as Slack tells of them: what counts as one."""

from __future__ import annotations

from typing import Any

import pytest

from bot.listeners.payloads.addressing import BotIdentifiers
from bot.listeners.payloads.revisions import (
    MAX_EDIT_AGE_SECONDS,
    ChangedMessage,
    DeletedMessage,
    parse_change,
    parse_deletion,
    parse_edit,
)

US = BotIdentifiers("UBOT", "BBOT")
TS = "1700000100.000100"
AFTER = "1700000130.000200"  # half a minute later
OLD: dict[str, Any] = {
    "type": "message",
    "user": "U1",
    "ts": TS,
    "text": "<@UBOT> How big may a file be?",
}
EDIT = {"user": "U1", "ts": AFTER}


def body(subtype: str, **event: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"type": "message", "subtype": subtype}
    base |= {"channel": "C1", "channel_type": "channel"}
    base |= {"ts": AFTER, "event_ts": AFTER, "hidden": True}
    return {"team_id": "T1", "event_id": "Ev1", "event": base | event}


def deletion(previous: Any = OLD, **event: Any) -> dict[str, Any]:
    return body("message_deleted", **{"deleted_ts": TS, "previous_message": previous} | event)


def change(new: dict[str, Any], old: dict[str, Any] | None = None, **event: Any) -> dict[str, Any]:
    before = OLD | (old or {})
    return body("message_changed", message=before | new, previous_message=before, **event)


TOMBSTONE: dict[str, Any] = {
    "type": "message",
    "subtype": "tombstone",
    "user": "USLACKBOT",
    "text": "This message was deleted.",
    "hidden": True,
    "ts": TS,
    "thread_ts": TS,
}


@pytest.mark.parametrize(
    "told",
    [deletion(), body("message_changed", message=TOMBSTONE, previous_message=OLD)],
    ids=["message_deleted", "tombstone"],
)
def test_parse_deletion_returns_the_question_of_the_message(told: dict[str, Any]) -> None:
    gone = parse_deletion(told, US)
    assert gone is not None
    assert (gone.team, gone.channel, gone.ts) == ("T1", "C1", TS)
    assert gone.question is not None
    assert gone.question.text == "How big may a file be?"
    assert gone.question.keys[0] == f"message:T1:C1:{TS}"


@pytest.mark.parametrize(
    "previous",
    [None, TOMBSTONE, OLD | {"text": "Nothing to us"}, OLD | {"bot_id": "B9", "user": "U9"}],
    ids=["unknown", "tombstone", "to others", "by a bot"],
)
def test_parse_deletion_returns_a_message_without_a_question(previous: Any) -> None:
    assert parse_deletion(deletion(previous), US) == DeletedMessage("T1", "C1", TS, None)


def test_parse_deletion_leaves_out_a_question_that_is_too_old_to_arrive() -> None:
    gone = parse_deletion(deletion(event_ts="1700090000.000100"), US)
    assert gone == DeletedMessage("T1", "C1", TS, None)


@pytest.mark.parametrize("ours", [{"user": "UBOT"}, {"user": "U7", "bot_id": "BBOT"}])
def test_parse_deletion_ignores_messages_of_ours(ours: dict[str, Any]) -> None:
    assert parse_deletion(deletion(OLD | ours), US) is None


@pytest.mark.parametrize(
    "told",
    [{}, {"event": None}, {"event": {"subtype": "message_deleted"}}, change({"text": "x"})],
    ids=["no event", "null", "no ts", "an edit"],
)
def test_parse_deletion_ignores_other_changes(told: dict[str, Any]) -> None:
    assert parse_deletion(told, US) is None


@pytest.mark.parametrize(
    "new",
    [
        {"text": "<@UBOT> How big may a picture be?"},
        {"text": "<@UBOT> How big may a file be, at most?"},
    ],
)
def test_parse_edit_returns_the_changed_question(new: dict[str, Any]) -> None:
    question = parse_edit(change({"edited": EDIT} | new), US)
    assert question is not None
    assert question.ts == TS
    assert question.text == new["text"].removeprefix("<@UBOT> ")


def test_parse_edit_in_a_direct_message_needs_no_mention() -> None:
    told = change(
        {"text": "And now?", "edited": EDIT},
        {"text": "And then?"},
        channel="D1",
        channel_type="im",
    )
    question = parse_edit(told, US)
    assert question is not None
    assert question.place.surface == "dm"


def test_parse_edit_returns_a_question_that_mentions_us_for_the_first_time() -> None:
    told = change({"text": "<@UBOT> How big?", "edited": EDIT}, {"text": "How big?"})
    assert parse_edit(told, US) is not None


UNFURLED = {"attachments": [{"from_url": "https://example.com", "title": "Example"}]}


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (UNFURLED, {}),
        ({"reply_count": 1, "thread_ts": TS}, {}),
        (UNFURLED | {"edited": EDIT}, {"edited": EDIT}),
        ({"edited": EDIT}, {}),
        ({"edited": EDIT, "text": "How big? <@UBOT>"}, {"text": "<@UBOT> How big?"}),
        ({"edited": EDIT, "text": "Never mind"}, {}),
        ({"edited": EDIT, "text": "<@UBOT>"}, {}),
        ({"edited": EDIT, "text": "<@U9> How big?"}, {"text": "<@U9> How"}),
        ({"edited": EDIT | {"user": "U9"}, "text": "<@UBOT> How small?"}, {}),
        ({"edited": EDIT, "text": "<@UBOT> Hm"}, {"user": "UBOT"}),
        ({"edited": EDIT, "text": "<@UBOT> Hm"}, {"user": "U7", "bot_id": "BBOT"}),
        ({"edited": {}, "text": "<@UBOT> Hm"}, {}),
    ],
    ids=[
        *("unfurled", "replied to", "unfurled after an edit", "same words", "mention moved"),
        *("asks no more", "no words left", "to others", "by another", "our user", "our app"),
        "no editor",
    ],
)
def test_parse_edit_ignores_changes_that_leave_the_question_as_it_was(
    new: dict[str, Any], old: dict[str, Any]
) -> None:
    assert parse_edit(change(new, old), US) is None


@pytest.mark.parametrize(
    ("seconds", "offered"), [(MAX_EDIT_AGE_SECONDS, True), (MAX_EDIT_AGE_SECONDS + 1, False)]
)
def test_parse_edit_accepts_edits_within_five_minutes(seconds: float, offered: bool) -> None:
    moment = f"{1700000100 + seconds:.0f}.000100"
    told = change({"text": "<@UBOT> Else?", "edited": EDIT | {"ts": moment}})
    assert (parse_edit(told, US) is not None) is offered


REPLY = {"thread_ts": "1700000000.000100"}


@pytest.mark.parametrize(
    ("told", "thread"),
    [
        (deletion(), TS),
        (deletion(OLD | REPLY), REPLY["thread_ts"]),
        (deletion(None), None),
        (deletion(OLD | {"user": "UBOT"}), TS),
        (body("message_changed", message=TOMBSTONE, previous_message=OLD), TS),
        (change({"text": "another", "edited": EDIT}), TS),
        (change({"text": "another", "edited": EDIT}, REPLY), REPLY["thread_ts"]),
        (body("message_changed", message=OLD), TS),
    ],
)
def test_parse_change_returns_the_message_and_its_thread(
    told: dict[str, Any], thread: str | None
) -> None:
    assert parse_change(told, US) == ChangedMessage("C1", TS, thread)


@pytest.mark.parametrize(
    "told",
    [
        change({"attachments": [{"title": "a preview"}]}),
        change({"reply_count": 3, "latest_reply": AFTER}),
        change({"user": "UBOT", "text": "more of an answer"}),
        body("message_changed", message=TOMBSTONE, previous_message=TOMBSTONE),
        {"event": {"type": "message", "channel": "C1", "ts": TS, "text": "new"}},
        {},
    ],
)
def test_parse_change_ignores_what_does_not_change_the_words(told: dict[str, Any]) -> None:
    assert parse_change(told, US) is None
