"""Carries out "only when mentioned" and "follow this thread", said in a thread of a channel.

Anybody in the thread may say it, with a mention of the bot, or without one in a thread that is
followed. The author is told in an ephemeral message; nothing is posted for the others.
"""

from __future__ import annotations

import asyncio
import logging

from bot.errors import StorageUnavailable
from bot.listeners.admission.follow_ups import FollowUps
from bot.listeners.admission.phrases import parse_thread_mode
from bot.storage.records import ThreadMode
from bot.values import Question
from bot.words import Phrase, Sentence, sentence

log = logging.getLogger(__name__)

STORAGE_TIMEOUT_SECONDS = 1.5
"""How long the database may take: Slack waits three seconds for the acknowledgement
(docs/slack.md#acknowledgement)."""


def asked_mode(question: Question) -> ThreadMode | None:
    """What a message says of its thread; None if it is a question, or not in a channel."""
    if question.place.surface != "channel" or question.bot or question.files:
        return None
    return parse_thread_mode(question.text)


async def reply_to_mode(
    follow_ups: FollowUps, command: str, question: Question, mode: ThreadMode
) -> Phrase | Sentence | None:
    """Carry out what a message says of its thread. Returns what its author is told; None if the
    message was delivered before."""
    try:
        async with asyncio.timeout(STORAGE_TIMEOUT_SECONDS):
            if question.ts == question.place.thread_ts:
                is_new = await follow_ups.claim(question)
                reply = sentence(Phrase.NOT_SAID_IN_A_THREAD, command=command)
            else:
                is_new = await follow_ups.set_thread_mode(question, mode)
                reply = await _state(follow_ups, question, mode, command)
    except (StorageUnavailable, TimeoutError) as error:
        log.warning("what was said of a thread could not be stored: %s", error)
        return Phrase.THREAD_MODE_NOT_STORED
    return reply if is_new else None


async def _state(
    follow_ups: FollowUps, question: Question, mode: ThreadMode, command: str
) -> Sentence:
    if mode == "mentions":
        return sentence(Phrase.THREAD_MENTIONS_ONLY)
    if await follow_ups.is_on(question.place.channel):
        return sentence(Phrase.THREAD_FOLLOWED)
    return sentence(Phrase.THREAD_FOLLOWED_LATER, command=command)
