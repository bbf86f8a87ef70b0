"""Reads the messages of a question from Slack again, before a queued question is answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from bot.errors import SlackError, SlackRateLimited, SlackUnreachable
from bot.history.question.current_question import CurrentMessages
from bot.slack import Slack
from bot.slack.messages import fetch_messages
from bot.values import Question

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0
"""How long a question is re-read; after that its stored text is used. Ours."""

UNREACHABLE_RETRY_SECONDS = 1.0  # delay between attempts while Slack is unreachable


async def read_again(slack: Slack, question: Question, missing: Sequence[str]) -> CurrentMessages:
    """Read messages of a question; {} if Slack does not return them in time."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await _read_with_retries(slack, question, missing)
    except (SlackError, TimeoutError) as error:
        log.warning("could not re-read a question; its stored text is used: %s", error)
        return {}


async def _read_with_retries(
    slack: Slack, question: Question, missing: Sequence[str]
) -> CurrentMessages:
    """Read messages of a question, retrying until Slack answers. Raises SlackRefused."""
    channel, root = question.place.channel, question.place.thread_ts or ""
    while True:
        try:
            return await fetch_messages(slack, channel, root, missing)
        except SlackRateLimited as error:
            await asyncio.sleep(error.retry_after)
        except SlackUnreachable:
            await asyncio.sleep(UNREACHABLE_RETRY_SECONDS)
