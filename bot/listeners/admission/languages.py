"""Finds out in which language a person uses Slack, for the bot's own words."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from bot.background import BackgroundTasks
from bot.cache import Cache, string_bytes
from bot.delivery.ratelimit.limiters import RollingWindowLimiter
from bot.errors import SlackError, SlackRateLimited
from bot.words import Language, language_of_locale

log = logging.getLogger(__name__)

LOOKUP_TIMEOUT_SECONDS = 0.5
"""How long a question waits for its author's locale. Ours: what follows has to be stored within
Slack's three seconds (docs/slack.md#acknowledgement)."""

MAX_LOOKUPS_PER_MINUTE = 30
"""Calls of `users.info` for locales. Slack allows about 100 a minute (docs/slack.md#tiers), which
the look-up of names shares."""

LOCALE_TTL_SECONDS = 6 * 3600.0  # a locale is looked up again after this time
FAILED_LOOKUP_TTL_SECONDS = 600.0  # the same after a failed look-up
LANGUAGE_CACHE_BYTES = 2**20  # about 3,000 people


LanguageOf: TypeAlias = Callable[[str, str], Awaitable[Language]]
"""Gives the language of a user of a team. Returns within half a second and raises nothing."""


def always(language: Language) -> LanguageOf:
    """The same language for everybody."""

    async def language_of(team: str, user: str) -> Language:
        return language

    return language_of


@dataclass(frozen=True, slots=True)
class _CachedLanguage:
    language: Language
    expires_at: float


class PersonLanguages:
    """The languages of people, by their locale in Slack. English if that is not known in time.

    `fetch_locale` returns the locale of a user and raises SlackError. `now` is a clock in seconds.
    """

    def __init__(
        self,
        fetch_locale: Callable[[str], Awaitable[str]],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch_locale = fetch_locale
        self._now = now
        self._limiter = RollingWindowLimiter(MAX_LOOKUPS_PER_MINUTE)
        self._cache: Cache[tuple[str, str], _CachedLanguage] = Cache(
            LANGUAGE_CACHE_BYTES, lambda person, _: string_bytes(*person)
        )
        self._lookups: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tasks = BackgroundTasks()

    async def language_of(self, team: str, user: str) -> Language:
        """The language of a person, within LOOKUP_TIMEOUT_SECONDS. Raises nothing.

        A slower look-up continues for the person's next question. Users whose id is that of a bot
        (`B…`) have no locale.
        """
        person = (team, user)
        known = self._cache.get(person)
        if known is None or self._now() >= known.expires_at:
            if task := self._start_lookup(person):
                await asyncio.wait({task}, timeout=LOOKUP_TIMEOUT_SECONDS)
            known = self._cache.get(person)
        return known.language if known else Language.ENGLISH

    async def aclose(self) -> None:
        """Cancel the look-ups that continue."""
        await self._tasks.cancel()

    def _start_lookup(self, person: tuple[str, str]) -> asyncio.Task[None] | None:
        """Start a look-up, or join the one that runs; None if none is possible now."""
        if person in self._lookups:
            return self._lookups[person]
        if person[1][:1] not in {"U", "W"} or not self._limiter.available(self._now()):
            return None
        self._limiter.record_start()
        task = self._lookups[person] = self._tasks.start(self._look_up(person))
        task.add_done_callback(partial(self._lookup_done, person))
        return task

    def _lookup_done(self, person: tuple[str, str], _: asyncio.Task[None]) -> None:
        del self._lookups[person]
        self._limiter.record_end(self._now())

    async def _look_up(self, person: tuple[str, str]) -> None:
        try:
            language = language_of_locale(await self._fetch_locale(person[1]))
        except SlackRateLimited as error:
            self._limiter.record_rate_limited(self._now(), error.retry_after)
        except SlackError as error:
            log.debug("could not look up a person's locale: %s", error)
            known = self._cache.get(person)
            self._store(person, known.language if known else None, FAILED_LOOKUP_TTL_SECONDS)
        else:
            self._store(person, language, LOCALE_TTL_SECONDS)

    def _store(self, person: tuple[str, str], language: Language | None, seconds: float) -> None:
        kept = _CachedLanguage(language or Language.ENGLISH, self._now() + seconds)
        self._cache.put(person, kept)
