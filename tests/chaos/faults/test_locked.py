"""Another process keeps the SQLite file locked: somebody who looks into it, or copies it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.chaos.crash.bots import Nursery
from tests.chaos.crash.stage import stage
from tests.chaos.faults.outage import CALM, SLOW, TOLD, outage
from tests.chaos.faults.seen import unexpected

pytestmark = pytest.mark.asyncio(loop_scope="package")


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process has the file for itself."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("COMMIT")


async def test_a_locked_file_is_like_one_that_is_away(bots: Nursery, tmp_path: Path) -> None:
    """Whoever waits gives up in time; what was given up is not done later."""
    async with stage(bots, tmp_path, slack=CALM, model=SLOW) as on:
        bot = await on.start(None)
        await on.ready(bot)
        await outage(on, [bot], locked(tmp_path / "bot.db"))
        assert await bot.end() == 0
        assert unexpected(bot, *TOLD) == []
