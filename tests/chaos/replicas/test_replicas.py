"""Two replicas and a few questions: some are killed, then all are restarted as by a deploy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.chaos.crash.bots import ForkServer, open_fork_server
from tests.chaos.replicas.load import Load, kill_one, restart_one, run_load
from tests.support.postgres import Server

PATIENCE = 60.0
QUESTIONS = 16  # whose edits fit into one minute
WORDS = (60, 250)
HASTE = {"GRACE_SECONDS": "0.5"}  # so that there is something to hand over


@pytest_asyncio.fixture
async def fork_server() -> AsyncIterator[ForkServer]:
    async with open_fork_server() as parent:
        yield parent


@pytest_asyncio.fixture
async def database(postgres: Server) -> AsyncIterator[str]:
    async with postgres.fresh() as url:
        yield url


@pytest.mark.parametrize("over_http", [True, False], ids=["http", "socket"])
async def test_replicas_that_are_killed_lose_and_double_nothing(
    fork_server: ForkServer, database: str, tmp_path: Path, over_http: bool
) -> None:
    load = Load(QUESTIONS, 2.5, kill_one, every=3.0, least=2, words=WORDS, over_http=over_http)
    result = await run_load(load, fork_server, tmp_path, database, PATIENCE)
    assert result.wrong == (), "\n".join(result.testbed.timelines)
    assert len(result.kills) >= 2


async def test_deploy_under_load_loses_and_cuts_no_answer(
    fork_server: ForkServer, database: str, tmp_path: Path
) -> None:
    load = Load(QUESTIONS, 2.5, restart_one, every=1.0, least=4, words=WORDS, variables=HASTE)
    result = await run_load(load, fork_server, tmp_path, database, PATIENCE)
    assert result.wrong == (), "\n".join(result.testbed.timelines)
    assert len(result.codes) >= 4
    assert set(result.codes) == {0}
