"""A crash at every point of a turn, and at some of every other kind; one whole answer each time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.case import Case, run
from tests.chaos.crash.databases import Databases, databases
from tests.chaos.crash.matrix import crash_cases, essential, every_kind, run_cases
from tests.chaos.crash.outcome import Outcome

pytestmark = pytest.mark.asyncio(loop_scope="package")

AT_ONCE = 4
SAMPLE = 1  # points of every kind of turn
SECOND = 10  # points of a second crash
LEAST = 35  # points of a turn
REACHED = 0.8  # share of crashes that happen: two runs of a turn do not pass quite the same points


async def test_turn_passes_every_kind_of_point(fork_server: ForkServer, tmp_path: Path) -> None:
    outcome = await run(Case(), fork_server, tmp_path)
    names = {point.partition("#")[0] for point in outcome.bots[0].passed}
    assert names >= {
        *("socket:received", "socket:ack:before", "socket:ack:after"),
        *("db:insert claims:before", "db:insert turns:after", "db:commit claims+turns:before"),
        *("slack:chat.postMessage:before", "slack:chat.postMessage:taken", "db:insert shown:after"),
        *("upstream:POST responses:before", "upstream:POST responses:answered", "upstream:chunk"),
        *("slack:chat.update:before", "slack:chat.update:taken", "db:update turns:after"),
    }
    assert not outcome.wrong


@pytest.mark.parametrize("resumable", [True, False])
async def test_next_bot_resumes_the_response_or_starts_a_new_one(
    fork_server: ForkServer, tmp_path: Path, resumable: bool
) -> None:
    # The id of the response is in the second update at the latest: it precedes all text.
    case = Case(("db:update turns:before#3",), length="long", resumable=resumable)
    outcome = await run(case, fork_server, tmp_path)
    verb = "GET responses/{id}" if resumable else "POST responses"
    asked = [point for point in outcome.bots[1].passed if "responses" in point]
    assert asked == [f"upstream:{verb}:before#1", f"upstream:{verb}:answered#1"]
    assert not outcome.wrong


@pytest.mark.parametrize("crash", ["slack:chat.update:before#1", "slack:chat.update:before#2"])
async def test_slack_is_read_only_where_messages_were_not_recorded(
    fork_server: ForkServer, tmp_path: Path, crash: str
) -> None:
    outcome = await run(Case((crash,)), fork_server, tmp_path)
    first, second = (bot.passed for bot in outcome.bots)
    written = any("commit" in point and "shown:after" in point for point in first)
    # Where the model's server can't resume the response, the model is asked anew: with the thread.
    resumed = "upstream:POST responses:before#1" not in second
    assert ("slack:conversations.replies:before#1" not in second) is (written and resumed)
    assert written or crash.endswith("#1")
    assert not outcome.wrong


async def test_unrecorded_placeholder_is_searched_in_its_thread(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    outcome = await run(Case(("slack:chat.postMessage:taken#1",)), fork_server, tmp_path)
    assert "slack:conversations.replies:taken#1" in outcome.bots[1].passed
    assert not outcome.wrong


async def test_killed_bot_without_a_successor_leaves_the_question_open(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    """The harness would notice."""
    outcome = await run(
        Case(("slack:chat.update:before#1",)), fork_server, tmp_path, followed=False
    )
    assert {said.partition(":")[0] for said in outcome.wrong} >= {"spinning", "cut", "left open"}


async def test_crash_at_any_point_of_a_turn_leaves_one_complete_answer(
    fork_server: ForkServer,
) -> None:
    [recorded] = await _record([Case()], fork_server, databases(None))
    cases = [case for case in crash_cases(recorded) if essential(*case.crashes)]
    assert len(cases) > LEAST
    await _play(cases, fork_server, databases(None))


async def test_second_crash_during_recovery_leaves_one_complete_answer(
    fork_server: ForkServer,
) -> None:
    [recorded] = await _record([Case(("upstream:chunk#40",))], fork_server, databases(None))
    cases = [case for case in crash_cases(recorded) if essential(case.crashes[-1])]
    await _play(random.Random(1).sample(cases, k=SECOND), fork_server, databases(None))


async def test_crash_at_some_points_of_every_kind_of_turn_leaves_one_complete_answer(
    fork_server: ForkServer, kind: str, empty: Databases
) -> None:
    chance, cases = random.Random(1), list[Case]()
    for recorded in await _record(every_kind(kind), fork_server, empty):
        cases += chance.sample(crash_cases(recorded), k=SAMPLE)
    await _play(cases, fork_server, empty)


async def _record(
    kinds: Sequence[Case], fork_server: ForkServer, empty: Databases
) -> list[Outcome[Case]]:
    recorded = [outcome async for outcome in run_cases(kinds, fork_server, empty, at_once=AT_ONCE)]
    assert [str(outcome) for outcome in recorded if outcome.wrong] == []
    return sorted(recorded, key=str)


async def _play(cases: Sequence[Case], fork_server: ForkServer, empty: Databases) -> None:
    outcomes = [outcome async for outcome in run_cases(cases, fork_server, empty, at_once=AT_ONCE)]
    assert [str(outcome) for outcome in outcomes if outcome.wrong] == []
    planned = sum(len(case.crashes) for case in cases)
    assert sum(outcome.crash_count for outcome in outcomes) >= REACHED * planned
