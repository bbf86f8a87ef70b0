"""Who a user id is. Names never hold up a question: what is not known in time stays an id."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from bot.cache import Cache, letters
from bot.errors import SlackError, SlackRateLimited
from bot.slack import Slack
from bot.upstream.requests.attribution import one_line

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds one question waits for names, all of them together
LOOK_UPS = 20
"""Calls of `users.info` for one question, all at once; Slack allows about 100 a minute
(docs/slack.md#tiers)."""

FRESH_SECONDS = 6 * 3600.0  # a name is looked up again after so long
FAILED_SECONDS = 600.0  # the same for one that Slack did not tell
KEPT_BYTES = 2**20  # about 3,000 names


@dataclass(frozen=True, slots=True)
class _Known:
    """What Slack said of a person; the name is "" where it did not tell."""

    name: str
    until: float


class Names:
    """Display names by user id, for all questions of a process. `now` is in seconds."""

    def __init__(self, slack: Slack, *, now: Callable[[], float] = time.monotonic) -> None:
        self._slack = slack
        self._now = now
        self._known: Cache[str, _Known] = Cache(KEPT_BYTES, lambda user, k: letters(user, k.name))
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._closed_until = 0.0

    async def of(self, users: Iterable[str]) -> Mapping[str, str]:
        """The names of these people, the most wanted first; whoever is missing keeps the id.

        Returns within `PATIENCE`. A look-up that takes longer goes on for later questions.
        """
        wanted = list(dict.fromkeys(users))
        asking = self._ask([user for user in wanted if not self._settled(user)])
        if asking:
            await asyncio.wait(asking.values(), timeout=PATIENCE)
            for user, task in asking.items():
                if not task.done():
                    self._put(user, self._name(user), FAILED_SECONDS)
        return {user: name for user in wanted if (name := self._name(user))}

    def _ask(self, users: Iterable[str]) -> dict[str, asyncio.Task[None]]:
        """Start a look-up for each of these people, or share the one under way."""
        if self._now() < self._closed_until:
            return {}
        some = list(users)[:LOOK_UPS]
        for user in some:
            if user not in self._asking:
                task = asyncio.create_task(self._look_up(user))
                self._asking[user] = task
                task.add_done_callback(partial(self._asked, user))
        return {user: self._asking[user] for user in some}

    def _asked(self, user: str, _: asyncio.Task[None]) -> None:
        del self._asking[user]

    async def _look_up(self, user: str) -> None:
        try:
            name = one_line(await self._slack.user_name(user))
        except SlackRateLimited as error:
            self._closed_until = self._now() + error.retry_after
        except SlackError as error:
            log.debug("a name could not be looked up: %s", error)
            self._put(user, self._name(user), FAILED_SECONDS)
        else:
            self._put(user, name, FRESH_SECONDS)

    def _settled(self, user: str) -> bool:
        known = self._known.get(user)
        return known is not None and self._now() < known.until

    def _name(self, user: str) -> str:
        """The last name we were told, also where it may have changed."""
        known = self._known.get(user)
        return known.name if known else ""

    def _put(self, user: str, name: str, seconds: float) -> None:
        self._known.put(user, _Known(name, self._now() + seconds))
