"""Deletions, edits and the offer to ask again, as Bolt delivers them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.listeners.changes import ASKED_ALREADY, QUESTION_NOT_FOUND
from bot.listeners.ephemeral_buttons import PRESS_AGAIN_LATER
from bot.render.buttons import BUTTONS_BLOCK_PREFIX, RETRY_EDITED_ACTION
from bot.turn.supervisor import Verdict
from tests.unit.listeners.pressing import Room, opened
from tests.unit.listeners.test_revision_payloads import EDIT, OLD, TS, change, deletion

EDITED = OLD | {"text": "<@UBOT> How big may a picture be?", "edited": EDIT}
GONE = {"delete_original": True}


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with opened() as found:
        yield found


def event(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"type": "event_callback", "api_app_id": "A1"}


def press(room: Room, user: str = "U1") -> dict[str, Any]:
    """A press on the offer."""
    return room.private(RETRY_EDITED_ACTION, user, f"{TS} {TS}")


def said(room: Room) -> str:
    """What is told in answer to a press."""
    return str(room.heard("note"))


async def test_deletion_is_reported_to_the_turns(room: Room) -> None:
    assert (await room.delivered(event(deletion()))).status == 200
    [(channel, ts, question)] = room.gone
    assert (channel, ts) == ("C1", TS)
    assert question is not None


async def test_edit_is_offered_to_its_author_only(room: Room) -> None:
    await room.delivered(event(change(EDITED)))
    [offer] = room.heard("chat.postEphemeral")
    assert (offer["user"], offer["channel"], offer["thread_ts"]) == ("U1", "C1", TS)
    [row] = [block for block in offer["blocks"] if block["type"] == "actions"]
    assert row["block_id"].startswith(BUTTONS_BLOCK_PREFIX)
    assert row["block_id"].endswith("-2")
    [button] = row["elements"]
    assert (button["action_id"], button["text"]["text"]) == (
        RETRY_EDITED_ACTION,
        "Ask again with the edit",
    )
    assert button["value"] == f"{TS} {TS}"
    assert room.asked == []


async def test_edit_of_a_question_not_asked_yet_gets_no_offer(
    room: Room,
) -> None:
    room.waits = True
    await room.delivered(event(change(EDITED)))
    assert room.told == []


async def test_edit_by_an_external_user_gets_no_offer(room: Room) -> None:
    told = event(change(EDITED | {"user_team": "T9"})) | {"is_ext_shared_channel": True}
    await room.delivered(told)
    assert room.told == []


@pytest.mark.parametrize("fault", ["slack", "database"])
async def test_edit_offer_that_slack_refuses_raises_nothing(room: Room, fault: str) -> None:
    room.refuse = fault == "slack"
    room.stored = None if fault == "database" else {}
    assert (await room.delivered(event(change(EDITED)))).status == 200
    assert room.asked == []


async def test_ask_again_asks_the_present_text_of_the_question(room: Room) -> None:
    room.thread = [EDITED | {"text": "<@UBOT> How big, finally?"}]
    assert await room.pressed(press(room)) == 200
    [asked] = room.asked
    assert (asked.id, asked.text, asked.user) == ("turn1", "How big, finally?", "U1")
    assert room.heard("note") == [GONE]


async def test_ask_again_pressed_twice_says_that_it_was_asked(room: Room) -> None:
    room.thread, room.verdict = [EDITED], Verdict.ALREADY_DONE
    await room.pressed(press(room))
    assert ASKED_ALREADY in said(room)


async def test_ask_again_without_a_database_says_to_press_again(room: Room) -> None:
    room.thread, room.verdict = [EDITED], Verdict.STORAGE_UNAVAILABLE
    await room.pressed(press(room))
    assert PRESS_AGAIN_LATER in said(room)


@pytest.mark.parametrize(
    "thread",
    [[], [OLD | {"ts": "1700000000.000100"}], [EDITED | {"text": "Never mind"}]],
    ids=["gone", "only the root", "asks nothing"],
)
async def test_ask_again_says_that_the_question_is_not_found(
    room: Room, thread: list[dict[str, Any]]
) -> None:
    room.thread = thread
    await room.pressed(press(room))
    assert QUESTION_NOT_FOUND in said(room)
    assert room.asked == []


async def test_ask_again_by_another_user_asks_nothing(room: Room) -> None:
    room.thread = [EDITED]
    await room.pressed(press(room, "U2"))
    assert QUESTION_NOT_FOUND in said(room)
    assert room.asked == []


async def test_ask_again_says_to_press_again_if_slack_can_not_be_read(room: Room) -> None:
    room.refuse = True
    await room.pressed(press(room))
    assert room.asked == []


@pytest.mark.parametrize(
    "told", [change, lambda ours: deletion(OLD | ours)], ids=["edit", "deletion"]
)
@pytest.mark.parametrize("ours", [{"user": "UBOT", "bot_id": "BBOT"}, {"user": "UBOT"}])
async def test_changes_of_own_messages_are_ignored(room: Room, told: Any, ours: Any) -> None:
    assert (await room.delivered(event(told(ours | {"edited": EDIT})))).status == 200
    assert (room.gone, room.asked, room.told) == ([], [], [])
