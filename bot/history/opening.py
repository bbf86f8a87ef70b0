"""Reads a mention that opens a thread, for the files that its event leaves out
(docs/slack.md#mentions)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from bot.errors import SlackError
from bot.history.converter import SlackMessage
from bot.slack import Slack
from bot.slack.threads import just_after, just_before
from bot.values import Attachment, File, Question

log = logging.getLogger(__name__)

ReadFiles = Callable[[Sequence[File]], Awaitable[tuple[Attachment, ...]]]
"""Reads the files of a question. Never raises SlackError."""

READ_TIMEOUT_SECONDS = 3.0
"""How long the question waits for its files to be looked up. Ours."""


def may_lack_files(question: Question) -> bool:
    """Whether a question may have files that its event left out, and that are not read with its
    thread: if it opens a thread in a channel."""
    place, ts = question.place, question.ts
    opens_thread = place.surface == "channel" and ts is not None and place.thread_ts == ts
    return opens_thread and not question.files


async def read_opening(
    slack: Slack, question: Question, *, wait: bool = True
) -> dict[str, SlackMessage]:
    """Read a question that opens a thread in a channel; {} if that fails or takes too long."""
    ts = question.ts or ""
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            found = await slack.history(
                question.place.channel,
                oldest=just_before(ts),
                latest=just_after(ts),
                limit=1,
                wait=wait,
            )
    except (SlackError, TimeoutError) as error:
        log.info("could not read a question for its files: %s", error)
        return {}
    return {str(one["ts"]): one for one in found if one.get("ts") == ts}
