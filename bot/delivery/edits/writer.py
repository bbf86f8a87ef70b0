"""The calls that the steps of one answer stand for, each made at most once.

A post whose answer was lost is looked for before it is made again, and what Slack still takes for
a stream is stopped before it is edited or deleted. What a failure means is the reply's business.
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

MAX_READ_BACK_MESSAGES = 50  # messages looked at for a post whose answer was lost


class EditWriter:
    """Writes in one place. `may_write` is asked again wherever a call had to wait for another;
    `possible_streams` are the messages (ts) which a crash may have left as live streams."""

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
        """A post that may have been made."""
        self.is_outside_thread = False
        """Whether a message turned out to stand outside of its thread, whose root is gone."""
        self.posting_closed = False
        """Whether nothing new may be posted: what may have been is only looked for."""

    async def write(self, step: Step, shown: Sequence[PostedMessage]) -> tuple[Step, str] | None:
        """Take a step; returns what was done and the ts of a post, or None if nothing was.

        Raises SlackError.
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
        """Take note that Slack says a message is a live stream; False if it was stopped already."""
        return self._needs_stop.setdefault(ts, True)

    async def _stop_stream(self, ts: str, index: int) -> None:
        marked = build_metadata(self._question.id, index)
        try:
            await self._slack.stop_stream(self._channel, ts, metadata=marked)
        except ThreadGone:
            self.is_outside_thread = await is_thread_gone(self._slack, self._question)
        except SlackRefused as error:  # it may have ended by itself
            log.info("a stream that was left behind is not stopped: %s", error)
        self._needs_stop[ts] = False

    async def _update(self, edit: Edit, ts: str) -> None:
        marked = build_metadata(
            self._question.id, edit.index
        )  # a stream that ended by itself is not
        await self._slack.update(
            self._channel,
            ts,
            text=edit.body.text,
            blocks=edit.body.blocks,
            metadata=marked if ts in self._needs_stop else None,
        )

    async def _post(self, post: Post, shown: Sequence[PostedMessage]) -> tuple[Post, str] | None:
        """Post a message, unless one whose answer was lost is there already."""
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
                thread_ts=self._thread_ts(shown),
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
        """Look for a post by its metadata; returns its ts, or None if it was not made.

        Also None where we may not read: an answer posted twice is better than none.
        """
        try:
            messages = await self._read_messages(shown)
        except SlackRefused as error:
            if error.code == THREAD_NOT_FOUND:
                return await self._find_post_outside_thread(post)
            log.warning("a lost post can't be looked for: %s", error)
            return None
        mine = (one for one in messages if part_number(one, self._question.id) == post.index)
        return next((str(one["ts"]) for one in mine), None)

    async def _find_post_outside_thread(self, post: Post) -> str | None:
        """Look for a post outside of its thread, which is gone."""
        try:
            found = await find_outside_thread(
                self._slack, self._channel, self._question.id, MAX_READ_BACK_MESSAGES
            )
        except SlackRefused as error:
            log.warning("a lost post can't be looked for: %s", error)
            return None
        ts = dict(found).get(post.index)
        self.is_outside_thread = self.is_outside_thread or ts is not None
        return ts

    async def _read_messages(self, shown: Sequence[PostedMessage]) -> list[dict[str, Any]]:
        thread = self._thread_ts(shown)
        if thread is None:
            return await self._slack.history(
                self._channel, limit=MAX_READ_BACK_MESSAGES, include_metadata=True
            )
        after = (shown[-1].ts if shown else None) or self._question.ts
        return await self._slack.replies(
            self._channel, thread, oldest=after, limit=MAX_READ_BACK_MESSAGES, include_metadata=True
        )

    def _thread_ts(self, shown: Sequence[PostedMessage]) -> str | None:
        return self._question.place.thread_ts or (shown[0].ts or None if shown else None)
