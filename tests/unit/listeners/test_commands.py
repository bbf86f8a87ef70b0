"""The slash command as Bolt delivers it, and what it is acknowledged with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.listeners.commands import usage_text
from bot.render.buttons import SHOW_ACTION, STOP_ACTION
from tests.unit.listeners.pressing import OUR_DM, Room, opened


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with opened() as found:
        yield found


def form(room: Room, text: str, **changed: Any) -> dict[str, Any]:
    """What Slack sends for `/ask text` in a channel."""
    return {
        "command": "/ask",
        "text": text,
        "user_id": "U1",
        "team_id": "T1",
        "channel_id": "C1",
        "channel_name": "general",
        "trigger_id": "1.2.3",
        "response_url": f"{room.url}/respond/command",
    } | changed


async def asked(room: Room, text: str, **changed: Any) -> dict[str, Any]:
    """Type the command; gives what it is acknowledged with."""
    response = await room.delivered(form(room, text, **changed))
    assert response.status == 200
    body: dict[str, Any] = json.loads(response.body) if response.body else {}
    return body


def actions(message: dict[str, Any]) -> dict[str, Any]:
    [row] = [block for block in message["blocks"] if block["type"] == "actions"]
    found: dict[str, Any] = row
    return found


async def test_command_is_acknowledged_with_a_note_that_names_its_turn(room: Room) -> None:
    note = await asked(room, "why?")
    [question] = room.asked
    assert note["response_type"] == "ephemeral"
    assert note["text"].startswith("Writing…")
    assert actions(note)["block_id"] == f"answer:{question.id}"
    assert [element["action_id"] for element in actions(note)["elements"]] == [
        SHOW_ACTION,
        STOP_ACTION,
    ]
    assert (question.text, question.place.surface) == ("why?", "command")
    assert question.response_url == f"{room.url}/respond/command"
    assert room.told == []


async def test_command_with_public_has_no_note(room: Room) -> None:
    assert await asked(room, "#public why?") == {}
    [question] = room.asked
    assert question.public
    assert room.told == []


async def test_command_without_a_question_explains_its_usage(room: Room) -> None:
    note = await asked(room, "  ")
    assert note["text"] == usage_text("/ask")
    assert room.asked == []


@pytest.mark.parametrize("text", ["why?", "#public why?"])
async def test_command_in_our_direct_message_is_asked_as_a_message(room: Room, text: str) -> None:
    answer = await asked(room, text, channel_id=OUR_DM, channel_name="directmessage")
    [question] = room.asked
    assert answer == {}
    assert question.place.surface == "dm"
    assert room.heard("command") == []


async def test_command_in_another_direct_message_sends_its_note_to_the_response_url(
    room: Room,
) -> None:
    answer = await asked(room, "why?", channel_id="D9", channel_name="directmessage")
    [question] = room.asked
    [note] = room.heard("command")
    assert answer == {}
    assert question.place.surface == "command"
    assert actions(note)["block_id"] == f"answer:{question.id}"


async def test_command_with_public_in_another_direct_message_has_no_note(room: Room) -> None:
    await asked(room, "#public why?", channel_id="D9", channel_name="directmessage")
    assert room.heard("command") == []
    assert [question.public for question in room.asked] == [True]


async def test_command_is_asked_if_its_note_can_not_be_sent(room: Room) -> None:
    room.codes = {"command": "expired_url", "conversations.open": "missing_scope"}
    await asked(room, "why?", channel_id="D9", channel_name="directmessage")
    assert [question.text for question in room.asked] == ["why?"]
