"""The message that opens a thread: a mention is read for the files that its event leaves out
(docs/slack.md#mentions), and the pictures of an earlier one are told to the model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from bot.errors import SlackError
from bot.history.converter import SlackMessage
from bot.history.earlier_messages import EarlierMessages
from bot.render.incoming import read_question
from bot.slack import Slack
from bot.slack.threads import just_after, just_before
from bot.values import Attachment, File, Question

log = logging.getLogger(__name__)

MAX_EARLIER_PICTURES = 4
"""Pictures of the message that opens a thread. Ours: each takes bytes of a request and tokens."""

READ_TIMEOUT_SECONDS = 3.0
"""How long the question waits for its files to be looked up. Ours."""


class FileSource(Protocol):
    """Reads the files of a question. Its methods never raise SlackError."""

    async def read(self, files: Sequence[File]) -> tuple[Attachment, ...]:
        """The files of the question."""

    async def read_earlier(self, files: Sequence[File]) -> tuple[Attachment, ...]:
        """Pictures of an earlier message; those that can't be read are left out."""


def root_pictures(earlier: EarlierMessages) -> Sequence[File]:
    """The first pictures of the message that opens the thread; other earlier files are told to the
    model by their names."""
    root = earlier.thread_part.root if earlier.thread_part else None
    if not (root and earlier.messages and earlier.messages[0] is root):
        return ()
    files = read_question(root, frozenset()).files
    return [one for one in files if one.mimetype.startswith("image/")][:MAX_EARLIER_PICTURES]


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
