"""What stands beside a mention without words: `app_mention` leaves files out (slack-facts §4), so
the message itself is read before anybody is told that nothing was asked."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from bot.errors import SlackError
from bot.render.incoming import read_message
from bot.slack import Slack
from bot.slack.threads import shifted
from bot.values import Question

log = logging.getLogger(__name__)

SECONDS = 1.5
"""How long the look may take: Slack waits three seconds for us (slack-facts §4)."""


async def with_attachments(slack: Slack, question: Question) -> Question:
    """The question with the names of what its message holds beside words; unchanged where that
    can't be read."""
    root, ts = question.place.thread_ts, question.ts
    if root is None or ts is None:
        return question
    try:
        async with asyncio.timeout(SECONDS):
            # The root comes with every page (slack-facts §2), then what is newer than `oldest`.
            oldest = shifted(ts, -1)
            found = await slack.replies(question.place.channel, root, oldest=oldest, limit=2)
    except (SlackError, TimeoutError) as error:
        log.info("a mention without words can't be looked at: %s", error)
        return question
    beside = next((read_message(one).unreadable for one in found if one.get("ts") == ts), ())
    return replace(question, unreadable=beside)
