"""Carries out the planned steps of one answer in Slack.

Before a post whose response was lost is repeated, Slack is searched for it, so that no message is
posted twice. A live stream is stopped before it is edited or deleted. The reply handles failures.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bot.delivery.edits.reconcile import Delete, Edit, Post, PostedMessage, Step
from bot.delivery.message_metadata import (
    THREAD_NOT_FOUND,
    build_metadata,
    find_outside_thread,
    is_thread_gone,
    part_number,
)
from bot.errors import SlackRefused, SlackUnreachable, ThreadGone
from bot.slack import Slack
from bot.values import Question

log = logging.getLogger(__name__)

MAX_READ_BACK_MESSAGES = 50  # messages read to find a post without a response


class EditWriter:
    """Writes the messages of one answer.

    `may_write` is checked right before each post, edit and delete, because an earlier call of the
    same step may have taken long. `possible_streams` are the ts of messages that may still be live
    streams, from before a crash.
    """

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        may_write: Callable[[], bool],
        possible_streams: Iterable[str] = (),
    ) -> None:
        self._slack = slack
        self._question = question
        self._channel = question.place.channel
        self._may_write = may_write
        self._needs_stop = dict.fromkeys(
            possible_streams, True
        )  # ts → whether it has still to be stopped
        self.unconfirmed_post: Post | None = None
        """A post whose response was lost, so that Slack may have taken it."""
        self.is_outside_thread = False
        """Whether a message is at the top level of the channel, because its thread is gone."""
        self.posting_closed = False
        """Whether nothing may be posted any more; an unconfirmed post is only looked for."""

    async def write(self, step: Step, shown: Sequence[PostedMessage]) -> tuple[Step, str] | None:
        """Carry out a step; `shown` are the messages of the answer.

        Returns the step that Slack took and, for a post, the new ts; None if nothing was written.
        The returned step may be an earlier post that was found in Slack. Raises SlackError.
        """
        if isinstance(step, Post):
            return await self._post(step, shown)
        ts = shown[step.index].ts
        if self._needs_stop.get(ts):
            await self._stop_stream(ts, step.index)
        if not self._may_write():
            return None
        if isinstance(step, Delete):
            await self._slack.delete(self._channel, ts)
        else:
            await self._update(step, ts)
        return step, ""

    def mark_as_stream(self, ts: str) -> bool:
        """Record that a message is a live stream; False if it was stopped already."""
        return self._needs_stop.setdefault(ts, True)

    async def _stop_stream(self, ts: str, index: int) -> None:
        marked = build_metadata(self._question.id, index)
        try:
            await self._slack.stop_stream(self._channel, ts, metadata=marked)
        except ThreadGone:
            self.is_outside_thread = await is_thread_gone(self._slack, self._question)
        except SlackRefused as error:  # it may have ended by itself
            log.info("stopping a stream from before a crash was refused: %s", error)
        self._needs_stop[ts] = False

    async def _update(self, edit: Edit, ts: str) -> None:
        # a stream that ended by itself has no metadata yet; other messages of an answer that is
        # written again have that of an earlier turn
        marked = build_metadata(self._question.id, edit.index)
        has_other = ts in self._needs_stop or self._question.rewrite
        await self._slack.update(
            self._channel,
            ts,
            text=edit.body.text,
            blocks=edit.body.blocks,
            metadata=marked if has_other else None,
        )

    async def _post(self, post: Post, shown: Sequence[PostedMessage]) -> tuple[Post, str] | None:
        """Post a message, unless an unconfirmed post is found in Slack."""
        if self.unconfirmed_post and (
            ts := await self._find_lost_post(self.unconfirmed_post, shown)
        ):
            found, self.unconfirmed_post = self.unconfirmed_post, None
            return found, ts
        self.unconfirmed_post = None
        if self.posting_closed or not self._may_write():
            return None
        try:
            ts = await self._slack.post(
                self._channel,
                text=post.body.text,
                blocks=post.body.blocks,
                thread_ts=self._thread_ts(post, shown),
                metadata=build_metadata(self._question.id, post.index),
            )
        except SlackUnreachable:
            self.unconfirmed_post = post
            raise
        except ThreadGone as gone:
            self.is_outside_thread = True
            return post, gone.misplaced[0]
        return post, ts

    async def _find_lost_post(self, post: Post, shown: Sequence[PostedMessage]) -> str | None:
        """Return the ts of an unconfirmed post, or None if it was not made.

        Also None where the bot may not read: an answer posted twice is better than none.
        """
        try:
            messages = await self._read_messages(post, shown)
        except SlackRefused as error:
            if error.code == THREAD_NOT_FOUND:
                return await self._find_post_outside_thread(post)
            log.warning("an unconfirmed post can't be looked for and may be repeated: %s", error)
            return None
        mine = (
            message for message in messages if part_number(message, self._question.id) == post.index
        )
        return next((str(message["ts"]) for message in mine), None)

    async def _find_post_outside_thread(self, post: Post) -> str | None:
        """Return the ts of a post at the top level of the channel; its thread is gone."""
        try:
            found = await find_outside_thread(
                self._slack, self._channel, self._question.id, MAX_READ_BACK_MESSAGES
            )
        except SlackRefused as error:
            log.warning("an unconfirmed post can't be looked for and may be repeated: %s", error)
            return None
        ts = dict(found).get(post.index)
        self.is_outside_thread = self.is_outside_thread or ts is not None
        return ts

    async def _read_messages(
        self, post: Post, shown: Sequence[PostedMessage]
    ) -> list[dict[str, Any]]:
        thread = self._thread_ts(post, shown)
        if thread is None:
            return await self._slack.history(
                self._channel, limit=MAX_READ_BACK_MESSAGES, include_metadata=True
            )
        after = (shown[-1].ts if shown else None) or self._question.conversation_end
        return await self._slack.replies(
            self._channel, thread, oldest=after, limit=MAX_READ_BACK_MESSAGES, include_metadata=True
        )

    def _thread_ts(self, post: Post, shown: Sequence[PostedMessage]) -> str | None:
        first = shown[0].ts if shown and post.index else ""
        return self._question.place.thread_ts or first or None
