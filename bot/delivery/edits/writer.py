"""The calls that the steps of one answer stand for, each made at most once.

A post whose answer was lost is looked for before it is made again, and what Slack still takes for
a stream is stopped before it is edited or deleted. What a failure means is the reply's business.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bot.delivery.edits.reconcile import Delete, Edit, Post, Shown, Step
from bot.delivery.message_metadata import NO_THREAD, astray, has_no_root, mark, part_of
from bot.errors import SlackRefused, SlackUnreachable, ThreadGone
from bot.slack import Slack
from bot.values import Question

log = logging.getLogger(__name__)

READ_BACK = 50  # messages looked at for a post whose answer was lost


class Writer:
    """Writes in one place. `allowed` is asked again wherever a call had to wait for another;
    `streams` are the messages (ts) which a crash may have left as live streams."""

    def __init__(
        self,
        slack: Slack,
        question: Question,
        *,
        allowed: Callable[[], bool],
        streams: Iterable[str] = (),
    ) -> None:
        self._slack = slack
        self._question = question
        self._channel = question.place.channel
        self._allowed = allowed
        self._streams = dict.fromkeys(streams, True)  # ts → whether it has still to be stopped
        self.unsure: Post | None = None
        """A post that may have been made."""
        self.astray = False
        """Whether a message turned out to stand outside of its thread, whose root is gone."""
        self.closed = False
        """Whether nothing new may be posted: what may have been is only looked for."""

    async def write(self, step: Step, shown: Sequence[Shown]) -> tuple[Step, str] | None:
        """Take a step; returns what was done and the ts of a post, or None if nothing was.

        Raises SlackError.
        """
        if isinstance(step, Post):
            return await self._post(step, shown)
        ts = shown[step.index].ts
        if self._streams.get(ts):
            await self._stop(ts, step.index)
        if not self._allowed():
            return None
        if isinstance(step, Delete):
            await self._slack.delete(self._channel, ts)
        else:
            await self._update(step, ts)
        return step, ""

    def is_stream(self, ts: str) -> bool:
        """Take note that Slack says a message is a live stream; False if it was stopped already."""
        return self._streams.setdefault(ts, True)

    async def _stop(self, ts: str, index: int) -> None:
        marked = mark(self._question.id, index)
        try:
            await self._slack.stop_stream(self._channel, ts, metadata=marked)
        except ThreadGone:
            self.astray = await has_no_root(self._slack, self._question)
        except SlackRefused as error:  # it may have ended by itself
            log.info("a stream that was left behind is not stopped: %s", error)
        self._streams[ts] = False

    async def _update(self, edit: Edit, ts: str) -> None:
        marked = mark(self._question.id, edit.index)  # a stream that ended by itself is not
        await self._slack.update(
            self._channel,
            ts,
            text=edit.body.text,
            blocks=edit.body.blocks,
            metadata=marked if ts in self._streams else None,
        )

    async def _post(self, post: Post, shown: Sequence[Shown]) -> tuple[Post, str] | None:
        """Post a message, unless one whose answer was lost is there already."""
        if self.unsure and (ts := await self._read_back(self.unsure, shown)):
            found, self.unsure = self.unsure, None
            return found, ts
        self.unsure = None
        if self.closed or not self._allowed():
            return None
        try:
            ts = await self._slack.post(
                self._channel,
                text=post.body.text,
                blocks=post.body.blocks,
                thread_ts=self._thread(shown),
                metadata=mark(self._question.id, post.index),
            )
        except SlackUnreachable:
            self.unsure = post
            raise
        except ThreadGone as gone:
            self.astray = True
            return post, gone.astray[0]
        return post, ts

    async def _read_back(self, post: Post, shown: Sequence[Shown]) -> str | None:
        """Look for a post by its metadata; returns its ts, or None if it was not made.

        Also None where we may not read: an answer posted twice is better than none.
        """
        try:
            messages = await self._messages(shown)
        except SlackRefused as error:
            if error.code == NO_THREAD:
                return await self._found_astray(post)
            log.warning("a lost post can't be looked for: %s", error)
            return None
        mine = (one for one in messages if part_of(one, self._question.id) == post.index)
        return next((str(one["ts"]) for one in mine), None)

    async def _found_astray(self, post: Post) -> str | None:
        """Look for a post outside of its thread, which is gone."""
        try:
            found = await astray(self._slack, self._channel, self._question.id, READ_BACK)
        except SlackRefused as error:
            log.warning("a lost post can't be looked for: %s", error)
            return None
        ts = dict(found).get(post.index)
        self.astray = self.astray or ts is not None
        return ts

    async def _messages(self, shown: Sequence[Shown]) -> list[dict[str, Any]]:
        thread = self._thread(shown)
        if thread is None:
            return await self._slack.history(self._channel, limit=READ_BACK, include_metadata=True)
        after = (shown[-1].ts if shown else None) or self._question.ts
        return await self._slack.replies(
            self._channel, thread, oldest=after, limit=READ_BACK, include_metadata=True
        )

    def _thread(self, shown: Sequence[Shown]) -> str | None:
        return self._question.place.thread_ts or (shown[0].ts or None if shown else None)
