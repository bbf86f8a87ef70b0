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

from bot.delivery.ratelimit.budgets import MINUTE
from bot.errors import StorageAway
from bot.storage.rate_slots import SharedRateSlots, SlotHold

log = logging.getLogger(__name__)


T = TypeVar("T")

LATE = 0.5
"""Seconds by which a call may reach Slack later than its slot was taken, and still be the only one
in it: the next of the slot may come at once."""

UNTHOUGHT_OF = "the ledger failed in a way nobody thought of"
SLOW = 2.0  # seconds the ledger is given where nobody waits for it
SETTLE_PAUSE = 5.0  # seconds until it is tried again
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 15.0  # seconds until the ledger is asked again


@dataclass(frozen=True, slots=True)
class _Debt:
    """A call that took no slot, and when it began."""

    name: str
    size: int
    at: float


class Share:
    """One process's part in what a workspace takes. `replicas` says how many share it."""

    def __init__(
        self,
        ledger: SharedRateSlots | None,
        *,
        team: str,
        replicas: Callable[[], int],
        now: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._team = team
        self._replicas = replicas
        self._now = now
        self._since = now()
        self._lost = 0  # how often the ledger was away in a row
        self._ask_at = float("-inf")
        self._lost_at = self._fair_until = float("-inf")
        self._theirs: dict[str, list[SlotHold]] = {}
        self._learnt_at: dict[str, float] = {}
        self._debts: deque[_Debt] = deque()
        self._settle_at = float("-inf")

    @property
    def shared(self) -> bool:
        """Whether there is a ledger at all."""
        return self._ledger is not None

    async def take(self, name: str, size: int, seconds: float = MINUTE) -> float | None:
        """Take one of `size` slots of a limit: 0.0 if the call may begin, else the seconds until
        it may, or None if that can't be told any more: look at our fair share again."""
        if self._ledger is None:
            return 0.0
        lost = self._lost > 0
        if self._now() >= self._ask_at:
            held = seconds + LATE if seconds >= MINUTE else seconds
            wait = await self._ask(self._ledger.acquire(self._key(name), size, held))
            if wait is not None:
                self._lost = 0
                return wait
        if self.parts == 1:
            self._lost_at = self._now()
        self._fair_until = self._now() + MINUTE
        if not lost:
            return None
        if seconds >= MINUTE:
            self._debts.append(_Debt(name, size, self._now()))
        return 0.0

    async def learn(self, name: str) -> None:
        """Ask what others spend of a limit, if there can be others."""
        now = self._now()
        start = now < self._since + MINUTE  # somebody may have spent it and gone
        if self._ledger is None or now < self._ask_at or not (start or self._replicas() > 1):
            return
        self._note(name, await self._ask(self._ledger.held_by_others(self._key(name))))

    async def settle(self, *names: str) -> None:
        """Where the ledger did not answer in time: take the slots that calls of the last minute
        did without, as far as there are any, and learn what others spend of some limits."""
        needed = self._lost or self._debts
        if self._ledger is None or not needed or self._now() < self._settle_at:
            return
        try:
            await self._repay(self._ledger)
            for name in names:
                self._note(name, await self._ledger.held_by_others(self._key(name), SLOW))
        except Exception as error:
            if not isinstance(error, StorageAway):
                log.exception(UNTHOUGHT_OF)
            self._settle_at = self._now() + SETTLE_PAUSE

    async def _repay(self, ledger: SharedRateSlots) -> None:
        while self._debts:
            debt = self._debts[0]
            if debt.at + MINUTE > self._now():
                key, seconds = self._key(debt.name), MINUTE + LATE
                if await ledger.acquire(key, debt.size, seconds, SLOW):
                    return
            self._debts.popleft()

    def theirs(self, name: str) -> list[float]:
        """When each call stops counting that others are known to have made."""
        since = self._learnt_at.get(name, 0.0)
        return [since + held.seconds_until_free for held in self._theirs.get(name, [])]

    def living(self, name: str) -> int:
        """How many calls others are known to have made in the last minute that still live: who is
        gone needs no more of them."""
        passed = self._now() - self._learnt_at.get(name, 0.0)
        return sum(
            held.holder_is_alive and held.seconds_until_free > passed
            for held in self._theirs.get(name, [])
        )

    def knows(self, name: str) -> bool:
        """Whether it can be told what others have spent of a limit in the last minute."""
        learnt = self._learnt_at.get(name, float("-inf")) >= self._lost_at
        return learnt or self.parts == 1 or self._now() > self._lost_at + MINUTE

    @property
    def replicas(self) -> int:
        """How many processes spend the same limits, this one among them."""
        return max(1, self._replicas()) if self.shared else 1

    @property
    def parts(self) -> int:
        """In how many parts a limit is to be taken, one of them ours: 1 while the ledger knows
        all that is spent."""
        return self.replicas if self._now() < self._fair_until else 1

    def _note(self, name: str, theirs: Sequence[SlotHold] | None) -> None:
        """Take note of the slots that others hold, if that could be learnt."""
        if theirs is not None:
            self._learnt_at[name] = self._now()
            self._theirs[name] = list(theirs)

    async def _ask(self, answer: Awaitable[T]) -> T | None:
        """Wait for the ledger's answer; without one, do without the ledger for a while."""
        asked = self._now()
        try:
            return await answer
        except StorageAway as error:
            if not self._lost:
                log.warning("what is spent of Slack's limits can't be shared just now: %s", error)
        except Exception:
            log.exception(UNTHOUGHT_OF)
        if self._ask_at <= asked:  # of many that asked at once, the first one counts
            pause = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**self._lost)
            self._ask_at = self._now() + pause
            self._lost += 1
        return None

    def _key(self, name: str) -> str:
        return f"{self._team}:{name}"
