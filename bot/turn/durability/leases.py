"""This replica among the others: its beat, and the turns of those whose beat has stopped.

Nothing here decides by the time of day, nor compares two clocks (see watch.py). Where the machine
itself can tell that a process is gone, nobody waits for its lease to end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Container, Sequence

from bot.errors import StorageUnavailable
from bot.observe import Metrics
from bot.storage.clock import since_boot
from bot.storage.records import Change, TurnRecord
from bot.storage.store import Store
from bot.turn.durability.failure_detector import FailureDetector

HEARTBEATS_PER_LEASE = 5
"""Beats in a lease."""

SAFE_LEASE_FRACTION = 2 / 3
"""Part of the lease after the last beat in which nobody else can have taken our turns."""

IN_FLIGHT_GRACE_SECONDS = 3.0
"""Seconds after a process's death in which what it sent may still arrive at Slack: who looks there
before may not find it, and write it again."""

REQUALIFY_HEARTBEATS = 2
"""Beats after too long a silence until nobody can be taking our turns any more: who saw us silent
has had a whole period to do it."""


class LeaseManager:
    """Keeps this replica's leases and takes over those of the dead.

    `database_is_shared`: others may reach the database while we can't. Where they can't, a beat
    that fails is no reason to hold back; one that comes too late because we were asleep is,
    everywhere.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        *,
        lease_seconds: float,
        database_is_shared: bool,
        now: Callable[[], float] = since_boot,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._lease_seconds = lease_seconds
        self._database_is_shared = database_is_shared
        self._now = now
        self._failure_detector = FailureDetector(store.replica, lease_seconds)
        self._last_heartbeat_at = now()
        self._requalify_heartbeats_left = 0  # beats until our turns are known to be ours again
        self._orphans: set[str] = set()
        self._gone_since: dict[str, float] = {}  # since when their processes are known to be gone
        self.paused = False

    @property
    def heartbeat_seconds(self) -> float:
        """Seconds between two beats."""
        return self._lease_seconds / HEARTBEATS_PER_LEASE

    def owns_lease(self) -> bool:
        """Whether our turns are known to be ours: else nothing may be written to Slack."""
        return not (self.paused or self._requalify_heartbeats_left or self._is_late())

    def count_alive(self) -> int:
        """How many replicas live, as far as we know; we are one."""
        return self._failure_detector.alive_count

    async def heartbeat(self, turns: Collection[tuple[str, int]]) -> Collection[str]:
        """Raise our beat, and look whether our turns (by id and fence) are still ours if we were
        silent for so long that they may not be. Returns those that were taken from us."""
        now, lost = self._now(), set[str]()
        if self._is_late():
            self._requalify_heartbeats_left = REQUALIFY_HEARTBEATS
        try:
            # Alone we must not seem asleep, however short the lease, while a file is locked.
            await self._store.heartbeat(
                None if self._database_is_shared else self.heartbeat_seconds
            )
            if self._requalify_heartbeats_left:
                lost = await self._store.write_changes([Change(*turn) for turn in turns])
        except StorageUnavailable:
            # Other replicas may have been unable to show their heartbeats as well.
            self._failure_detector.reset()
            if self._database_is_shared or self._requalify_heartbeats_left:
                return ()
        else:
            self._requalify_heartbeats_left = max(0, self._requalify_heartbeats_left - 1)
        self._last_heartbeat_at = now
        return lost

    async def take_over_dead(self) -> AsyncIterator[TurnRecord]:
        """Look at the others; take over what those who died have left, and forget them."""
        began = self._now()
        try:
            beats, owners = await self._store.get_heartbeats(), await self._store.get_owners()
        except StorageUnavailable:
            self._failure_detector.reset()
            raise
        silent = self._failure_detector.observe(
            beats, owners, started_at=began, ended_at=self._now()
        )
        for owner in silent | await self._safely_gone(owners | beats.keys()):
            async for record in self._take_over(
                await self._store.get_unfinished_turns(owner), "dead"
            ):
                yield record
            await self._store.remove_replica(owner)

    async def take_over_released(self) -> AsyncIterator[TurnRecord]:
        """Take over what was let go of."""
        async for record in self._take_over(
            await self._store.get_unfinished_turns(None), "released"
        ):
            yield record

    async def reclaim_orphans(self, known_ids: Container[str]) -> AsyncIterator[TurnRecord]:
        """Take up what is ours but not among our live turns, also not a look ago: we never heard
        that we got it."""
        ours = await self._store.get_unfinished_turns(self._store.replica)
        before = self._orphans
        self._orphans = {one.question.id for one in ours if one.question.id not in known_ids}
        stray = [one for one in ours if one.question.id in before & self._orphans]
        async for record in self._take_over(stray, "stray"):
            yield record

    async def _take_over(
        self, records: Sequence[TurnRecord], reason: str
    ) -> AsyncIterator[TurnRecord]:
        for record in records:
            counted = record.owner is not None and not record.waiting
            taken = await self._store.take_over(
                record.question.id, record.fence, count_crash=counted
            )
            if taken:
                self._metrics.takeovers.labels(reason).inc()
                yield taken

    async def _safely_gone(self, replicas: Collection[str]) -> set[str]:
        """Those whose process is known to be gone, and nothing of theirs can be under way."""
        gone, now = await self._store.find_dead_replicas(replicas), self._now()
        self._gone_since = {name: self._gone_since.get(name, now) for name in gone}
        return {
            name
            for name, since in self._gone_since.items()
            if now - since >= IN_FLIGHT_GRACE_SECONDS
        }

    def _is_late(self) -> bool:
        return self._now() - self._last_heartbeat_at >= self._lease_seconds * SAFE_LEASE_FRACTION
