"""The lease of this replica, and take-overs of turns that dead replicas left or that were released.

A lease covers all turns of a replica. It depends on monotonic clocks of single machines, never on
the time of day nor on a comparison of clocks (see failure_detector.py). A process of the same
machine that is known to have ended is dead at once, without waiting for its lease.
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
"""Ours: several heartbeats may be lost before the lease is."""

SAFE_LEASE_FRACTION = 2 / 3
"""Fraction of the lease after our last heartbeat in which no other replica can have taken our turns
over."""

IN_FLIGHT_GRACE_SECONDS = 3.0
"""Seconds after the death of a process for which its requests may still reach Slack. The next owner
must not read Slack earlier: it could miss a message and post it again."""

REQUALIFY_HEARTBEATS = 2
"""Heartbeats after a late one until our turns are known to be ours again: a replica that saw us
late has had a whole interval to take them over."""


class LeaseManager:
    """Keeps the lease of this replica, and takes over turns of others.

    `database_is_shared`: other replicas may reach the database while this one can't. If they can't
    (SQLite), a heartbeat that could not be written does not put the lease in doubt; a late one,
    after the machine was suspended, always does. Set `paused` to stop all writes to Slack.
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
        self._requalify_heartbeats_left = 0  # until owns_lease() is true again
        self._orphans: set[str] = set()
        self._gone_since: dict[str, float] = {}  # by replica, on our clock
        self.paused = False

    @property
    def heartbeat_seconds(self) -> float:
        """Seconds between two heartbeats."""
        return self._lease_seconds / HEARTBEATS_PER_LEASE

    def owns_lease(self) -> bool:
        """Whether no other replica can own our turns: only then may they be written to Slack."""
        return not (self.paused or self._requalify_heartbeats_left or self._is_late())

    def count_alive(self) -> int:
        """How many replicas are alive, as far as is known, this one included."""
        return self._failure_detector.alive_count

    async def heartbeat(self, turns: Collection[tuple[str, int]]) -> Collection[str]:
        """Write our heartbeat. After a late one, check that our turns (ids and fencing tokens) are
        still ours. Returns the ids of those that were taken over."""
        now, lost = self._now(), set[str]()
        if self._is_late():
            self._requalify_heartbeats_left = REQUALIFY_HEARTBEATS
        try:
            # With SQLite, a locked file must not make us late, however short the lease is.
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
        """Observe the other replicas, take over the turns of dead ones, and unregister those."""
        started_at = self._now()
        try:
            heartbeats, owners = await self._store.get_heartbeats(), await self._store.get_owners()
        except StorageUnavailable:
            self._failure_detector.reset()
            raise
        dead = self._failure_detector.observe(
            heartbeats, owners, started_at=started_at, ended_at=self._now()
        )
        for owner in dead | await self._safely_gone(owners | heartbeats.keys()):
            async for record in self._take_over(
                await self._store.get_unfinished_turns(owner), "dead"
            ):
                yield record
            await self._store.remove_replica(owner)

    async def take_over_released(self) -> AsyncIterator[TurnRecord]:
        """Take over turns that their owner released at shutdown."""
        async for record in self._take_over(
            await self._store.get_unfinished_turns(None), "released"
        ):
            yield record

    async def reclaim_orphans(self, known_ids: Container[str]) -> AsyncIterator[TurnRecord]:
        """Take over turns that the database says are ours, but that were missing in `known_ids` in
        this call and in the previous one. They were claimed, but the confirmation was lost."""
        ours = await self._store.get_unfinished_turns(self._store.replica)
        before = self._orphans
        self._orphans = {one.question.id for one in ours if one.question.id not in known_ids}
        orphans = [one for one in ours if one.question.id in before & self._orphans]
        async for record in self._take_over(orphans, "stray"):
            yield record

    async def _take_over(
        self, records: Sequence[TurnRecord], reason: str
    ) -> AsyncIterator[TurnRecord]:
        for record in records:
            crashed = record.owner is not None and not record.waiting
            taken = await self._store.take_over(
                record.question.id, record.fence, count_crash=crashed
            )
            if taken:
                self._metrics.takeovers.labels(reason).inc()
                yield taken

    async def _safely_gone(self, replicas: Collection[str]) -> set[str]:
        """Replicas whose processes ended so long ago that none of their requests is in flight."""
        gone, now = await self._store.find_dead_replicas(replicas), self._now()
        self._gone_since = {name: self._gone_since.get(name, now) for name in gone}
        return {
            name
            for name, since in self._gone_since.items()
            if now - since >= IN_FLIGHT_GRACE_SECONDS
        }

    def _is_late(self) -> bool:
        return self._now() - self._last_heartbeat_at >= self._lease_seconds * SAFE_LEASE_FRACTION
