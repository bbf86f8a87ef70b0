"""The disk under a SQLite file is full, or may only be read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.crash.bots import Nursery
from tests.chaos.crash.stage import Stage, stage
from tests.chaos.faults.disk import immutable, make_read_only
from tests.chaos.faults.outage import CALM, SLOW, TOLD, outage
from tests.chaos.faults.seen import unexpected
from tests.unit.storage.disks import fill, small_disk

pytestmark = pytest.mark.asyncio(loop_scope="package")

DISK = 8192  # kB: room for the file, and for its log, which begins anew at 4 MB


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """A disk without room, on which others take what the database frees when it empties its log."""
    over = threading.Event()

    def fill_again() -> None:
        number = 0
        while not over.is_set():
            number += 1
            filler = fill(disk, f"filler{number}")
            if not filler.stat().st_size:
                filler.unlink()
            over.wait(0.01)

    thread = threading.Thread(target=fill_again)
    fill(disk)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for filler in disk.glob("filler*"):
            filler.unlink()


async def test_on_a_full_disk_live_answers_go_on_and_new_questions_are_told_so_once(
    bots: Nursery, tmp_path: Path
) -> None:
    """Live answers go on in memory and are written when there is room again; a question that
    can't be claimed is refused with one sentence; /readyz says so, and recovers by itself."""
    with small_disk(tmp_path, DISK):
        async with stage(bots, tmp_path, slack=CALM, model=SLOW) as on:
            bot = await on.start(None)
            await on.ready(bot)
            await outage(on, [bot], full(tmp_path))
            assert await bot.end() == 0
            assert unexpected(bot, *TOLD) == []


async def test_a_file_that_becomes_read_only_is_the_same(bots: Nursery, tmp_path: Path) -> None:
    """As on a full disk: nothing can be written, and then it can."""
    async with stage(bots, tmp_path, slack=CALM, model=SLOW) as on:
        bot = await on.start(None)
        await on.ready(bot)
        files = [tmp_path / "bot.db", tmp_path / "bot.db-wal"]
        await outage(on, [bot], immutable(*files))
        assert await bot.end() == 0
        assert unexpected(bot, *TOLD) == []


async def test_with_a_read_only_disk_the_bot_does_not_start_and_says_why(
    bots: Nursery, tmp_path: Path
) -> None:
    """One sentence that says what to do, and exit code 2: only the operator can mend it."""
    with small_disk(tmp_path, DISK):
        async with stage(bots, tmp_path) as on:
            await on.ready(await on.start(None))
            assert await on.bots[0].end() == 0
            make_read_only(tmp_path)
            assert await _refused_to_start(on) == 2


async def test_with_a_full_disk_the_bot_does_not_start_and_says_why(
    bots: Nursery, tmp_path: Path
) -> None:
    """The same, but exit code 1: whoever starts the bot tries again until there is room."""
    with small_disk(tmp_path, DISK), full(tmp_path):
        async with stage(bots, tmp_path) as on:
            assert await _refused_to_start(on) == 1


async def _refused_to_start(on: Stage) -> int:
    """Start a bot that can't use its database; its exit code."""
    bot = await on.start(None)
    code = await bot.died()
    [line] = bot.log
    assert "can't be written" in line["message"]
    assert "that its disk has room" in line["message"]
    return code
