"""Keeps bots from talking to each other for ever: one answer to bots, then a person has to speak.

In a thread in which a person has written, a person has to write again before the next bot is
answered there. Elsewhere, and so for every mention that begins a thread, the same holds for the
whole channel: our answers may be what makes a bot write.

Two bots may ask at the same moment. So the last thing a person said is a key of the question as
well, and of all questions with one key a single one is answered, by whichever process.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.errors import SlackError
from bot.listeners.addressing import BotIdentifiers, bot_id_of, is_by_person
from bot.slack import Slack
from bot.values import Question

log = logging.getLogger(__name__)

MAX_THREAD_MESSAGES_READ = 1000
"""Messages of a thread that are looked through for a person; in a longer one no bot is answered.
Ours: five pages of `conversations.replies`."""

MAX_CHANNEL_MESSAGES_READ = 200
"""Messages of a channel that are looked through; ours, one page."""

Messages = Sequence[Mapping[str, Any]]


async def guard_against_bot_loop(
    slack: Slack, us: BotIdentifiers, question: Question
) -> Question | None:
    """A bot's question with the key that lets only one of its kind be answered; None if it must
    not be answered, or nobody can tell."""
    try:
        after = await _newest_person_before(slack, us, question)
    except SlackError as error:
        log.warning("a bot is not answered, who wrote before it can't be read: %s", error)
        return None
    if after is None:
        log.info(
            "a bot is not answered again before a person has written", extra={"turn": question.id}
        )
        return None
    return replace(question, keys=(*question.keys, f"after:{question.place.team}:{after}"))


async def _newest_person_before(slack: Slack, us: BotIdentifiers, question: Question) -> str | None:
    """Name the newest message of a person before a bot's; None if we answered a bot since then,
    or nobody can tell."""
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
    """The newest message of a person in a channel, or in the thread of our newest answer there;
    "" if there is none, None as above.

    A message of ours that begins no thread answers a command, so a person was there.
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
    """The messages of a thread before `asked`; None if they are too many to be sure of the
    newest."""
    found = await slack.replies(channel, root, latest=asked, limit=MAX_THREAD_MESSAGES_READ)
    return _messages_before(asked, found) if len(found) < MAX_THREAD_MESSAGES_READ else None


def _messages_before(asked: str, messages: Messages) -> Messages:
    """Those before `asked`, oldest first."""
    earlier = (one for one in messages if "" < str(one.get("ts") or "") < asked)
    return sorted(earlier, key=lambda one: str(one["ts"]))


def _newest_person_in(messages: Messages, us: BotIdentifiers) -> str:
    """The ts of the newest message of a person; "" without any."""
    return max((str(one["ts"]) for one in messages if is_by_person(one, {us.user_id})), default="")


def _answered_a_bot(messages: Messages, us: BotIdentifiers) -> bool:
    """Whether a message of ours stands below one of a bot, and no person wrote after the bot."""
    bot_spoke = False
    answered = False
    for message in messages:
        if _is_ours(message, us):
            answered = answered or bot_spoke
        elif is_by_person(message, {us.user_id}):
            bot_spoke = answered = False
        elif bot_id_of(message):
            bot_spoke = True
    return answered


def _is_ours(message: Mapping[str, Any], us: BotIdentifiers) -> bool:
    return message.get("user") == us.user_id or message.get("bot_id") == us.bot_id
