"""What has to be written down of this process's turns: merged in memory, written together.

A turn never waits for the database unless it says so. While that is away, what was noted is kept,
one change a turn whatever happens meanwhile, and tried again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import fields, replace
from typing import Any

from bot.errors import StorageAway
from bot.observe import Metrics
from bot.storage.records import Change

log = logging.getLogger(__name__)

PAUSE = 0.2  # seconds between two writings, at least, unless somebody waits for one
SHORTEST_BACKOFF, LONGEST_BACKOFF = 0.2, 2.0  # seconds until a writing is tried again

Write = Callable[[Sequence[Change]], Awaitable[Collection[str]]]
"""Writes changes in one transaction; gives the turns that are somebody else's by now."""


class Journal:
    """Changes on their way into the database.

    `on_lost(turn, fence)` is told of every turn that is not ours any more. `write` raises
    StorageAway where it has to be tried again. `fails`: that is so just now.
    """

    def __init__(
        self,
        write: Write,
        on_lost: Callable[[str, int], None],
        metrics: Metrics,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._on_lost = on_lost
        self._metrics = metrics
        self._now = now
        self._noted: dict[str, Change] = {}
        self._since: float | None = None  # the oldest of what is not written yet
        self.fails = False
        self._count = self._written = 0  # of notes
        self._wake, self._hurry = asyncio.Event(), asyncio.Event()
        self._progress = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        metrics.journal_lag.set_function(self._lag)

    @property
    def turns(self) -> Collection[str]:
        """Those of which something is not written yet."""
        return self._noted.keys()

    def note(self, change: Change) -> None:
        """Take a change and return at once."""
        self._count += 1
        self._keep(change)
        self._wake.set()

    async def written(self) -> None:
        """Write at once; return when all that was noted until now is written."""
        wanted = self._count
        self._hurry.set()
        while self._written < wanted:
            self._progress.clear()
            await self._progress.wait()

    async def run(self) -> None:
        """Write what is noted, until cancelled."""
        backoff = SHORTEST_BACKOFF
        while True:
            await self._wake.wait()
            if await self.flush():
                backoff = SHORTEST_BACKOFF
                await self._pause()
            else:
                await asyncio.sleep(backoff)
                backoff = min(LONGEST_BACKOFF, 2 * backoff)

    async def flush(self) -> bool:
        """Write all that is noted now; False, and nothing is forgotten, if that can't be."""
        async with self._one_at_a_time:
            taken, self._noted = self._noted, {}
            count, since, self._since = self._count, self._since, None
            self._wake.clear()
            self._hurry.clear()
            try:
                lost = await self._write_all(list(taken.values())) if taken else ()
            except BaseException as error:
                self._take_back(taken, since)
                if not isinstance(error, StorageAway):
                    raise
                self.fails = True
                self._metrics.journal_failures.inc()
                log.warning("the journal could not be written: %s", error)
                return False
            self.fails = False
            self._written = count
            self._progress.set()
        for turn in lost:
            self._lose(taken[turn])
        return True

    async def _write_all(self, changes: Sequence[Change]) -> Collection[str]:
        try:
            return await self._write(changes)
        except (StorageAway, asyncio.CancelledError):
            raise
        except Exception:  # one of them can't be written at all: the others must be
            log.exception("a change of the journal could not be written")
            if len(changes) == 1:
                return ()
        return [turn for one in changes for turn in await self._write_all([one])]

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(PAUSE):
                await self._hurry.wait()
        except TimeoutError:
            pass

    def _keep(self, change: Change) -> None:
        self._noted[change.turn] = merged(self._noted.get(change.turn), change)
        if self._since is None:
            self._since = self._now()

    def _take_back(self, taken: dict[str, Change], since: float | None) -> None:
        """What could not be written is older than what was noted meanwhile."""
        newer, self._noted = self._noted, taken
        for change in newer.values():
            self._keep(change)
        self._since = since
        self._wake.set()

    def _lose(self, change: Change) -> None:
        noted = self._noted.get(change.turn)
        if noted and noted.fence <= change.fence:
            del self._noted[change.turn]
        self._on_lost(change.turn, change.fence)

    def _lag(self) -> float:
        return 0.0 if self._since is None else self._now() - self._since


def merged(old: Change | None, new: Change) -> Change:
    """Two changes of a turn as one. What belongs to an older fence counts for nothing."""
    if old is None or new.fence > old.fence:
        return new
    if new.fence < old.fence:
        return old
    given: dict[str, Any] = {field.name: getattr(new, field.name) for field in fields(new)}
    given |= {"readable": old.readable or new.readable, "closed": old.closed or new.closed}
    given["deleted_messages"] = old.deleted_messages | new.deleted_messages
    return replace(old, **{name: value for name, value in given.items() if value is not None})
