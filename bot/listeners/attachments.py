"""Reads the files of a mention without text.

`app_mention` events leave files out (docs/slack.md#mentions). So the message is read from Slack
before its author is told that it has no question.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from bot.errors import SlackError
from bot.render.incoming import read_question
from bot.slack import Slack
from bot.slack.messages import fetch_messages
from bot.values import Question

log = logging.getLogger(__name__)

READ_TIMEOUT_SECONDS = 1.5
"""How long the call may take: Slack waits three seconds for the acknowledgement
(docs/slack.md#acknowledgement)."""


async def with_attachments(slack: Slack, question: Question) -> Question:
    """Return the question with its files, and the names of its unreadable parts, in Slack.

    Returns it unchanged if the message can't be read. Never raises.
    """
    root, ts = question.place.thread_ts, question.ts
    if root is None or ts is None:
        return question
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            message = (await fetch_messages(slack, question.place.channel, root, [ts]))[ts]
    except (SlackError, TimeoutError) as error:
        log.info("could not read a mention without text for its files: %s", error)
        return question
    if not message:
        return question
    content = read_question(message, frozenset())
    return replace(question, files=content.files, unreadable=content.unreadable)
