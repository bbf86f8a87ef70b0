"""Crashes at random instants while several questions are answered."""

from __future__ import annotations

import pytest

from tests.chaos.crash.bots import Nursery
from tests.chaos.crash.databases import Databases
from tests.chaos.crash.instants import land_all, wave

pytestmark = pytest.mark.asyncio(loop_scope="package")

WAVES = 5
AT_ONCE = 4


async def test_after_crashes_at_random_instants_every_question_has_one_whole_answer(
    bots: Nursery, kind: str, empty: Databases
) -> None:
    plans = [wave(seed, kind, quick=True) for seed in range(WAVES)]
    landed = [each async for each in land_all(plans, bots, empty, at_once=AT_ONCE)]
    assert [str(each) for each in landed if each.wrong] == []
    assert sum(each.died for each in landed) >= WAVES
