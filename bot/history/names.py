"""Looks up display names. A name that is not known within a second stays an id."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from bot.cache import Cache, string_bytes
from bot.errors import SlackError, SlackRateLimited
from bot.slack import Slack
from bot.upstream.requests.attribution import visible_line

log = logging.getLogger(__name__)

NAMES_TIMEOUT_SECONDS = 1.0  # for all names of one question
MAX_LOOKUPS_PER_QUESTION = 20
"""Concurrent calls of `users.info` for one question. Slack allows about 100 a minute
(docs/slack.md#tiers)."""

NAME_TTL_SECONDS = 6 * 3600.0  # a name is looked up again after this time
FAILED_LOOKUP_TTL_SECONDS = 600.0  # the same after a failed look-up
NAME_CACHE_BYTES = 2**20  # about 3,000 names


@dataclass(frozen=True, slots=True)
class _CachedName:
    """A name; "" if the look-up failed."""

    name: str
    expires_at: float


class UserNames:
    """Display names by user id, for all questions of a process. `now` is a clock in seconds."""

    def __init__(self, slack: Slack, *, now: Callable[[], float] = time.monotonic) -> None:
        self._slack = slack
        self._now = now
        self._cache: Cache[str, _CachedName] = Cache(
            NAME_CACHE_BYTES, lambda user, k: string_bytes(user, k.name)
        )
        self._lookups: dict[str, asyncio.Task[None]] = {}
        self._rate_limited_until = 0.0

    async def display_names(self, users: Iterable[str]) -> Mapping[str, str]:
        """The names of these users, without those that are not known.

        The first MAX_LOOKUPS_PER_QUESTION unknown ones are looked up. Returns within
        NAMES_TIMEOUT_SECONDS; slower look-ups continue for later questions.
        """
        wanted = list(dict.fromkeys(users))
        lookups = self._start_lookups([user for user in wanted if not self._is_fresh(user)])
        if lookups:
            await asyncio.wait(lookups.values(), timeout=NAMES_TIMEOUT_SECONDS)
            for user, task in lookups.items():
                if not task.done():
                    self._store_name(user, self._cached_name(user), FAILED_LOOKUP_TTL_SECONDS)
        return {user: name for user in wanted if (name := self._cached_name(user))}

    def _start_lookups(self, users: Iterable[str]) -> dict[str, asyncio.Task[None]]:
        """Start a look-up for each of these users, or join the one that is running."""
        if self._now() < self._rate_limited_until:
            return {}
        first = list(users)[:MAX_LOOKUPS_PER_QUESTION]
        for user in first:
            if user not in self._lookups:
                task = asyncio.create_task(self._look_up(user))
                self._lookups[user] = task
                task.add_done_callback(partial(self._lookup_done, user))
        return {user: self._lookups[user] for user in first}

    def _lookup_done(self, user: str, _: asyncio.Task[None]) -> None:
        del self._lookups[user]

    async def _look_up(self, user: str) -> None:
        try:
            name = visible_line(await self._slack.user_name(user))
        except SlackRateLimited as error:
            self._rate_limited_until = self._now() + error.retry_after
        except SlackError as error:
            log.debug("could not look up a name: %s", error)
            self._store_name(user, self._cached_name(user), FAILED_LOOKUP_TTL_SECONDS)
        else:
            self._store_name(user, name, NAME_TTL_SECONDS)

    def _is_fresh(self, user: str) -> bool:
        known = self._cache.get(user)
        return known is not None and self._now() < known.expires_at

    def _cached_name(self, user: str) -> str:
        """The cached name, even if it has expired; "" if there is none."""
        known = self._cache.get(user)
        return known.name if known else ""

    def _store_name(self, user: str, name: str, seconds: float) -> None:
        self._cache.put(user, _CachedName(name, self._now() + seconds))
