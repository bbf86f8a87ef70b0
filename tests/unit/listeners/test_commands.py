"""The slash command as Bolt delivers it, and what it is acknowledged with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.render.buttons import SHOW_ACTION, STOP_ACTION
from bot.words import Phrase
from tests.support.words import english
from tests.unit.listeners.listener_setup import DM, ListenerSetup, open_listeners


@pytest.fixture
async def setup() -> AsyncIterator[ListenerSetup]:
    async with open_listeners() as found:
        yield found


def form(setup: ListenerSetup, text: str, **changed: Any) -> dict[str, Any]:
    """What Slack sends for `/ask text` in a channel."""
    return {
        "command": "/ask",
        "text": text,
        "user_id": "U1",
        "team_id": "T1",
        "channel_id": "C1",
        "channel_name": "general",
        "trigger_id": "1.2.3",
        "response_url": f"{setup.url}/respond/command",
    } | changed


async def asked(setup: ListenerSetup, text: str, **changed: Any) -> dict[str, Any]:
    """Type the command; gives what it is acknowledged with."""
    response = await setup.deliver(form(setup, text, **changed))
    assert response.status == 200
    body: dict[str, Any] = json.loads(response.body) if response.body else {}
    return body


def actions(message: dict[str, Any]) -> dict[str, Any]:
    [row] = [block for block in message["blocks"] if block["type"] == "actions"]
    found: dict[str, Any] = row
    return found


async def test_command_is_acknowledged_with_a_note_that_names_its_turn(
    setup: ListenerSetup,
) -> None:
    note = await asked(setup, "why?")
    [question] = setup.asked
    assert note["response_type"] == "ephemeral"
    assert note["text"].startswith("Writing…")
    assert actions(note)["block_id"] == f"answer:{question.id}"
    assert [element["action_id"] for element in actions(note)["elements"]] == [
        SHOW_ACTION,
        STOP_ACTION,
    ]
    assert (question.text, question.place.surface) == ("why?", "command")
    assert question.response_url == f"{setup.url}/respond/command"
    assert setup.slack_calls == []


async def test_command_with_public_has_no_note(setup: ListenerSetup) -> None:
    assert await asked(setup, "#public why?") == {}
    [question] = setup.asked
    assert question.public
    assert setup.slack_calls == []


async def test_command_without_a_question_explains_its_usage(setup: ListenerSetup) -> None:
    note = await asked(setup, "  ")
    assert note["text"] == english(Phrase.COMMAND_USAGE, command="/ask")
    assert setup.asked == []


@pytest.mark.parametrize("text", ["why?", "#public why?"])
async def test_command_in_our_direct_message_is_asked_as_a_message(
    setup: ListenerSetup, text: str
) -> None:
    answer = await asked(setup, text, channel_id=DM, channel_name="directmessage")
    [question] = setup.asked
    assert answer == {}
    assert question.place.surface == "dm"
    assert setup.calls_of("command") == []


async def test_command_in_another_direct_message_sends_its_note_to_the_response_url(
    setup: ListenerSetup,
) -> None:
    answer = await asked(setup, "why?", channel_id="D9", channel_name="directmessage")
    [question] = setup.asked
    [note] = setup.calls_of("command")
    assert answer == {}
    assert question.place.surface == "command"
    assert actions(note)["block_id"] == f"answer:{question.id}"


async def test_command_with_public_in_another_direct_message_has_no_note(
    setup: ListenerSetup,
) -> None:
    await asked(setup, "#public why?", channel_id="D9", channel_name="directmessage")
    assert setup.calls_of("command") == []
    assert [question.public for question in setup.asked] == [True]


async def test_command_is_asked_if_its_note_can_not_be_sent(setup: ListenerSetup) -> None:
    setup.errors = {"command": "expired_url", "conversations.open": "missing_scope"}
    await asked(setup, "why?", channel_id="D9", channel_name="directmessage")
    assert [question.text for question in setup.asked] == ["why?"]
