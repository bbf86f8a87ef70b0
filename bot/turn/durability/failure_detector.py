"""Detects dead replicas by missed heartbeats. Pure: time is an argument, in seconds of this
process's own monotonic clock; clocks of two machines are never compared.

Each replica increments a counter. A replica whose counter stays the same for a whole lease, on our
clock, is dead. Only time in which we have really observed it counts: a failed reading starts the
observation again, and a long pause between two readings counts for little, because this machine may
have been suspended, with all replicas on it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

MAX_GAP_LEASE_FRACTION = 1 / 3
"""Fraction of the lease that the time between two readings counts for at most."""


@dataclass(frozen=True, slots=True)
class _Observation:
    heartbeat: int | None  # None: it owns turns but has no counter
    silent_seconds: float = 0.0


class FailureDetector:
    """The observations that `replica` has made of the others."""

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
        """Take one reading of all counters; returns the replicas that are dead.

        `owners` are the replicas that own turns, with or without a counter. The reading was made
        between `started_at` and `ended_at`.
        """
        elapsed = max(
            0.0,
            min(started_at - self._last_observed_at, self._lease_seconds * MAX_GAP_LEASE_FRACTION),
        )
        self._last_observed_at = ended_at
        names = {*heartbeats, *owners} - {self._replica}
        self._observations = {
            name: self._observe_one(name, heartbeats.get(name), elapsed) for name in names
        }
        dead = {
            name
            for name, observation in self._observations.items()
            if observation.silent_seconds >= self._lease_seconds
        }
        self.alive_count = 1 + len(heartbeats.keys() - dead - {self._replica})
        return frozenset(dead)

    def reset(self) -> None:
        """Start all observations again: a reading failed, or replicas can't write heartbeats."""
        self._observations.clear()

    def _observe_one(self, name: str, heartbeat: int | None, elapsed: float) -> _Observation:
        before = self._observations.get(name)
        if before is None or before.heartbeat != heartbeat:
            return _Observation(heartbeat)
        return _Observation(heartbeat, before.silent_seconds + elapsed)
