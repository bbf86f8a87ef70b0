"""The calls that the steps of a streamed answer stand for, each made at most once.

A start whose answer was lost is looked for in the thread before it is made again. What a failure
means is the reply's business.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bot.delivery.message_metadata import build_metadata, is_orphan_stream, is_thread_gone
from bot.delivery.native.layout import Append, Start, Stop, StreamStep, SwitchToEdits
from bot.errors import SlackRefused, SlackUnreachable, ThreadGone
from bot.slack import Slack
from bot.values import Question

log = logging.getLogger(__name__)

MAX_LOST_STARTS = 3  # starts that may be lost before edits answer
MAX_READ_BACK_MESSAGES = 50  # messages looked at for a start whose answer was lost


class StreamWriter:
    """Writes the streams of one answer, in its question's thread."""

    def __init__(self, slack: Slack, question: Question) -> None:
        self._slack = slack
        self._question = question
        self.unconfirmed_start: Start | None = None
        """A start that may have been made."""
        self.starting_closed = False
        """Whether no stream may begin: one that may have begun is only looked for."""
        self._lost_starts = 0  # starts without an answer

    async def write(self, step: StreamStep, shown: Sequence[str]) -> tuple[StreamStep, str]:
        """Take a step; returns what was done, and the ts of a new stream. Raises SlackError."""
        channel = self._question.place.channel
        match step:
            case Start():
                return await self._start(step, shown)
            case Append(markdown):
                await self._slack.append_stream(channel, shown[-1], markdown=markdown)
            case Stop():
                await self._stop(step, shown)
        return step, ""

    async def _stop(self, step: Stop, shown: Sequence[str]) -> None:
        """Stop a stream. That it seems to stand outside of its thread is not believed unless the
        thread is gone: what Slack returns here is not documented well enough to delete an answer.
        """
        try:
            await self._slack.stop_stream(
                self._question.place.channel,
                shown[-1],
                markdown=step.markdown,
                blocks=step.blocks if step.blocks not in {"", "[]"} else None,
                metadata=build_metadata(self._question.id, len(shown) - 1),
            )
        except ThreadGone:
            if await is_thread_gone(self._slack, self._question):
                raise

    async def _start(self, step: Start, shown: Sequence[str]) -> tuple[StreamStep, str]:
        if self.unconfirmed_start and (
            ts := await self._find_lost_start(self.unconfirmed_start, shown)
        ):
            found, self.unconfirmed_start = self.unconfirmed_start, None
            return found, ts
        if self.starting_closed or (
            self.unconfirmed_start and self._lost_starts >= MAX_LOST_STARTS
        ):
            self.unconfirmed_start = None
            return SwitchToEdits("Slack does not begin a stream"), ""
        self.unconfirmed_start = None
        place, in_channel = self._question.place, self._question.place.surface != "dm"
        assert place.thread_ts
        try:
            ts = await self._slack.start_stream(
                place.channel,
                place.thread_ts,
                markdown=step.markdown,
                recipient_user=self._question.user if in_channel else None,
                recipient_team=(self._question.user_team or place.team) if in_channel else None,
            )
        except SlackUnreachable:
            self.unconfirmed_start, self._lost_starts = step, self._lost_starts + 1
            raise
        return step, ts

    async def _find_lost_start(self, step: Start, shown: Sequence[str]) -> str | None:
        """Look for a stream that was started; None if there is none, or we may not read there."""
        place = self._question.place
        assert place.thread_ts
        try:
            us = await self._slack.auth_test()
            messages = await self._slack.replies(
                place.channel,
                place.thread_ts,
                oldest=shown[-1] if shown else self._question.ts,
                limit=MAX_READ_BACK_MESSAGES,
                include_metadata=True,
            )
        except SlackRefused as error:
            log.warning("a lost stream can't be looked for: %s", error)
            return None
        live = [m for m in messages if m["ts"] not in shown and is_orphan_stream(m, us)]
        return next((str(m["ts"]) for m in live if _may_begin_with(m, step.markdown)), None)


def _may_begin_with(message: Mapping[str, Any], markdown: str) -> bool:
    """Whether it says what was said, as far as that can be told in Slack's own form of it."""
    said, stands = _leading_letters(markdown), _leading_letters(str(message.get("text") or ""))
    return not stands or stands.startswith(said) or said.startswith(stands)


def _leading_letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))[:20]
