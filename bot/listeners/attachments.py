"""What stands beside a mention without words: `app_mention` leaves files out
(docs/slack.md#mentions), so the message itself is read before anybody is told that nothing was
asked."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from bot.errors import SlackError
from bot.render.incoming import read_message
from bot.slack import Slack
from bot.slack.messages import fetch_messages
from bot.values import Question

log = logging.getLogger(__name__)

READ_TIMEOUT_SECONDS = 1.5
"""How long the look may take: Slack waits three seconds for us (docs/slack.md#acknowledgement)."""


async def with_attachments(slack: Slack, question: Question) -> Question:
    """The question with the names of what its message holds beside words; unchanged where that
    can't be read."""
    root, ts = question.place.thread_ts, question.ts
    if root is None or ts is None:
        return question
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            found = (await fetch_messages(slack, question.place.channel, root, [ts]))[ts]
    except (SlackError, TimeoutError) as error:
        log.info("a mention without words can't be looked at: %s", error)
        return question
    return replace(question, unreadable=read_message(found).unreadable) if found else question
