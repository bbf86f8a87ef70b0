"""Keeps bots from answering each other forever: one answer to a bot for each message of a person.

In a thread in which a person wrote, a person has to write again before another bot is answered
there. Everywhere else, including each mention that starts a thread, the same rule holds for the
whole channel, because our answers may trigger a bot's next message.

Two bots may ask at the same moment. So the person's newest message becomes an idempotency key of
the question, and only one question with that key is answered, on one of the replicas.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.errors import SlackError
from bot.listeners.payloads.addressing import BotIdentifiers, bot_id_of, is_by_person
from bot.slack import Slack
from bot.values import Question

log = logging.getLogger(__name__)

MAX_THREAD_MESSAGES_READ = 1000
"""Messages of a thread that are searched for one of a person; bots are not answered in a longer
thread. Ours: five pages of `conversations.replies`."""

MAX_CHANNEL_MESSAGES_READ = 200
"""Messages of a channel that are searched. Ours: one page of `conversations.history`."""

Messages = Sequence[Mapping[str, Any]]


async def guard_against_bot_loop(
    slack: Slack, us: BotIdentifiers, question: Question
) -> Question | None:
    """Return a bot's question with an idempotency key for the person's newest message.

    None if no person wrote since our last answer to a bot, or if that can't be read.
    """
    try:
        after = await _newest_person_before(slack, us, question)
    except SlackError as error:
        log.warning("a bot's question is not answered; could not read who wrote before: %s", error)
        return None
    if after is None:
        log.info(
            "a bot's question is not answered until a person writes", extra={"turn": question.id}
        )
        return None
    return replace(question, keys=(*question.keys, f"after:{question.place.team}:{after}"))


async def _newest_person_before(slack: Slack, us: BotIdentifiers, question: Question) -> str | None:
    """A key for the newest message of a person before the question.

    None if we answered a bot since then, or if there are too many messages to tell.
    """
    place, asked = question.place, question.ts or ""
    person = ""
    if place.thread_ts and place.thread_ts != asked:
        thread = await _thread_before(slack, place.channel, place.thread_ts, asked)
        if thread is None or _answered_a_bot(thread, us):
            return None
        person = _newest_person_in(thread, us)
    if not person:
        newest = await _newest_person_in_channel(slack, us, place.channel, asked)
        if newest is None:
            return None
        person = newest
    return f"{place.channel}:{person}"


async def _newest_person_in_channel(
    slack: Slack, us: BotIdentifiers, channel: str, asked: str
) -> str | None:
    """The ts of the newest message of a person in a channel or in the thread of our newest answer.

    "" if there is none. None if we answered a bot since then, or if the thread is too long. A
    message of ours counts as a person's, because outside a thread we only answer commands.
    """
    found = await slack.history(channel, latest=asked, limit=MAX_CHANNEL_MESSAGES_READ)
    for message in _messages_before(asked, found)[::-1]:
        by_person = is_by_person(message, {us.user_id}) or _is_ours(message, us)
        if us.user_id in (message.get("reply_users") or ()):
            thread = await _thread_before(slack, channel, str(message["ts"]), asked)
            if thread is None or _answered_a_bot(thread, us):
                return None
            if by_person or _newest_person_in(thread, us):
                return max(_newest_person_in(thread, us), str(message["ts"]) if by_person else "")
        elif by_person:
            return str(message["ts"])
    return ""


async def _thread_before(slack: Slack, channel: str, root: str, asked: str) -> Messages | None:
    """The messages of a thread before `asked`; None if there are too many to read the newest."""
    found = await slack.replies(channel, root, latest=asked, limit=MAX_THREAD_MESSAGES_READ)
    return _messages_before(asked, found) if len(found) < MAX_THREAD_MESSAGES_READ else None


def _messages_before(asked: str, messages: Messages) -> Messages:
    """The messages before `asked`, oldest first."""
    earlier = (one for one in messages if "" < str(one.get("ts") or "") < asked)
    return sorted(earlier, key=lambda one: str(one["ts"]))


def _newest_person_in(messages: Messages, us: BotIdentifiers) -> str:
    """The ts of the newest message of a person; "" if there is none."""
    return max((str(one["ts"]) for one in messages if is_by_person(one, {us.user_id})), default="")


def _answered_a_bot(messages: Messages, us: BotIdentifiers) -> bool:
    """Whether we wrote after a bot, and no person wrote after that bot."""
    bot_wrote = False
    answered = False
    for message in messages:
        if _is_ours(message, us):
            answered = answered or bot_wrote
        elif is_by_person(message, {us.user_id}):
            bot_wrote = answered = False
        elif bot_id_of(message):
            bot_wrote = True
    return answered


def _is_ours(message: Mapping[str, Any], us: BotIdentifiers) -> bool:
    return message.get("user") == us.user_id or message.get("bot_id") == us.bot_id
