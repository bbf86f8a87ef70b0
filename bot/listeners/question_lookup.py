"""Finds a question in Slack, if it is not in the database any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.errors import SlackRefused
from bot.listeners.context import ListenerContext
from bot.listeners.payloads import questions
from bot.listeners.payloads.follow_ups import parse_follow_up
from bot.slack.messages import MISSING_MESSAGE_CODES, fetch_messages
from bot.storage.turn_ids import original_turn_id
from bot.values import Question


async def find_question(context: ListenerContext, press: questions.Press) -> Question | None:
    """Search the thread of a press for the question of its turn; None if it is not there.

    The question of a command can't be found, because a command is not a message. Raises SlackError.
    """
    if press.thread_ts is None:
        return None
    try:
        thread = await context.slack.replies(press.channel, press.thread_ts, latest=press.ts)
    except SlackRefused as error:
        if error.code in MISSING_MESSAGE_CODES:
            return None
        raise
    turn_id = original_turn_id(press.turn)
    for message in thread:
        question = _question(context, press.channel, message)
        if question and question.id == turn_id:
            return replace(question, id=press.turn)
    return None


async def read_question_at(
    context: ListenerContext, channel: str, thread_ts: str, ts: str
) -> Question | None:
    """Read the question in one message of a thread, whether or not it mentions us.

    None if it is gone or its author is not answered.

    Raises SlackError.
    """
    found = (await fetch_messages(context.slack, channel, thread_ts, [ts]))[ts]
    return _question(context, channel, found) if found else None


def _question(
    context: ListenerContext, channel: str, message: Mapping[str, Any]
) -> Question | None:
    event = {**message, "channel": channel}
    body = {"team_id": context.identity.team_id, "event": event}
    follow_up = parse_follow_up(body, context.us)
    return follow_up.question if follow_up else questions.parse_message(body, context.us)
