"""PostgreSQL is stopped for longer than a lease, hangs, or breaks off in the middle of it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.testbed import open_testbed
from tests.chaos.faults.checks import metric_total, unexpected_lines
from tests.chaos.faults.outage import CALM, EXPECTED_WARNINGS, SLOW, outage
from tests.support.postgres import Server

pytestmark = pytest.mark.asyncio(loop_scope="package")

LEASE = 1.5  # seconds

Fault = Callable[[Server], AbstractContextManager[None]]


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """The server is gone: connections are broken off and refused."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """The server hangs: connections stand, and nothing is answered."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@pytest.mark.parametrize("fault", [stopped, frozen])
async def test_database_outage_longer_than_a_lease_loses_and_doubles_no_answer(
    fork_server: ForkServer, postgres: Server, shared_database: str, tmp_path: Path, fault: Fault
) -> None:
    """What others might write is held back while nobody knows whose it is, and shown afterwards;
    what is asked meanwhile is refused once, however many replicas hear of it. Nobody takes over
    from somebody who lives."""
    variables = {"LEASE_SECONDS": str(LEASE)}
    model = replace(SLOW, words_per_second=50)
    async with open_testbed(
        fork_server,
        tmp_path,
        database=shared_database,
        slack=CALM,
        model=model,
        variables=variables,
    ) as testbed:
        for _ in range(2):
            await (await testbed.start(None)).wait_logged("ready")
        await testbed.wait_ready(testbed.bots[0])
        await outage(testbed, testbed.bots, fault(postgres), lease=LEASE)
        assert [await metric_total(bot, "bot_takeovers_total") for bot in testbed.bots] == [0, 0]
        for bot in testbed.bots:
            assert await bot.end() == 0
            assert unexpected_lines(bot, *EXPECTED_WARNINGS) == []
