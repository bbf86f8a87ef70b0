"""Carries out the planned steps of a streamed answer in Slack.

Before a start whose response was lost is repeated, the thread is searched for its stream, so that
no second stream appears. The reply handles failures.
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

MAX_LOST_STARTS = 3  # starts without a response until the answer is shown by edits
MAX_READ_BACK_MESSAGES = 50  # messages read to find a start without a response


class StreamWriter:
    """Writes the streams of one answer, in its question's thread."""

    def __init__(self, slack: Slack, question: Question) -> None:
        self._slack = slack
        self._question = question
        self.unconfirmed_start: Start | None = None
        """A start whose response was lost, so that Slack may have taken it."""
        self.starting_closed = False
        """Whether no stream may start any more; an unconfirmed start is only looked for."""
        self._lost_starts = 0

    async def write(self, step: StreamStep, shown: Sequence[str]) -> tuple[StreamStep, str]:
        """Carry out a step; `shown` are the ts of the answer's streams, the live one last.

        Returns the step that Slack took and, for a start, the new stream's ts. Instead of a start
        it may return an earlier start that was found in Slack, or `SwitchToEdits`. Raises
        SlackError.
        """
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
        """Stop a stream. `ThreadGone` is only passed on if the thread can't be read: Slack's
        documentation of this response is too vague to delete an answer because of it."""
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
        """Return the ts of an unconfirmed start; None if there is none or the bot may not read."""
        place = self._question.place
        assert place.thread_ts
        try:
            identity = await self._slack.auth_test()
            messages = await self._slack.replies(
                place.channel,
                place.thread_ts,
                oldest=shown[-1] if shown else self._question.ts,
                limit=MAX_READ_BACK_MESSAGES,
                include_metadata=True,
            )
        except SlackRefused as error:
            log.warning("an unconfirmed stream can't be looked for: %s", error)
            return None
        streams = [m for m in messages if m["ts"] not in shown and is_orphan_stream(m, identity)]
        return next((str(m["ts"]) for m in streams if _may_begin_with(m, step.markdown)), None)


def _may_begin_with(message: Mapping[str, Any], markdown: str) -> bool:
    """Whether a message may show this text. Slack returns it in a form of its own, so only the
    first letters are compared."""
    sent, shown = _leading_letters(markdown), _leading_letters(str(message.get("text") or ""))
    return not shown or shown.startswith(sent) or sent.startswith(shown)


def _leading_letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))[:20]
