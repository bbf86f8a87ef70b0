"""The disk under a SQLite file is full, or may only be read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chaos.crash.bots import ForkServer
from tests.chaos.crash.testbed import BotTestbed, open_testbed
from tests.chaos.faults.checks import unexpected_lines
from tests.chaos.faults.disk import immutable, make_read_only
from tests.chaos.faults.outage import CALM, EXPECTED_WARNINGS, SLOW, outage
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


async def test_full_disk_lets_answers_continue_and_refuses_new_questions_once(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    """Live answers go on in memory and are written when there is room again; a question that
    can't be claimed is refused with one sentence; /readyz says so, and recovers by itself."""
    with small_disk(tmp_path, DISK):
        async with open_testbed(fork_server, tmp_path, slack=CALM, model=SLOW) as testbed:
            bot = await testbed.start(None)
            await testbed.wait_ready(bot)
            await outage(testbed, [bot], full(tmp_path))
            assert await bot.end() == 0
            assert unexpected_lines(bot, *EXPECTED_WARNINGS) == []


async def test_read_only_file_lets_answers_continue_and_refuses_new_questions_once(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    """As on a full disk: nothing can be written, and then it can."""
    async with open_testbed(fork_server, tmp_path, slack=CALM, model=SLOW) as testbed:
        bot = await testbed.start(None)
        await testbed.wait_ready(bot)
        files = [tmp_path / "bot.db", tmp_path / "bot.db-wal"]
        await outage(testbed, [bot], immutable(*files))
        assert await bot.end() == 0
        assert unexpected_lines(bot, *EXPECTED_WARNINGS) == []


async def test_read_only_disk_prevents_the_start_and_says_why(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    """One sentence that says what to do, and exit code 2: only the operator can mend it."""
    with small_disk(tmp_path, DISK):
        async with open_testbed(fork_server, tmp_path) as testbed:
            await testbed.wait_ready(await testbed.start(None))
            assert await testbed.bots[0].end() == 0
            make_read_only(tmp_path)
            assert await _refused_to_start(testbed) == 2


async def test_full_disk_prevents_the_start_and_says_why(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    """The same, but exit code 1: whoever starts the bot tries again until there is room."""
    with small_disk(tmp_path, DISK), full(tmp_path):
        async with open_testbed(fork_server, tmp_path) as testbed:
            assert await _refused_to_start(testbed) == 1


async def _refused_to_start(testbed: BotTestbed) -> int:
    """Start a bot that can't use its database; its exit code."""
    bot = await testbed.start(None)
    code = await bot.wait_exit()
    [line] = bot.log
    assert "can't be written" in line["message"]
    assert "that its disk has room" in line["message"]
    return code
