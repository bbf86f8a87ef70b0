"""Decides with what the database knows whether a message without a mention is answered.

The settings of channels are cached for CHANNEL_CACHE_SECONDS, because they are read for every
message in a thread of any channel. What is known of a thread is always read: that is one indexed
query, and only in channels in which follow-ups are on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.cache import Cache, string_bytes
from bot.errors import StorageUnavailable
from bot.listeners.admission.follow_up_gate import (
    FollowUpRules,
    Outcome,
    decide,
    reason_in_message,
    seconds_of,
)
from bot.listeners.payloads.addressing import BotIdentifiers
from bot.listeners.payloads.follow_ups import FollowUp, parse_follow_up
from bot.observe import Metrics
from bot.storage.channel_settings import ChannelSettings
from bot.storage.records import ChannelSetting, ThreadActivity, ThreadMode
from bot.storage.thread_activity import Threads
from bot.turn.thread_queue import thread_key
from bot.values import Place, Question, message_key

log = logging.getLogger(__name__)

FOLLOW_UPS_KEY = "follow_ups"
"""The key of the setting of a channel; its values are "on" and "off"."""

CHANNEL_CACHE_SECONDS = 5.0
"""How long another replica may go on by a setting that was changed. Ours."""

CHANNEL_CACHE_BYTES = 500_000  # about 1,500 channels


class FollowUps:
    """Messages without a mention, in the channels of one workspace.

    `claim` claims a message that gets no answer; False if it was claimed before. `now` is in
    seconds since the epoch, `steady_now` a clock for the age of what is cached.
    """

    def __init__(
        self,
        channels: ChannelSettings,
        threads: Threads,
        rules: FollowUpRules,
        metrics: Metrics,
        claim: Callable[[Question], Awaitable[bool]],
        *,
        now: Callable[[], float] = time.time,
        steady_now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channels = channels
        self._threads = threads
        self._rules = rules
        self._metrics = metrics
        self._claim = claim
        self._now = now
        self._steady_now = steady_now
        self._cache: Cache[str, tuple[ChannelSetting | None, float]] = Cache(
            CHANNEL_CACHE_BYTES, lambda channel, _: string_bytes(channel)
        )

    async def find_question(self, body: Mapping[str, Any], us: BotIdentifiers) -> Question | None:
        """The question in a `message` event without a mention, if it is to be answered.

        Raises StorageUnavailable if that can't be told in a channel in which follow-ups are on.
        """
        follow_up = parse_follow_up(body, us)
        return follow_up.question if follow_up and await self.admits(follow_up) else None

    async def admits(self, follow_up: FollowUp) -> bool:
        """Whether a message is answered; raises as `find_question` does."""
        outcome = await self._decide(follow_up)
        self._metrics.follow_ups.labels(outcome.value).inc()
        return outcome is Outcome.FOLLOWED

    async def is_on(self, channel: str) -> bool:
        """Whether follow-ups are answered in a channel. Raises StorageUnavailable."""
        setting = await self.get_setting(channel)
        return self._rules.is_on(setting.value if setting else None)

    async def get_setting(self, channel: str) -> ChannelSetting | None:
        """The setting of a channel, as read at most CHANNEL_CACHE_SECONDS ago; older if the
        database is unavailable. Raises StorageUnavailable."""
        known = self._cache.get(channel)
        if known and self._steady_now() - known[1] < CHANNEL_CACHE_SECONDS:
            return known[0]
        try:
            setting = await self._channels.get(channel, FOLLOW_UPS_KEY)
        except StorageUnavailable:
            if known is None:
                raise
            return known[0]
        self._cache.put(channel, (setting, self._steady_now()))
        return setting

    async def set_setting(self, channel: str, value: str, user: str) -> None:
        """Turn follow-ups "on" or "off" in a channel. Raises StorageUnavailable."""
        setting = ChannelSetting(value, user, self._now())
        await self._channels.set(channel, FOLLOW_UPS_KEY, setting)
        self._cache.put(channel, (setting, self._steady_now()))
        log.info("follow-ups were turned %s in a channel", value, extra={"channel": channel})

    async def set_thread_mode(self, question: Question, mode: ThreadMode) -> bool:
        """Store what a question says of its thread; False if it was delivered before.

        Raises StorageUnavailable.
        """
        thread = thread_key(question.place) or ""
        await self._threads.set_mode(thread, mode, question.user, seconds_of(question.ts))
        return await self._claim(question)

    async def claim(self, question: Question) -> bool:
        """Claim a message that gets no answer; False if it was delivered before.

        Raises StorageUnavailable.
        """
        return await self._claim(question)

    async def _decide(self, follow_up: FollowUp) -> Outcome:
        place = follow_up.question.place
        try:
            is_on = await self.is_on(place.channel)
        except StorageUnavailable as error:
            log.info("a message without a mention was left alone: %s", error)
            return Outcome.UNAVAILABLE
        known = ThreadActivity()
        if is_on and reason_in_message(follow_up) is None:
            known = await self._get_activity(place)
        return decide(follow_up, known, is_on, self._rules.hours, self._now())

    async def _get_activity(self, place: Place) -> ThreadActivity:
        root_key = message_key(place.team, place.channel, place.thread_ts or "")
        return await self._threads.get_activity(thread_key(place) or "", root_key)
