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
from bot.storage.records import ChannelSetting
from bot.words import Phrase, Sentence, sentence

log = logging.getLogger(__name__)

STORAGE_TIMEOUT_SECONDS = 2.0
"""How long the database may take: Slack waits three seconds for the reply
(docs/slack.md#acknowledgement)."""

_COMMAND = re.compile(r"\s*follow-?ups?(?:\s+(on|off))?\s*", re.IGNORECASE)


def parse_follow_up_command(text: str) -> str | None:
    """The wish in the text of a command: "on", "off", or "" to be told the state.

    None if the text is a question.
    """
    found = _COMMAND.fullmatch(text)
    return (found[1] or "").lower() if found else None


async def reply_to_follow_up_command(
    context: ListenerContext, command: Mapping[str, Any], wish: str
) -> Phrase | Sentence:
    """Carry out a wish, and return what its author is told."""
    channel, user = str(command["channel_id"]), str(command["user_id"])
    if channel.startswith("D"):
        return Phrase.FOLLOW_UPS_ARE_FOR_CHANNELS
    if context.follow_ups is None:
        return Phrase.FOLLOW_UPS_DISABLED
    try:
        async with asyncio.timeout(STORAGE_TIMEOUT_SECONDS):
            if wish:
                await context.follow_ups.set_setting(channel, wish, user)
            return await _state(context.follow_ups, channel, context.slash_command)
    except (StorageUnavailable, TimeoutError) as error:
        log.warning("the follow-ups of a channel could not be read or stored: %s", error)
        return Phrase.FOLLOW_UPS_NOT_STORED


async def _state(follow_ups: FollowUps, channel: str, command: str) -> Sentence:
    """Whether follow-ups are on, who changed that, and how to change it."""
    is_on = await follow_ups.is_on(channel)
    setting = await follow_ups.get_setting(channel)
    return sentence(
        Phrase.FOLLOW_UPS_STATE,
        state=Phrase.FOLLOW_UPS_ON if is_on else Phrase.FOLLOW_UPS_OFF,
        changed=_changed_by(setting),
        hint=sentence(Phrase.FOLLOW_UPS_OFF_HINT, command=command)
        if is_on
        else sentence(Phrase.FOLLOW_UPS_ON_HINT, command=command),
    )


def _changed_by(setting: ChannelSetting | None) -> Phrase | Sentence:
    if setting is None:
        return Phrase.FOLLOW_UPS_NEVER_CHANGED
    if setting.value == "on":
        return sentence(Phrase.FOLLOW_UPS_TURNED_ON_BY, user=setting.changed_by)
    return sentence(Phrase.FOLLOW_UPS_TURNED_OFF_BY, user=setting.changed_by)
