"""The question of an answer whose turn this process does not know: Slack still has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.errors import SlackRefused
from bot.listeners import payloads as reading
from bot.listeners.context import Hearing
from bot.slack.messages import NOT_THERE, messages_at
from bot.storage.chain import original_turn_id
from bot.values import Question


async def found(hearing: Hearing, press: reading.Press) -> Question | None:
    """Look through the thread of a press for the question; None where it is not there.

    A command is no message, so what it asked can't be found. Raises SlackError.
    """
    if press.thread_ts is None:
        return None
    try:
        thread = await hearing.slack.replies(press.channel, press.thread_ts, latest=press.ts)
    except SlackRefused as error:
        if error.code in NOT_THERE:
            return None
        raise
    first = original_turn_id(press.turn)
    for message in thread:
        question = _question(hearing, press.channel, message)
        if question and question.id == first:
            return replace(question, id=press.turn)
    return None


async def asked_at(hearing: Hearing, channel: str, thread_ts: str, ts: str) -> Question | None:
    """Read one message of a thread as it is now; None where it is gone or asks us nothing.

    Raises SlackError.
    """
    found = (await messages_at(hearing.slack, channel, thread_ts, [ts]))[ts]
    return _question(hearing, channel, found) if found else None


def _question(hearing: Hearing, channel: str, message: Mapping[str, Any]) -> Question | None:
    event = {**message, "channel": channel}
    return reading.message({"team_id": hearing.identity.team_id, "event": event}, hearing.us)
