"""The journal: changes of turns are merged in memory and written to the database in the background.

A turn waits for the database only if it calls `wait_written`. While the database is unavailable,
changes are kept, merged to one per turn, and retried.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import fields, replace
from typing import Any

from bot.background import wait_until
from bot.errors import StorageUnavailable
from bot.observe import Metrics
from bot.storage.records import Change

log = logging.getLogger(__name__)

FLUSH_INTERVAL_SECONDS = 0.2  # between two writes, unless a turn waits for one
MIN_FLUSH_BACKOFF_SECONDS, MAX_FLUSH_BACKOFF_SECONDS = 0.2, 2.0  # between two retries

WriteChanges = Callable[[Sequence[Change]], Awaitable[Collection[str]]]
"""Writes changes in one transaction; returns the ids of turns that another process has taken over.
Raises StorageUnavailable if it is to be retried."""


class Journal:
    """The changes of this process's turns that are not in the database yet.

    `run` has to run as a task. `on_lease_lost(turn, fence)` is called for each turn that another
    process has taken over. `is_failing`: the last write failed and is retried.
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
        self._oldest_pending_at: float | None = None  # of the oldest change that is not written
        self.is_failing = False
        self._enqueued_count = self._written_count = 0  # changes
        self._has_work, self._flush_requested = asyncio.Event(), asyncio.Event()
        self._flushed = asyncio.Event()
        self._flush_lock = asyncio.Lock()
        metrics.journal_lag.set_function(self._lag_seconds)

    @property
    def pending_turns(self) -> Collection[str]:
        """The ids of turns with changes that are not written yet."""
        return self._pending.keys()

    def enqueue(self, change: Change) -> None:
        """Take a change; it is written soon."""
        self._enqueued_count += 1
        self._merge(change)
        self._has_work.set()

    async def wait_written(self) -> None:
        """Return when all changes enqueued so far are written, without a time limit."""
        target_count = self._enqueued_count
        self._flush_requested.set()
        while self._written_count < target_count:
            self._flushed.clear()
            await self._flushed.wait()

    async def run(self) -> None:
        """Write changes until cancelled."""
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
        """Write all changes now. False if the database is unavailable: they are kept."""
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
                log.warning("the journal could not be written and is retried: %s", error)
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
        except Exception:  # one change can't be written: the others are written one by one
            log.exception("changes of the journal could not be written: %d", len(changes))
            if len(changes) == 1:
                return ()
        return [turn for one in changes for turn in await self._write_isolating_failures([one])]

    async def _wait_between_flushes(self) -> None:
        deadline = asyncio.get_running_loop().time() + FLUSH_INTERVAL_SECONDS
        await wait_until(self._flush_requested, deadline)

    def _merge(self, change: Change) -> None:
        self._pending[change.turn] = merge_changes(self._pending.get(change.turn), change)
        if self._oldest_pending_at is None:
            self._oldest_pending_at = self._now()

    def _restore(self, unwritten: dict[str, Change], since: float | None) -> None:
        """Put back changes that could not be written, below newer ones of the same turns."""
        newer, self._pending = self._pending, unwritten
        for change in newer.values():
            self._merge(change)
        self._oldest_pending_at = since
        self._has_work.set()

    def _drop_lost(self, change: Change) -> None:
        pending = self._pending.get(change.turn)
        if pending and pending.fence <= change.fence:
            del self._pending[change.turn]
        self._on_lease_lost(change.turn, change.fence)

    def _lag_seconds(self) -> float:
        return 0.0 if self._oldest_pending_at is None else self._now() - self._oldest_pending_at


def merge_changes(old: Change | None, new: Change) -> Change:
    """Two changes of a turn as one. A change with an older fencing token is dropped."""
    if old is None or new.fence > old.fence:
        return new
    if new.fence < old.fence:
        return old
    merged: dict[str, Any] = {field.name: getattr(new, field.name) for field in fields(new)}
    merged |= {"readable": old.readable or new.readable, "closed": old.closed or new.closed}
    merged["deleted_messages"] = old.deleted_messages | new.deleted_messages
    return replace(old, **{name: value for name, value in merged.items() if value is not None})
