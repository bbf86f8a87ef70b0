"""Bots of two workspaces on one database: each ends its own turns; virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.values import Phase
from tests.unit.turn.replica_setup import LEASE, FakeAnswers, ReplicaSetup, question, until


async def test_turn_of_a_dead_bot_is_taken_over_in_its_workspace_only(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        other_team, same_team = FakeAnswers(may_end=True), FakeAnswers(may_end=True)
        before_death = FakeAnswers()
        dead = await setup.replica("dead", before_death, running=False, team="T1")
        await dead.supervisor.submit(question("q1"))
        await until(lambda: before_death.asked == ["q1"])
        await dead.die()
        b = await setup.replica("b", other_team, team="T2")
        await asyncio.sleep(4 * LEASE)
        assert (other_team.asked, b.supervisor.running_count) == ([], 0)
        a = await setup.replica("a", same_team, team="T1")
        await until(lambda: same_team.asked == ["q1"])
        await until(lambda: not a.supervisor.running_count)
        record = await a.store.get_turn("q1")
        assert record
        assert record.draft.phase is Phase.DONE
        assert other_team.asked == []


async def test_released_turn_is_taken_over_in_its_workspace_only(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        other_team, same_team = FakeAnswers(may_end=True), FakeAnswers(may_end=True)
        leaving = await setup.replica("leaving", FakeAnswers(), team="T1")
        await setup.replica("b", other_team, team="T2")
        await leaving.supervisor.submit(question("q1"))
        await until(lambda: leaving.supervisor.running_count)
        assert await leaving.supervisor.drain(0.0) == 1
        await asyncio.sleep(LEASE)
        assert other_team.asked == []
        await setup.replica("a", same_team, team="T1")
        await until(lambda: same_team.asked == ["q1"])
        assert other_team.asked == []


async def test_rate_limits_are_shared_by_bots_of_one_workspace_only(tmp_path: Path) -> None:
    async with ReplicaSetup(tmp_path) as setup:
        a = await setup.replica("a", FakeAnswers(), team="T1")
        await setup.replica("b", FakeAnswers(), team="T2")
        await asyncio.sleep(LEASE)
        assert a.lease_manager.count_alive() == 1
        await setup.replica("c", FakeAnswers(), team="T1")
        await until(lambda: a.lease_manager.count_alive() == 2)
