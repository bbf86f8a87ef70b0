"""PostgreSQL is stopped for longer than a lease, hangs, or breaks off in the middle of it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.crash.bots import Nursery
from tests.chaos.crash.stage import stage
from tests.chaos.faults.outage import CALM, SLOW, TOLD, outage
from tests.chaos.faults.seen import counted, unexpected
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
async def test_a_database_that_is_away_longer_than_a_lease_costs_no_answer_and_doubles_none(
    bots: Nursery, postgres: Server, shared: str, tmp_path: Path, fault: Fault
) -> None:
    """What others might write is held back while nobody knows whose it is, and shown afterwards;
    what is asked meanwhile is refused once, however many replicas hear of it. Nobody takes over
    from somebody who lives."""
    variables = {"LEASE_SECONDS": str(LEASE)}
    model = replace(SLOW, words_per_second=50)
    async with stage(
        bots, tmp_path, database=shared, slack=CALM, model=model, variables=variables
    ) as on:
        for _ in range(2):
            await (await on.start(None)).said("ready")
        await on.ready(on.bots[0])
        await outage(on, on.bots, fault(postgres), lease=LEASE)
        assert [await counted(bot, "bot_takeovers_total") for bot in on.bots] == [0, 0]
        for bot in on.bots:
            assert await bot.end() == 0
            assert unexpected(bot, *TOLD) == []
