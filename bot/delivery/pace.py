"""Which reply is written next. Pure: time is an argument, in seconds of any monotonic clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Policy:
    """How a workspace's edits are spent; see `Delivery` for where the numbers come from."""

    edits_per_minute: int = 45
    words_per_second: float = 5.0
    shortest_gap: float = 0.5


class Waiting(Protocol):
    """A reply with something to write."""

    changed_at: float | None

    @property
    def final(self) -> bool:
        """Whether what it has to write is its last."""


W = TypeVar("W", bound=Waiting)


def first(replies: Iterable[W]) -> W | None:
    """Finals before all, then whoever has waited longest."""
    return min(replies, key=lambda reply: (not reply.final, reply.changed_at or 0.0), default=None)


def gap(policy: Policy, free: int) -> float:
    """Seconds between two edits that are no finals, by what is left of the minute."""
    return max(policy.shortest_gap, 20.0 / max(free, 1))
