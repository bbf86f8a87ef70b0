"""Bots of two workspaces over one database: each brings its own turns to an end; virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.values import Phase
from tests.unit.turn.stage import LEASE, Answers, Stage, question, until


async def test_a_dead_bots_turn_is_left_to_its_own_workspace(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        other, ours = Answers(go=True), Answers(go=True)
        begun = Answers()
        dead = await stage.replica("dead", begun, running=False, team="T1")
        await dead.turns.submit(question("q1"))
        await until(lambda: begun.asked == ["q1"])
        await dead.die()
        b = await stage.replica("b", other, team="T2")
        await asyncio.sleep(4 * LEASE)
        assert (other.asked, b.turns.running_count) == ([], 0)
        a = await stage.replica("a", ours, team="T1")
        await until(lambda: ours.asked == ["q1"])
        await until(lambda: not a.turns.running_count)
        record = await a.store.get_turn("q1")
        assert record
        assert record.draft.phase is Phase.DONE
        assert other.asked == []


async def test_what_a_bot_hands_on_is_taken_up_by_its_own_workspace(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        other, ours = Answers(go=True), Answers(go=True)
        leaving = await stage.replica("leaving", Answers(), team="T1")
        await stage.replica("b", other, team="T2")
        await leaving.turns.submit(question("q1"))
        await until(lambda: leaving.turns.running_count)
        assert await leaving.turns.drain(0.0) == 1
        await asyncio.sleep(LEASE)
        assert other.asked == []
        await stage.replica("a", ours, team="T1")
        await until(lambda: ours.asked == ["q1"])
        assert other.asked == []


async def test_only_bots_of_one_workspace_share_its_limits(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        a = await stage.replica("a", Answers(), team="T1")
        await stage.replica("b", Answers(), team="T2")
        await asyncio.sleep(LEASE)
        assert a.keeper.count_alive() == 1
        await stage.replica("c", Answers(), team="T1")
        await until(lambda: a.keeper.count_alive() == 2)
