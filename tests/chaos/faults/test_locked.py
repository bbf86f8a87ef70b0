"""Another process keeps the SQLite file locked: somebody who looks into it, or copies it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.testbed import open_testbed
from tests.chaos.faults.checks import unexpected_lines
from tests.chaos.faults.outage import CALM, EXPECTED_WARNINGS, SLOW, outage

pytestmark = pytest.mark.asyncio(loop_scope="package")


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process has the file for itself."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("COMMIT")


async def test_locked_file_is_treated_as_an_unavailable_database(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    """Whoever waits gives up in time; what was given up is not done later."""
    async with open_testbed(fork_server, tmp_path, slack=CALM, model=SLOW) as testbed:
        bot = await testbed.start(None)
        await testbed.wait_ready(bot)
        await outage(testbed, [bot], locked(tmp_path / "bot.db"))
        assert await bot.end() == 0
        assert unexpected_lines(bot, *EXPECTED_WARNINGS) == []
