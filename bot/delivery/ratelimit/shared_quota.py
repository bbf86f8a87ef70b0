"""Shares the limits of one workspace with other replicas.

Each call takes a slot in the database before it begins. While the database is unavailable, and for
a minute after, when the calls of the outage are not on record, each replica keeps to its fair
share. If the database was only slow, those calls are recorded later, so that other replicas don't
spend the same part of the limit.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.delivery.clock import loop_time
from bot.delivery.ratelimit.limiters import WINDOW_SECONDS
from bot.errors import StorageUnavailable
from bot.storage.rate_slots import SharedRateSlots, SlotHold

log = logging.getLogger(__name__)


T = TypeVar("T")

SLOT_MARGIN_SECONDS = 0.5
"""Added to the time a slot is held: a call may reach Slack this long after it took the slot, and
the next holder may follow at once."""

UNEXPECTED_FAILURE = "sharing Slack's rate limits failed unexpectedly"
BACKGROUND_TIMEOUT_SECONDS = 2.0  # for queries that no write waits for
MISSING_CALLS_RETRY_SECONDS = 5.0  # until calls without a slot are recorded again
MIN_STORAGE_RETRY_SECONDS, MAX_STORAGE_RETRY_SECONDS = 1.0, 15.0


@dataclass(frozen=True, slots=True)
class _UnrecordedCall:
    """A call without a slot, and when it began. `name` and `size` are those of its limit."""

    name: str
    size: int
    began_at: float


class SharedQuota:
    """This process's part of the limits of one workspace.

    Without `rate_slots` nothing is shared, and every call is allowed. `count_replicas` returns how
    many replicas are alive. A limit is named by its method, or by channel and method. Storage
    errors are handled here; nothing is raised.
    """

    def __init__(
        self,
        rate_slots: SharedRateSlots | None,
        *,
        team: str,
        count_replicas: Callable[[], int],
    ) -> None:
        self._rate_slots = rate_slots
        self._team = team
        self._count_replicas = count_replicas
        self._started_at = loop_time()
        self._failures = 0  # of queries, in a row
        self._retry_at = float("-inf")
        self._outage_began_at = self._fair_share_until = float("-inf")
        self._remote_slots: dict[str, list[SlotHold]] = {}
        self._refreshed_at: dict[str, float] = {}
        self._unrecorded_calls: deque[_UnrecordedCall] = deque()
        self._record_missing_at = float("-inf")

    @property
    def is_shared(self) -> bool:
        """Whether the limits are shared with other processes through the database."""
        return self._rate_slots is not None

    async def take_slot(
        self, name: str, size: int, seconds: float = WINDOW_SECONDS
    ) -> float | None:
        """Take one of the `size` slots of a limit, for `seconds`.

        Returns 0.0 if the call may begin, else the seconds until a slot is free. None when the
        database has just become unavailable: apply `fair_share_divisor`, then try again.
        """
        if self._rate_slots is None:
            return 0.0
        was_unavailable = self._failures > 0
        if loop_time() >= self._retry_at:
            held = seconds + SLOT_MARGIN_SECONDS if seconds >= WINDOW_SECONDS else seconds
            wait = await self._query(self._rate_slots.acquire(self._slot_key(name), size, held))
            if wait is not None:
                self._failures = 0
                return wait
        if self.fair_share_divisor == 1:
            self._outage_began_at = loop_time()
        self._fair_share_until = loop_time() + WINDOW_SECONDS
        if not was_unavailable:
            return None
        if seconds >= WINDOW_SECONDS:
            self._unrecorded_calls.append(_UnrecordedCall(name, size, loop_time()))
        return 0.0

    async def refresh(self, name: str) -> None:
        """Read what other replicas spend of a limit, if there may be others."""
        now = loop_time()
        # the calls of a process that has just been replaced count too
        just_started = now < self._started_at + WINDOW_SECONDS
        if (
            self._rate_slots is None
            or now < self._retry_at
            or not (just_started or self._count_replicas() > 1)
        ):
            return
        self._store_remote_slots(
            name, await self._query(self._rate_slots.held_by_others(self._slot_key(name)))
        )

    async def record_missing_calls(self, *names: str) -> None:
        """After an outage, take slots for those calls of the last minute that have none, while
        slots are free. Then read what other replicas spend of the limits `names`."""
        needed = self._failures or self._unrecorded_calls
        if self._rate_slots is None or not needed or loop_time() < self._record_missing_at:
            return
        try:
            await self._record_calls(self._rate_slots)
            for name in names:
                self._store_remote_slots(
                    name,
                    await self._rate_slots.held_by_others(
                        self._slot_key(name), BACKGROUND_TIMEOUT_SECONDS
                    ),
                )
        except Exception as error:
            if not isinstance(error, StorageUnavailable):
                log.exception(UNEXPECTED_FAILURE)
            self._record_missing_at = loop_time() + MISSING_CALLS_RETRY_SECONDS

    async def _record_calls(self, rate_slots: SharedRateSlots) -> None:
        while self._unrecorded_calls:
            call = self._unrecorded_calls[0]
            if call.began_at + WINDOW_SECONDS > loop_time():
                key, seconds = self._slot_key(call.name), WINDOW_SECONDS + SLOT_MARGIN_SECONDS
                if await rate_slots.acquire(key, call.size, seconds, BACKGROUND_TIMEOUT_SECONDS):
                    return
            self._unrecorded_calls.popleft()

    def remote_expiries(self, name: str) -> list[float]:
        """Return when each known call of other replicas stops counting."""
        since = self._refreshed_at.get(name, 0.0)
        return [since + held.seconds_until_free for held in self._remote_slots.get(name, [])]

    def live_remote_calls(self, name: str) -> int:
        """Return how many known calls of the last minute were made by replicas that are still
        alive, and so will make more."""
        passed = loop_time() - self._refreshed_at.get(name, 0.0)
        return sum(
            held.holder_is_alive and held.seconds_until_free > passed
            for held in self._remote_slots.get(name, [])
        )

    def knows_remote_calls(self, name: str) -> bool:
        """Whether all calls of other replicas in the last minute are known."""
        refreshed = self._refreshed_at.get(name, float("-inf")) >= self._outage_began_at
        return (
            refreshed
            or self.fair_share_divisor == 1
            or loop_time() > self._outage_began_at + WINDOW_SECONDS
        )

    @property
    def replica_count(self) -> int:
        """How many processes share the limits, this one included."""
        return max(1, self._count_replicas()) if self.is_shared else 1

    @property
    def fair_share_divisor(self) -> int:
        """By what to divide a limit: the number of replicas during an outage and a minute after,
        else 1."""
        return self.replica_count if loop_time() < self._fair_share_until else 1

    def _store_remote_slots(self, name: str, slots: Sequence[SlotHold] | None) -> None:
        """Keep the slots that other replicas hold; None if they could not be read."""
        if slots is not None:
            self._refreshed_at[name] = loop_time()
            self._remote_slots[name] = list(slots)

    async def _query(self, query: Awaitable[T]) -> T | None:
        """Await a query; None if it failed. No other query is made for a while then."""
        asked = loop_time()
        try:
            return await query
        except StorageUnavailable as error:
            if not self._failures:
                log.warning(
                    "Slack's rate limits can't be shared; each replica keeps to its fair share: %s",
                    error,
                )
        except Exception:
            log.exception(UNEXPECTED_FAILURE)
        if self._retry_at <= asked:  # of several concurrent queries, the first one counts
            pause = min(MAX_STORAGE_RETRY_SECONDS, MIN_STORAGE_RETRY_SECONDS * 2**self._failures)
            self._retry_at = loop_time() + pause
            self._failures += 1
        return None

    def _slot_key(self, name: str) -> str:
        return f"{self._team}:{name}"
