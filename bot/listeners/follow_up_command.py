"""`/ask follow-ups`: turns follow-ups on or off in the channel in which it is typed.

Anybody who can type the command there may change it; everyone can undo it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any

from bot.errors import StorageUnavailable
from bot.listeners.admission.follow_ups import FollowUps
from bot.listeners.context import ListenerContext

log = logging.getLogger(__name__)

STORAGE_TIMEOUT_SECONDS = 2.0
"""How long the database may take: Slack waits three seconds for the reply
(docs/slack.md#acknowledgement)."""

ON_TEXT = (
    "Follow-ups are on in this channel: in a thread that I have answered, nobody has to mention me "
    "again. I have to be a member of the channel."
)
OFF_TEXT = "Follow-ups are off in this channel: I only answer messages that mention me."
DISABLED_TEXT = (
    "Follow-ups are switched off for all channels. Ask whoever runs me to change FOLLOW_UPS."
)
CHANNELS_ONLY_TEXT = "Follow-ups are a setting of channels: type this in the channel that you mean."
NOT_STORED_TEXT = "The setting could not be read or stored. Please try again in a minute."

_COMMAND = re.compile(r"\s*follow-?ups?(?:\s+(on|off))?\s*", re.IGNORECASE)


def parse_follow_up_command(text: str) -> str | None:
    """The wish in the text of a command: "on", "off", or "" to be told the state.

    None if the text is a question.
    """
    found = _COMMAND.fullmatch(text)
    return (found[1] or "").lower() if found else None


async def reply_to_follow_up_command(
    context: ListenerContext, command: Mapping[str, Any], wish: str
) -> str:
    """Carry out a wish, and return what its author is told."""
    channel, user = str(command["channel_id"]), str(command["user_id"])
    if channel.startswith("D"):
        return CHANNELS_ONLY_TEXT
    if context.follow_ups is None:
        return DISABLED_TEXT
    try:
        async with asyncio.timeout(STORAGE_TIMEOUT_SECONDS):
            if wish:
                await context.follow_ups.set_setting(channel, wish, user)
            return await _state(context.follow_ups, channel, context.slash_command)
    except (StorageUnavailable, TimeoutError) as error:
        log.warning("the follow-ups of a channel could not be read or stored: %s", error)
        return NOT_STORED_TEXT


async def _state(follow_ups: FollowUps, channel: str, command: str) -> str:
    """Whether follow-ups are on, who changed that, and how to change it."""
    is_on = await follow_ups.is_on(channel)
    setting = await follow_ups.get_setting(channel)
    by = f" <@{setting.changed_by}> turned them {setting.value}." if setting else ""
    other = "off" if is_on else "on"
    change = f"`{command} follow-ups {other}` turns them {other}."
    return f"{ON_TEXT if is_on else OFF_TEXT}{by} {change}"
