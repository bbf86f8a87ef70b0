"""What several processes spend of one workspace's limits, kept in the ledger they share.

Every call takes a slot there before it begins. While the ledger is away, and a minute longer
(what was spent meanwhile stands nowhere), each process keeps to its fair share. Where the ledger is
only slow, it learns of those calls afterwards: others must not spend the same once more.
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
"""Seconds by which a call may reach Slack later than its slot was taken, and still be the only one
in it: the next of the slot may come at once."""

UNEXPECTED_FAILURE = "the ledger failed in a way nobody thought of"
BACKGROUND_TIMEOUT_SECONDS = 2.0  # seconds the ledger is given where nobody waits for it
MISSING_CALLS_RETRY_SECONDS = 5.0  # seconds until it is tried again
MIN_STORAGE_RETRY_SECONDS, MAX_STORAGE_RETRY_SECONDS = (
    1.0,
    15.0,
)  # seconds until the ledger is asked again


@dataclass(frozen=True, slots=True)
class _UnrecordedCall:
    """A call that took no slot, and when it began."""

    name: str
    size: int
    began_at: float


class SharedQuota:
    """One process's part in what a workspace takes. `count_replicas` says how many share it."""

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
        self._failures = 0  # how often the ledger was away in a row
        self._retry_at = float("-inf")
        self._outage_began_at = self._fair_share_until = float("-inf")
        self._remote_slots: dict[str, list[SlotHold]] = {}
        self._refreshed_at: dict[str, float] = {}
        self._unrecorded_calls: deque[_UnrecordedCall] = deque()
        self._record_missing_at = float("-inf")

    @property
    def is_shared(self) -> bool:
        """Whether there is a ledger at all."""
        return self._rate_slots is not None

    async def take_slot(
        self, name: str, size: int, seconds: float = WINDOW_SECONDS
    ) -> float | None:
        """Take one of `size` slots of a limit: 0.0 if the call may begin, else the seconds until
        it may, or None if that can't be told any more: look at our fair share again."""
        if self._rate_slots is None:
            return 0.0
        lost = self._failures > 0
        if loop_time() >= self._retry_at:
            held = seconds + SLOT_MARGIN_SECONDS if seconds >= WINDOW_SECONDS else seconds
            wait = await self._query(self._rate_slots.acquire(self._slot_key(name), size, held))
            if wait is not None:
                self._failures = 0
                return wait
        if self.fair_share_divisor == 1:
            self._outage_began_at = loop_time()
        self._fair_share_until = loop_time() + WINDOW_SECONDS
        if not lost:
            return None
        if seconds >= WINDOW_SECONDS:
            self._unrecorded_calls.append(_UnrecordedCall(name, size, loop_time()))
        return 0.0

    async def refresh(self, name: str) -> None:
        """Ask what others spend of a limit, if there can be others."""
        now = loop_time()
        start = now < self._started_at + WINDOW_SECONDS  # somebody may have spent it and gone
        if (
            self._rate_slots is None
            or now < self._retry_at
            or not (start or self._count_replicas() > 1)
        ):
            return
        self._store_remote_slots(
            name, await self._query(self._rate_slots.held_by_others(self._slot_key(name)))
        )

    async def record_missing_calls(self, *names: str) -> None:
        """Where the ledger did not answer in time: take the slots that calls of the last minute
        did without, as far as there are any, and learn what others spend of some limits."""
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
            debt = self._unrecorded_calls[0]
            if debt.began_at + WINDOW_SECONDS > loop_time():
                key, seconds = self._slot_key(debt.name), WINDOW_SECONDS + SLOT_MARGIN_SECONDS
                if await rate_slots.acquire(key, debt.size, seconds, BACKGROUND_TIMEOUT_SECONDS):
                    return
            self._unrecorded_calls.popleft()

    def remote_expiries(self, name: str) -> list[float]:
        """When each call stops counting that others are known to have made."""
        since = self._refreshed_at.get(name, 0.0)
        return [since + held.seconds_until_free for held in self._remote_slots.get(name, [])]

    def live_remote_calls(self, name: str) -> int:
        """How many calls others are known to have made in the last minute that still live: who is
        gone needs no more of them."""
        passed = loop_time() - self._refreshed_at.get(name, 0.0)
        return sum(
            held.holder_is_alive and held.seconds_until_free > passed
            for held in self._remote_slots.get(name, [])
        )

    def knows_remote_calls(self, name: str) -> bool:
        """Whether it can be told what others have spent of a limit in the last minute."""
        learnt = self._refreshed_at.get(name, float("-inf")) >= self._outage_began_at
        return (
            learnt
            or self.fair_share_divisor == 1
            or loop_time() > self._outage_began_at + WINDOW_SECONDS
        )

    @property
    def replica_count(self) -> int:
        """How many processes spend the same limits, this one among them."""
        return max(1, self._count_replicas()) if self.is_shared else 1

    @property
    def fair_share_divisor(self) -> int:
        """In how many parts a limit is to be taken, one of them ours: 1 while the ledger knows
        all that is spent."""
        return self.replica_count if loop_time() < self._fair_share_until else 1

    def _store_remote_slots(self, name: str, slots: Sequence[SlotHold] | None) -> None:
        """Take note of the slots that others hold, if that could be learnt."""
        if slots is not None:
            self._refreshed_at[name] = loop_time()
            self._remote_slots[name] = list(slots)

    async def _query(self, query: Awaitable[T]) -> T | None:
        """Wait for the ledger's answer; without one, do without the ledger for a while."""
        asked = loop_time()
        try:
            return await query
        except StorageUnavailable as error:
            if not self._failures:
                log.warning("what is spent of Slack's limits can't be shared just now: %s", error)
        except Exception:
            log.exception(UNEXPECTED_FAILURE)
        if self._retry_at <= asked:  # of many that asked at once, the first one counts
            pause = min(MAX_STORAGE_RETRY_SECONDS, MIN_STORAGE_RETRY_SECONDS * 2**self._failures)
            self._retry_at = loop_time() + pause
            self._failures += 1
        return None

    def _slot_key(self, name: str) -> str:
        return f"{self._team}:{name}"
