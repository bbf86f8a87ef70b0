"""`/ask follow-ups`: who types it is told the state, and the channel keeps it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.listeners.follow_up_command import parse_follow_up_command
from bot.words import Phrase
from tests.unit.listeners.channel import open_channel
from tests.unit.listeners.following import Following, following


@pytest_asyncio.fixture
async def threads(tmp_path: Path) -> AsyncIterator[Following]:
    """A channel in which nobody turned follow-ups on."""
    async with following(tmp_path, "channel") as threads:
        yield threads


async def reply(app: Any, text: str, channel: str = "C1") -> str:
    """Type the command; what its author reads."""
    form = {"command": "/ask", "text": text, "user_id": "U1", "team_id": "T1"}
    form |= {"channel_id": channel, "channel_name": "general", "trigger_id": "1.2"}
    answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=form))
    assert answer.status == 200
    said = json.loads(answer.body)
    assert said["response_type"] == "ephemeral"
    return str(said["text"])


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("follow-ups on", "on"),
        (" Follow-Ups  OFF ", "off"),
        ("followups", ""),
        ("follow-up on", "on"),
        ("follow-ups on our meeting", None),
        ("follow-ups onwards", None),
        ("what are follow-ups", None),
        ("", None),
    ],
)
def test_command_is_told_from_a_question(text: str, wish: str | None) -> None:
    assert parse_follow_up_command(text) == wish


async def test_command_turns_follow_ups_on_and_off_in_its_channel(threads: Following) -> None:
    root = await threads.mention()

    said = await reply(threads.channel.app, "follow-ups on")
    by = "<@U1> turned them on. `/ask follow-ups off` turns them off."
    assert said == f"{Phrase.FOLLOW_UPS_ON.value} {by}"
    assert await threads.say("and in French?", root)

    said = await reply(threads.channel.app, "follow-ups off")
    by = "<@U1> turned them off. `/ask follow-ups on` turns them on."
    assert said == f"{Phrase.FOLLOW_UPS_OFF.value} {by}"
    assert not await threads.say("and in German?", root)


async def test_command_without_a_word_tells_the_state(threads: Following) -> None:
    said = await reply(threads.channel.app, "follow-ups")

    hint = "Nobody has changed that here. `/ask follow-ups on` turns them on."
    assert said == f"{Phrase.FOLLOW_UPS_OFF.value} {hint}"


async def test_command_changes_no_other_channel(threads: Following) -> None:
    await reply(threads.channel.app, "follow-ups on", "C2")

    assert Phrase.FOLLOW_UPS_OFF.value in await reply(threads.channel.app, "follow-ups")


async def test_command_in_a_direct_message_says_that_it_is_for_channels(
    threads: Following,
) -> None:
    said = await reply(threads.channel.app, "follow-ups on", "D1")
    assert said == Phrase.FOLLOW_UPS_ARE_FOR_CHANNELS.value


async def test_command_says_that_follow_ups_are_switched_off_everywhere() -> None:
    async with open_channel() as channel:
        assert await reply(channel.app, "follow-ups on") == Phrase.FOLLOW_UPS_DISABLED.value


async def test_command_says_that_nothing_was_stored(threads: Following) -> None:
    await threads.database.write(
        lambda c: c.exec_driver_sql("ALTER TABLE channel_settings RENAME TO away")
    )

    assert await reply(threads.channel.app, "follow-ups on") == Phrase.FOLLOW_UPS_NOT_STORED.value
