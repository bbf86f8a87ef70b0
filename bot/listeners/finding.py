"""The question of an answer whose turn this process does not know: Slack still has it."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.errors import SlackError
from bot.listeners import reading
from bot.listeners.hearing import Hearing
from bot.turn.again import first_of
from bot.values import Question

log = logging.getLogger(__name__)


async def found(hearing: Hearing, press: reading.Press) -> Question | None:
    """Look through the thread of a press for the question; None where it is not there.

    A command is no message, so what it asked can't be found.
    """
    if press.thread_ts is None:
        return None
    try:
        thread = await hearing.slack.replies(press.channel, press.thread_ts, latest=press.ts)
    except SlackError as error:
        log.warning("the question can't be looked for: %s", error)
        return None
    first = first_of(press.turn)
    for message in thread:
        event = {**message, "channel": press.channel}
        question = reading.message(
            {"team_id": hearing.identity.team_id, "event": event}, hearing.us
        )
        if question and question.id == first:
            return replace(question, id=press.turn)
    return None
