"""A database that is unavailable, slow or broken delays no answer and breaks no limit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.storage.engine.database import open_database
from bot.storage.rate_slots import SharedRateSlots, SlotHold
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import THINKING, done, question, writing
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.scenarios import at_once
from tests.unit.delivery.sharing import OUTAGE, Replicas, simulate_replicas


@pytest.mark.parametrize("away", [(0, 1000), (10, 20), (30, 100)])
def test_replica_keeps_to_its_fair_share_while_the_database_is_unavailable(
    tmp_path: Path, away: tuple[float, float]
) -> None:
    seen = simulate_replicas(at_once(20), tmp_path, replicas=4, away=away)
    assert (seen.limited, seen.lost) == (0, 0)
    assert seen.worst_final <= 0.5 + OUTAGE
    assert seen.stall <= 6.0


def test_shared_quota_records_calls_later_when_the_database_is_slow(
    tmp_path: Path,
) -> None:
    seen = simulate_replicas(at_once(20), tmp_path, replicas=4, slow=1)
    assert (seen.limited, seen.lost) == (0, 0)
    assert seen.worst_final <= 0.5 + OUTAGE


async def test_shared_quota_distrusts_remote_calls_of_before_an_outage(
    tmp_path: Path,
) -> None:
    async with Replicas(tmp_path, 2) as replicas:
        slots = replicas.rate_slots[0]
        share = SharedQuota(slots, team="T1", count_replicas=lambda: 2)
        for begin in (100.0, 300.0):
            await asyncio.sleep(begin - now())
            assert share.knows_remote_calls("chat.delete")
            slots.away = (begin, begin + 2)
            assert await share.take_slot("chat.delete", 5) is None
            await share.record_missing_calls("chat.delete")
            assert not share.knows_remote_calls("chat.delete")
            await asyncio.sleep(10)
            await share.record_missing_calls("chat.delete")
            assert share.knows_remote_calls("chat.delete")
            assert await share.take_slot("chat.delete", 5) == 0.0


async def test_shared_quota_does_not_query_an_unavailable_database_for_every_edit(
    tmp_path: Path,
) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 1, away=(0, 1000)) as replicas:
        reply = replicas.make(fake)(question(0, id="0"))
        await reply.open(THINKING)
        for n in range(1, 600):
            reply.show(writing("word " * n))
            await asyncio.sleep(0.1)
        await reply.finish(done("word " * 600))
        assert fake.count("chat.update") > 40
        assert len(replicas.rate_slots[0].asked) < 25


async def test_shared_quota_that_fails_unexpectedly_delays_no_answer(
    tmp_path: Path,
) -> None:
    class Broken(SharedRateSlots):
        async def acquire(
            self, key: str, size: int, seconds: float, timeout_seconds: float | None = None
        ) -> float:
            raise RuntimeError("unexpected")

        async def held_by_others(
            self, key: str, timeout_seconds: float | None = None
        ) -> list[SlotHold]:
            raise RuntimeError("unexpected, again")

    fake = FakeSlack()
    async with Replicas(tmp_path, 0) as replicas, open_database("sqlite://") as database:
        delivery = replicas.open_delivery(fake, Broken(database, replica="r"))
        replicas.deliveries.append(delivery)
        reply = delivery.create_reply(question())
        for count in range(20):
            reply.show(writing("word " * count))
            await asyncio.sleep(1)
        await reply.finish(done("All of it."))
    assert [m.markdown for m in fake.messages.values()] == ["All of it."]
