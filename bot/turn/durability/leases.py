"""This replica among the others: its beat, and the turns of those whose beat has stopped.

Nothing here decides by the time of day, nor compares two clocks (see watch.py). Where the machine
itself can tell that a process is gone, nobody waits for its lease to end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Container, Sequence

from bot.errors import StorageAway
from bot.observe import Metrics
from bot.storage.clock import since_boot
from bot.storage.records import Change, TurnRecord
from bot.storage.store import Store
from bot.turn.durability.failure_detector import Watch

BEATS = 5
"""Beats in a lease."""

HELD = 2 / 3
"""Part of the lease after the last beat in which nobody else can have taken our turns."""

LAST_WRITES = 3.0
"""Seconds after a process's death in which what it sent may still arrive at Slack: who looks there
before may not find it, and write it again."""

DOUBT = 2
"""Beats after too long a silence until nobody can be taking our turns any more: who saw us silent
has had a whole period to do it."""


class Keeper:
    """Keeps this replica's leases and takes over those of the dead.

    `shared`: others may reach the database while we can't. Where they can't, a beat that fails is
    no reason to hold back; one that comes too late because we were asleep is, everywhere.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        *,
        lease: float,
        shared: bool,
        now: Callable[[], float] = since_boot,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._lease = lease
        self._shared = shared
        self._now = now
        self._watch = Watch(store.replica, lease)
        self._beaten_at = now()
        self._doubt = 0  # beats until our turns are known to be ours again
        self._stray: set[str] = set()
        self._gone: dict[str, float] = {}  # since when their processes are known to be gone
        self.paused = False

    @property
    def period(self) -> float:
        """Seconds between two beats."""
        return self._lease / BEATS

    def held(self) -> bool:
        """Whether our turns are known to be ours: else nothing may be written to Slack."""
        return not (self.paused or self._doubt or self._late())

    def alive(self) -> int:
        """How many replicas live, as far as we know; we are one."""
        return self._watch.alive

    async def beat(self, turns: Collection[tuple[str, int]]) -> Collection[str]:
        """Raise our beat, and look whether our turns (by id and fence) are still ours if we were
        silent for so long that they may not be. Returns those that were taken from us."""
        now, lost = self._now(), set[str]()
        if self._late():
            self._doubt = DOUBT
        try:
            # Alone we must not seem asleep, however short the lease, while a file is locked.
            await self._store.heartbeat(None if self._shared else self.period)
            if self._doubt:
                lost = await self._store.write_changes([Change(*turn) for turn in turns])
        except StorageAway:
            self._watch.missed()  # where we can't show that we live, others may not be able to
            if self._shared or self._doubt:
                return ()
        else:
            self._doubt = max(0, self._doubt - 1)
        self._beaten_at = now
        return lost

    async def take_dead(self) -> AsyncIterator[TurnRecord]:
        """Look at the others; take over what those who died have left, and forget them."""
        began = self._now()
        try:
            beats, owners = await self._store.get_heartbeats(), await self._store.get_owners()
        except StorageAway:
            self._watch.missed()
            raise
        silent = self._watch.read(beats, owners, began=began, ended=self._now())
        for owner in silent | await self._gone_for_long(owners | beats.keys()):
            async for record in self._take(await self._store.get_unfinished_turns(owner), "dead"):
                yield record
            await self._store.remove_replica(owner)

    async def take_released(self) -> AsyncIterator[TurnRecord]:
        """Take over what was let go of."""
        async for record in self._take(await self._store.get_unfinished_turns(None), "released"):
            yield record

    async def take_stray(self, live: Container[str]) -> AsyncIterator[TurnRecord]:
        """Take up what is ours but not among our live turns, also not a look ago: we never heard
        that we got it."""
        ours = await self._store.get_unfinished_turns(self._store.replica)
        before = self._stray
        self._stray = {one.question.id for one in ours if one.question.id not in live}
        stray = [one for one in ours if one.question.id in before & self._stray]
        async for record in self._take(stray, "stray"):
            yield record

    async def _take(self, records: Sequence[TurnRecord], why: str) -> AsyncIterator[TurnRecord]:
        for record in records:
            counted = record.owner is not None and not record.waiting
            taken = await self._store.take_over(
                record.question.id, record.fence, count_crash=counted
            )
            if taken:
                self._metrics.takeovers.labels(why).inc()
                yield taken

    async def _gone_for_long(self, replicas: Collection[str]) -> set[str]:
        """Those whose process is known to be gone, and nothing of theirs can be under way."""
        gone, now = await self._store.find_dead_replicas(replicas), self._now()
        self._gone = {name: self._gone.get(name, now) for name in gone}
        return {name for name, since in self._gone.items() if now - since >= LAST_WRITES}

    def _late(self) -> bool:
        return self._now() - self._beaten_at >= self._lease * HELD
