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

from bot.errors import StorageUnavailable
from bot.observe import Metrics
from bot.storage.records import Change

log = logging.getLogger(__name__)

FLUSH_INTERVAL_SECONDS = (
    0.2  # seconds between two writings, at least, unless somebody waits for one
)
MIN_FLUSH_BACKOFF_SECONDS, MAX_FLUSH_BACKOFF_SECONDS = (
    0.2,
    2.0,
)  # seconds until a writing is tried again

WriteChanges = Callable[[Sequence[Change]], Awaitable[Collection[str]]]
"""Writes changes in one transaction; gives the turns that are somebody else's by now."""


class Journal:
    """Changes on their way into the database.

    `on_lease_lost(turn, fence)` is told of every turn that is not ours any more. `write` raises
    StorageUnavailable where it has to be tried again. `is_failing`: that is so just now.
    """

    def __init__(
        self,
        write: WriteChanges,
        on_lease_lost: Callable[[str, int], None],
        metrics: Metrics,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._on_lease_lost = on_lease_lost
        self._metrics = metrics
        self._now = now
        self._pending: dict[str, Change] = {}
        self._oldest_pending_at: float | None = None  # the oldest of what is not written yet
        self.is_failing = False
        self._enqueued_count = self._written_count = 0  # of notes
        self._has_work, self._flush_requested = asyncio.Event(), asyncio.Event()
        self._flushed = asyncio.Event()
        self._flush_lock = asyncio.Lock()
        metrics.journal_lag.set_function(self._lag_seconds)

    @property
    def pending_turns(self) -> Collection[str]:
        """Those of which something is not written yet."""
        return self._pending.keys()

    def enqueue(self, change: Change) -> None:
        """Take a change and return at once."""
        self._enqueued_count += 1
        self._merge(change)
        self._has_work.set()

    async def wait_written(self) -> None:
        """Write at once; return when all that was noted until now is written."""
        wanted = self._enqueued_count
        self._flush_requested.set()
        while self._written_count < wanted:
            self._flushed.clear()
            await self._flushed.wait()

    async def run(self) -> None:
        """Write what is noted, until cancelled."""
        backoff = MIN_FLUSH_BACKOFF_SECONDS
        while True:
            await self._has_work.wait()
            if await self.flush():
                backoff = MIN_FLUSH_BACKOFF_SECONDS
                await self._wait_between_flushes()
            else:
                await asyncio.sleep(backoff)
                backoff = min(MAX_FLUSH_BACKOFF_SECONDS, 2 * backoff)

    async def flush(self) -> bool:
        """Write all that is noted now; False, and nothing is forgotten, if that can't be."""
        async with self._flush_lock:
            taken, self._pending = self._pending, {}
            count, since, self._oldest_pending_at = (
                self._enqueued_count,
                self._oldest_pending_at,
                None,
            )
            self._has_work.clear()
            self._flush_requested.clear()
            try:
                lost = await self._write_isolating_failures(list(taken.values())) if taken else ()
            except BaseException as error:
                self._restore(taken, since)
                if not isinstance(error, StorageUnavailable):
                    raise
                self.is_failing = True
                self._metrics.journal_failures.inc()
                log.warning("the journal could not be written: %s", error)
                return False
            self.is_failing = False
            self._written_count = count
            self._flushed.set()
        for turn in lost:
            self._drop_lost(taken[turn])
        return True

    async def _write_isolating_failures(self, changes: Sequence[Change]) -> Collection[str]:
        try:
            return await self._write(changes)
        except (StorageUnavailable, asyncio.CancelledError):
            raise
        except Exception:  # one of them can't be written at all: the others must be
            log.exception("a change of the journal could not be written")
            if len(changes) == 1:
                return ()
        return [turn for one in changes for turn in await self._write_isolating_failures([one])]

    async def _wait_between_flushes(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_INTERVAL_SECONDS):
                await self._flush_requested.wait()
        except TimeoutError:
            pass

    def _merge(self, change: Change) -> None:
        self._pending[change.turn] = merge_changes(self._pending.get(change.turn), change)
        if self._oldest_pending_at is None:
            self._oldest_pending_at = self._now()

    def _restore(self, unwritten: dict[str, Change], since: float | None) -> None:
        """What could not be written is older than what was noted meanwhile."""
        newer, self._pending = self._pending, unwritten
        for change in newer.values():
            self._merge(change)
        self._oldest_pending_at = since
        self._has_work.set()

    def _drop_lost(self, change: Change) -> None:
        noted = self._pending.get(change.turn)
        if noted and noted.fence <= change.fence:
            del self._pending[change.turn]
        self._on_lease_lost(change.turn, change.fence)

    def _lag_seconds(self) -> float:
        return 0.0 if self._oldest_pending_at is None else self._now() - self._oldest_pending_at


def merge_changes(old: Change | None, new: Change) -> Change:
    """Two changes of a turn as one. What belongs to an older fence counts for nothing."""
    if old is None or new.fence > old.fence:
        return new
    if new.fence < old.fence:
        return old
    given: dict[str, Any] = {field.name: getattr(new, field.name) for field in fields(new)}
    given |= {"readable": old.readable or new.readable, "closed": old.closed or new.closed}
    given["deleted_messages"] = old.deleted_messages | new.deleted_messages
    return replace(old, **{name: value for name, value in given.items() if value is not None})
