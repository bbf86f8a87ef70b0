"""The menu under an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.history.new_conversation import NEW_CONVERSATION_REPLY, starts_new_conversation
from bot.listeners.menu import NEW_CONVERSATION_FAILED
from bot.render.buttons import MENU_ACTION, NEW_CONVERSATION_VALUE
from tests.unit.listeners.pressing import Room, opened, payload


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with opened() as found:
        yield found


def chosen(value: str) -> dict[str, Any]:
    """A line of the menu was chosen."""
    option = {"text": {"type": "plain_text", "text": "x"}, "value": value}
    action = {"type": "overflow", "action_id": MENU_ACTION, "block_id": "answer:turn1"}
    return payload(MENU_ACTION, actions=[action | {"selected_option": option}])


async def test_menu_posts_the_message_that_starts_a_new_conversation(room: Room) -> None:
    assert await room.pressed(chosen(NEW_CONVERSATION_VALUE)) == 200
    [(method, post)] = room.told
    assert method == "chat.postMessage"
    assert (post["channel"], post["text"]) == ("C1", NEW_CONVERSATION_REPLY)
    assert "thread_ts" not in post  # where the conversation is read from
    assert starts_new_conversation({"user": "UBOT", "metadata": post["metadata"]}, "", "UBOT")


async def test_menu_tells_the_user_if_the_message_can_not_be_posted(room: Room) -> None:
    room.codes["chat.postMessage"] = "channel_is_archived"
    await room.pressed(chosen(NEW_CONVERSATION_VALUE))
    [told] = room.heard("chat.postEphemeral")
    assert (told["user"], told["text"]) == ("U1", NEW_CONVERSATION_FAILED)


@pytest.mark.parametrize("value", ["", "something_newer"])
async def test_menu_ignores_an_unknown_option(room: Room, value: str) -> None:
    assert await room.pressed(chosen(value)) == 200
    assert room.told == []
