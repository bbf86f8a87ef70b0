"""What several processes spend of one workspace's limits, kept in the ledger they share.

Every call takes a slot there before it begins. While the ledger is away, and a minute longer
(what was spent meanwhile stands nowhere), each process keeps to its fair share.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.delivery.budget import MINUTE
from bot.errors import StorageAway
from bot.storage.ledger import Ledger

log = logging.getLogger(__name__)


T = TypeVar("T")

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 15.0  # seconds until the ledger is asked again


class Share:
    """One process's part in what a workspace takes. `replicas` says how many share it."""

    def __init__(
        self,
        ledger: Ledger | None,
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
        self._fair_until = float("-inf")
        self._theirs: dict[str, list[float]] = {}

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
            wait = await self._ask(self._ledger.take(self._key(name), size, seconds))
            if wait is not None:
                self._lost = 0
                return wait
        self._fair_until = self._now() + MINUTE
        return 0.0 if lost else None

    async def learn(self, name: str) -> None:
        """Ask what others spend of a limit, if there can be others."""
        now = self._now()
        start = now < self._since + MINUTE  # somebody may have spent it and gone
        if self._ledger is None or now < self._ask_at or not (start or self._replicas() > 1):
            return
        seconds = await self._ask(self._ledger.others(self._key(name)))
        if seconds is not None:
            self._theirs[name] = [self._now() + after for after in seconds]

    def theirs(self, name: str) -> list[float]:
        """When each call stops counting that others are known to have made."""
        return self._theirs.get(name, [])

    @property
    def replicas(self) -> int:
        """How many processes spend the same limits, this one among them."""
        return max(1, self._replicas()) if self.shared else 1

    @property
    def parts(self) -> int:
        """In how many parts a limit is to be taken, one of them ours: 1 while the ledger knows
        all that is spent."""
        return self.replicas if self._now() < self._fair_until else 1

    async def _ask(self, answer: Awaitable[T]) -> T | None:
        """Wait for the ledger's answer; without one, do without the ledger for a while."""
        asked = self._now()
        try:
            return await answer
        except StorageAway as error:
            if not self._lost:
                log.warning("what is spent of Slack's limits can't be shared just now: %s", error)
        except Exception:
            log.exception("the ledger failed in a way nobody thought of")
        if self._ask_at <= asked:  # of many that asked at once, the first one counts
            pause = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**self._lost)
            self._ask_at = self._now() + pause
            self._lost += 1
        return None

    def _key(self, name: str) -> str:
        return f"{self._team}:{name}"
