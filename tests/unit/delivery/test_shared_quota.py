"""Replicas share the limits of one workspace through the database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.delivery.ratelimit.limiters import WINDOW_SECONDS
from bot.delivery.ratelimit.shared_quota import SharedQuota
from bot.delivery.workspace import SEARCHES_PER_MINUTE
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import THINKING, done, question, writing
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.scenarios import Scenario, at_once
from tests.unit.delivery.sharing import FaultyRateSlots, Replicas, simulate_replicas
from tests.unit.delivery.simulator import OUR_LIMIT


@pytest.mark.parametrize("replicas", [2, 4])
def test_replicas_stay_within_one_limit_together(tmp_path: Path, replicas: int) -> None:
    seen = simulate_replicas(at_once(20), tmp_path, replicas=replicas)
    assert (seen.limited, seen.lost) == (0, 0)
    assert seen.worst_final <= 0.5
    assert seen.stall <= 5.0
    assert seen.edits >= OUR_LIMIT - 5, "what there is is spent"


def test_replicas_show_answers_as_fresh_as_one_process(tmp_path: Path) -> None:
    seen = simulate_replicas(at_once(10), tmp_path, replicas=2)
    assert (seen.limited, seen.lost) == (0, 0)
    assert seen.worst_final <= 0.5
    assert seen.stall <= 1.2


def test_replica_is_as_fresh_beside_an_idle_one(tmp_path: Path) -> None:
    seen = simulate_replicas(Scenario("one of 25 s", (0.0,), words=1000), tmp_path, replicas=2)
    assert seen.stale <= 0.45
    assert seen.edits <= OUR_LIMIT * 3 / 4


async def test_replica_counts_the_calls_of_one_that_died(tmp_path: Path) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 1) as replicas:
        [slots] = replicas.rate_slots
        for _ in range(OUR_LIMIT):
            assert await slots.acquire("T1:chat.update", OUR_LIMIT, WINDOW_SECONDS) == 0.0
        await asyncio.sleep(30)
        replicas.rate_slots.clear()
        await replicas.another()
        delivery = replicas.open_delivery(fake, replicas.rate_slots[0])
        replicas.deliveries.append(delivery)
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(writing("The beginning of it."))
        await asyncio.sleep(20)
        assert fake.count("chat.update") == 0
        await asyncio.sleep(11)
        assert fake.count("chat.update") == 1
        await reply.finish(done("All of it."))


async def test_replica_reserves_no_edits_for_one_that_died(tmp_path: Path) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 1) as replicas:
        gone = FaultyRateSlots(replicas.databases[0], "gone", (0, 0))
        for _ in range(OUR_LIMIT - 8):
            assert await gone.acquire("T1:chat.update", OUR_LIMIT, WINDOW_SECONDS) == 0.0
            await asyncio.sleep(0.5)
        reply = replicas.make(fake)(question(0, id="0"))
        await reply.open(THINKING)
        for n in range(1, 100):
            reply.show(writing("word " * n))
            await asyncio.sleep(0.05)
        assert fake.count("chat.update") >= 2
        await reply.finish(done("word " * 100))


async def test_placeholder_says_so_when_other_replicas_use_up_the_minute(tmp_path: Path) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 2) as replicas:
        for _ in range(OUR_LIMIT):
            await replicas.rate_slots[1].acquire("T1:chat.update", OUR_LIMIT, WINDOW_SECONDS)
        replies = replicas.make(fake)
        await replies(question(0, id="0")).open(THINKING)
        await asyncio.sleep(1)
        await replies(question(0, id="2")).open(THINKING)
        [_, later] = fake.messages.values()
        assert "Slack takes few changes" in later.states[0]


async def test_replicas_keep_to_the_post_rate_of_one_channel(tmp_path: Path) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 2) as replicas:
        replies = replicas.make(fake)
        asked = [question(n, id=str(n), channel="C1") for n in range(10)]
        await asyncio.gather(*(replies(one).open(THINKING) for one in asked))
    times = sorted(call.at for call in fake.calls)
    assert len(times) == 10
    assert all(later - first > 2.5 for first, later in zip(times, times[3:], strict=False))


async def test_shared_quota_costs_an_edit_one_small_statement(tmp_path: Path) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 1) as replicas:
        reply = replicas.make(fake)(question(0, id="0"))
        await asyncio.sleep(WINDOW_SECONDS)  # by now nothing a predecessor spent can count
        await reply.open(THINKING)
        for n in range(1, 200):
            reply.show(writing("word " * n))
            await asyncio.sleep(0.1)
        await reply.finish(done("word " * 200))
        assert len(replicas.rate_slots[0].asked) == len(fake.calls)


async def test_edit_without_a_slot_is_not_made_and_planned_again(tmp_path: Path) -> None:
    fake = FakeSlack()
    async with Replicas(tmp_path, 2) as replicas:
        reply = replicas.make(fake)(question(0, id="0"))
        await reply.open(THINKING)
        await asyncio.sleep(1.5)
        for _ in range(OUR_LIMIT):  # all at once, after we have looked
            await replicas.rate_slots[1].acquire("T1:chat.update", OUR_LIMIT, WINDOW_SECONDS)
        before = now()
        await reply.finish(done("All of it."))
        assert now() - before < 1.0
        assert [call.method for call in fake.calls] == ["chat.postMessage"] * 2
        assert [m.markdown for m in fake.messages.values()] == ["", "All of it."]
        await asyncio.sleep(WINDOW_SECONDS)
    assert [call.method for call in fake.calls[2:]] == ["chat.delete"]
    assert [m.markdown for m in fake.messages.values()] == ["All of it."]


async def test_shared_quota_without_rate_slots_allows_every_call() -> None:
    share = SharedQuota(None, team="T1", count_replicas=lambda: 7)
    assert await share.take_slot("chat.update", 1) == 0.0
    await share.refresh("chat.update")
    assert (
        share.fair_share_divisor,
        share.replica_count,
        share.remote_expiries("chat.update"),
    ) == (1, 1, [])


async def test_shared_quota_ignores_calls_of_other_workspaces(tmp_path: Path) -> None:
    async with Replicas(tmp_path, 2) as replicas:
        ours, theirs = replicas.rate_slots
        there = SharedQuota(theirs, team="T2", count_replicas=lambda: 2)
        here = SharedQuota(ours, team="T1", count_replicas=lambda: 2)
        assert await there.take_slot("chat.update", 1) == 0.0
        await here.refresh("chat.update")
        assert here.remote_expiries("chat.update") == []
        assert await here.take_slot("chat.update", 1) == 0.0
        assert await here.take_slot("chat.update", 1) == pytest.approx(WINDOW_SECONDS, abs=1)


async def test_replicas_search_for_messages_within_one_limit_together(
    tmp_path: Path,
) -> None:
    slack = FakeSlack()
    async with Replicas(tmp_path, 2) as replicas:
        replicas.deliveries += [
            replicas.open_delivery(slack, slots) for slots in replicas.rate_slots
        ]
        looks = [
            replicas.deliveries[n % 2].find_messages(question(n))
            for n in range(SEARCHES_PER_MINUTE + 10)
        ]
        looking = asyncio.gather(*looks)
        await asyncio.sleep(WINDOW_SECONDS - 5)
        assert slack.count("conversations.replies") == SEARCHES_PER_MINUTE
        assert await looking == [()] * len(looks)
        assert now() < WINDOW_SECONDS + 5
