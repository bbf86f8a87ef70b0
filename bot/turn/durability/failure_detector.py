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

LONGEST_PAUSE = 1 / 3
"""Part of the lease that counts at most between two readings."""


@dataclass(frozen=True, slots=True)
class _Seen:
    beat: int | None  # None: it has turns but no beat
    silent: float = 0.0


class Watch:
    """What replica `me` has seen of the others; `lease` is in seconds."""

    def __init__(self, me: str, lease: float) -> None:
        self.alive = 1
        self._me = me
        self._lease = lease
        self._seen: dict[str, _Seen] = {}
        self._read_at = float("-inf")

    def read(
        self,
        beats: Mapping[str, int],
        owners: Collection[str],
        *,
        began: float,
        ended: float,
    ) -> frozenset[str]:
        """Take one reading, made between two times; returns those who are dead.

        `owners` are all replicas that turns belong to, with a beat or without.
        """
        passed = max(0.0, min(began - self._read_at, self._lease * LONGEST_PAUSE))
        self._read_at = ended
        names = {*beats, *owners} - {self._me}
        self._seen = {name: self._look(name, beats.get(name), passed) for name in names}
        dead = {name for name, seen in self._seen.items() if seen.silent >= self._lease}
        self.alive = 1 + len(beats.keys() - dead - {self._me})
        return frozenset(dead)

    def missed(self) -> None:
        """Begin all observation anew: a reading failed, or nobody could have raised a beat."""
        self._seen.clear()

    def _look(self, name: str, beat: int | None, passed: float) -> _Seen:
        before = self._seen.get(name)
        if before is None or before.beat != beat:
            return _Seen(beat)
        return _Seen(beat, before.silent + passed)
