"""Crashes at random instants while several questions are answered."""

from __future__ import annotations

import pytest

from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.databases import Databases
from tests.chaos.crash.random_crashes import random_plan, run_plans

pytestmark = pytest.mark.asyncio(loop_scope="package")

PLANS = 5
AT_ONCE = 4


async def test_questions_have_one_complete_answer_each_after_crashes_at_random_instants(
    fork_server: ForkServer, kind: str, empty: Databases
) -> None:
    plans = [random_plan(seed, kind, quick=True) for seed in range(PLANS)]
    outcomes = [each async for each in run_plans(plans, fork_server, empty, at_once=AT_ONCE)]
    assert [str(each) for each in outcomes if each.wrong] == []
    assert sum(each.crash_count for each in outcomes) >= PLANS
