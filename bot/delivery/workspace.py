"""The limits and dispatchers of one workspace, and the choice between edits and streams."""

from __future__ import annotations

import asyncio
import logging

from bot.delivery.config import DeliveryConfig
from bot.delivery.edits.dispatcher import EditDispatcher
from bot.delivery.native.dispatcher import NativeDispatcher
from bot.delivery.native.status import Statuses
from bot.delivery.ratelimit.read_limit import SharedReadLimit
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.errors import SlackRefused
from bot.slack import Slack
from bot.values import Question, Surface

log = logging.getLogger(__name__)

PLACE_SPECIFIC_ERRORS = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "thread_not_found", "message_not_found"}
    | {"invalid_thread_ts", "user_not_found", "team_not_found", "restricted_action_thread_locked"}
    | {"restricted_action_read_only_channel", "restricted_action_thread_only_channel"}
    | {"restricted_action_non_threadable_channel", "msg_too_long", "no_text", "invalid_chunks"}
    | {"message_limit_exceeded"},
)
"""Refusals of a stream that say nothing about other channels
(docs/slack.md#streaming-errors)."""

SEARCHES = "searches for messages"  # the name of their limit
SEARCHES_PER_MINUTE = 30
"""Searches for the messages of an answer that another process has left. Each takes one call or a
few; the rest of `READS_PER_MINUTE` is left to new questions."""


class Workspace:
    """The limits and dispatchers of one workspace, and the surfaces on which it refuses streams.

    A surface is where a question was asked: a channel, a direct message or a command.
    """

    def __init__(
        self,
        slack: Slack,
        config: DeliveryConfig,
        *,
        quota: SharedQuota,
    ) -> None:
        self._quota = quota
        self.read_limit = SharedReadLimit(quota)
        self.edit_dispatcher = EditDispatcher(config, quota=quota)
        self.native_dispatcher = NativeDispatcher(config, quota=quota)
        self.statuses = Statuses(slack, config.statuses_per_minute)
        self._mode = config.delivery
        self._refused_surfaces: set[Surface] = set()

    def prefers_native(self, question: Question) -> bool:
        """Whether to show a question's answer as one of Slack's streams.

        The mode `auto` prefers streams in direct messages and edits elsewhere, because only the
        asker sees a stream grow in a channel (docs/slack.md#stream-visibility). It switches to the
        other method when the rate limit of the preferred one is nearly reached; for edits that may
        be the limit of posts in the channel. A stream needs a thread, and in a channel a person who
        receives it (docs/slack.md#streaming-methods).
        """
        place = question.place
        if question.bot or question.about:
            return False  # several answers at once in one thread: live streams can't be told apart
        if self._mode == "edit" or place.surface == "command" or place.thread_ts is None:
            return False
        if place.surface in self._refused_surfaces or not self.native_dispatcher.has_room():
            return False
        if self._mode == "native" or place.surface == "dm":
            return True
        return not self.edit_dispatcher.has_room(place.channel)

    def record_stream_refused(self, question: Question, error: SlackRefused) -> None:
        """Stop using streams on the question's surface, unless only its channel was refused."""
        if error.code not in PLACE_SPECIFIC_ERRORS:
            log.warning(
                "Slack refused to stream in a %s; answers there are shown by edits from now on: %s",
                question.place.surface,
                error,
            )
            self._refused_surfaces.add(question.place.surface)

    async def wait_for_search(self) -> None:
        """Wait until an answer may be searched for in Slack. After a crash there may be many."""
        while wait := await self._quota.take_slot(SEARCHES, SEARCHES_PER_MINUTE):  # noqa: ASYNC110 - a slot has no event
            await asyncio.sleep(wait)

    async def aclose(self) -> None:
        """Stop writing, within a few seconds."""
        await self.statuses.aclose()
        await self.native_dispatcher.aclose()
        await self.edit_dispatcher.aclose()
