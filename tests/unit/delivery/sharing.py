"""Several replicas with shared rate slots, whose database may be unavailable or slow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from bot.delivery import Reply
from bot.delivery.config import DeliveryConfig
from bot.delivery.delivery import Delivery
from bot.errors import StorageUnavailable
from bot.storage.engine.database import Database, open_database
from bot.storage.rate_slots import SharedRateSlots, SlotHold
from bot.storage.store import Store
from bot.values import Question
from tests.support.virtual_time import now, run
from tests.unit.delivery.fake_slack import FakeSlack, connect
from tests.unit.delivery.measure import Figures, measure
from tests.unit.delivery.scenarios import Scenario
from tests.unit.delivery.simulator import OUR_LIMIT, simulate

OUTAGE = 0.25  # seconds until the slots says that it is away


class FaultyRateSlots(SharedRateSlots):
    """A slots whose database is away, or too slow for writes, from one moment to another."""

    slow = False

    def __init__(self, database: Database, name: str, away: tuple[float, float]) -> None:
        super().__init__(database, replica=name, now=asyncio.get_running_loop().time)
        self.away = away
        self.asked: list[float] = []

    async def acquire(
        self, key: str, size: int, seconds: float, timeout_seconds: float | None = None
    ) -> float:
        if not (self.slow and timeout_seconds):
            await self._fail()
        return await super().acquire(key, size, seconds, timeout_seconds)

    async def held_by_others(
        self, key: str, timeout_seconds: float | None = None
    ) -> list[SlotHold]:
        if not (self.slow and timeout_seconds):
            await self._fail()
        return await super().held_by_others(key, timeout_seconds)

    async def _fail(self) -> None:
        self.asked.append(now())
        if self.away[0] <= now() < self.away[1]:
            await asyncio.sleep(OUTAGE)
            raise StorageUnavailable("stopped")


class Replicas:
    """Some replicas' ways to Slack, over one SQLite file."""

    def __init__(self, path: Path, count: int, away: tuple[float, float] = (0, 0)) -> None:
        self._url = f"sqlite:///{path}/bot.db"
        self._count = count
        self._away = away
        self._stack = AsyncExitStack()
        self.databases: list[Database] = []
        self.rate_slots: list[FaultyRateSlots] = []
        self.deliveries: list[Delivery] = []

    async def __aenter__(self) -> Replicas:
        for _ in range(self._count):
            await self.another()
        return self

    async def __aexit__(self, *_: object) -> None:
        for delivery in self.deliveries:
            await delivery.aclose()
        await self._stack.aclose()

    async def another(self) -> None:
        database = await self._stack.enter_async_context(open_database(self._url))
        await database.migrate()
        self.databases.append(database)
        name = f"r{len(self.rate_slots)}"
        await Store(database, replica=name).heartbeat()
        self.rate_slots.append(FaultyRateSlots(database, name, self._away))

    def make(self, slack: FakeSlack, _database: object = None) -> Callable[[Question], Reply]:
        """Open a `Delivery` for each replica; questions are distributed in turn."""
        self.deliveries += [self.open_delivery(slack, slots) for slots in self.rate_slots]
        return lambda asked: self.deliveries[int(asked.id) % len(self.deliveries)].create_reply(
            asked
        )

    def open_delivery(self, slack: FakeSlack, slots: SharedRateSlots) -> Delivery:
        return Delivery(
            connect(slack),
            DeliveryConfig(OUR_LIMIT),
            rate_slots=slots,
            count_replicas=lambda: len(self.rate_slots),
        )


def simulate_replicas(
    scenario: Scenario,
    path: Path,
    *,
    replicas: int,
    away: tuple[float, float] = (0, 0),
    slow: int = 0,
) -> Figures:
    """What readers see. `slow` replicas have a slots that never answers in time."""

    async def play() -> Figures:
        async with Replicas(path, replicas, away) as sharing:
            for slots in sharing.rate_slots[:slow]:
                slots.slow, slots.away = True, (0, float("inf"))
            return measure(*await simulate(scenario, sharing.make))

    return run(play())
