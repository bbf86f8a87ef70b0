"""Which replicas are dead, told by their beats alone. Pure: time is an argument, in seconds of our
own clock; no two clocks are ever compared.

A replica raises its beat again and again. One whose beat stays the same over a whole lease of our
own time is dead, if we really looked: a reading that failed begins the observation anew, and of a
long pause between two readings little counts, because we may have been asleep, and everyone on
this machine with us.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

MAX_GAP_LEASE_FRACTION = 1 / 3
"""Part of the lease that counts at most between two readings."""


@dataclass(frozen=True, slots=True)
class _Observation:
    heartbeat: int | None  # None: it has turns but no beat
    silent_seconds: float = 0.0


class FailureDetector:
    """What replica `replica` has seen of the others; `lease_seconds` is in seconds."""

    def __init__(self, replica: str, lease_seconds: float) -> None:
        self.alive_count = 1
        self._replica = replica
        self._lease_seconds = lease_seconds
        self._observations: dict[str, _Observation] = {}
        self._last_observed_at = float("-inf")

    def observe(
        self,
        heartbeats: Mapping[str, int],
        owners: Collection[str],
        *,
        started_at: float,
        ended_at: float,
    ) -> frozenset[str]:
        """Take one reading, made between two times; returns those who are dead.

        `owners` are all replicas that turns belong to, with a beat or without.
        """
        passed = max(
            0.0,
            min(started_at - self._last_observed_at, self._lease_seconds * MAX_GAP_LEASE_FRACTION),
        )
        self._last_observed_at = ended_at
        names = {*heartbeats, *owners} - {self._replica}
        self._observations = {
            name: self._observe_one(name, heartbeats.get(name), passed) for name in names
        }
        dead = {
            name
            for name, seen in self._observations.items()
            if seen.silent_seconds >= self._lease_seconds
        }
        self.alive_count = 1 + len(heartbeats.keys() - dead - {self._replica})
        return frozenset(dead)

    def reset(self) -> None:
        """Begin all observation anew: a reading failed, or nobody could have raised a beat."""
        self._observations.clear()

    def _observe_one(self, name: str, heartbeat: int | None, elapsed: float) -> _Observation:
        before = self._observations.get(name)
        if before is None or before.heartbeat != heartbeat:
            return _Observation(heartbeat)
        return _Observation(heartbeat, before.silent_seconds + elapsed)
