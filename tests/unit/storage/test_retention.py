"""Retention: deleted text is in no file; nothing unfinished is deleted for its age."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text

from bot.storage.clock import since_boot, steady_wall_clock
from bot.storage.engine.database import Database, open_database
from bot.storage.records import Change, Claim
from bot.storage.store import Store
from bot.values import REMOVED_DRAFT, Draft, Phase
from tests.support.postgres import Server
from tests.unit.storage.conftest import PATIENCE, Stores
from tests.unit.storage.questions import question

DAY = 24 * 3600.0
WALL = 1_800_000_000.0
SECRET = "a very private sentence"


@pytest_asyncio.fixture
async def file(tmp_path: Path) -> AsyncIterator[Path]:
    yield tmp_path / "bot.db"


def file_contents(file: Path) -> bytes:
    """The bytes of all files of the database."""
    return b"".join(path.read_bytes() for path in file.parent.glob("bot.db*"))


@pytest.mark.parametrize("how", ["text is not stored", "text is old"])
async def test_pruned_text_is_in_no_file(file: Path, how: str) -> None:
    async with open_database(f"sqlite:///{file}", timeout_seconds=PATIENCE) as database:
        await database.migrate()
        clock = [WALL]
        keeps = how == "text is old"
        async with Store(database, replica="one", now=lambda: clock[0], store_text=keeps) as store:
            asked = question("q1", text=SECRET * 200)
            await store.claim(asked, "thread")
            await store.write_changes([Change("q1", 1, draft=Draft(Phase.STREAMING, SECRET * 300))])
            assert SECRET.encode() in file_contents(file)
            await store.write_changes(
                [Change("q1", 1, draft=Draft(Phase.DONE, SECRET * 400), closed=True)]
            )
            if keeps:
                assert SECRET.encode() in file_contents(file)
                clock[0] += 31 * DAY
                assert await store.prune(30 * DAY) == 1
            assert SECRET.encode() not in file_contents(file)


@pytest.mark.parametrize("store_text", [True, False])
async def test_text_of_a_question_closed_at_once_is_never_stored(
    file: Path, store_text: bool
) -> None:
    async with open_database(f"sqlite:///{file}", timeout_seconds=PATIENCE) as database:
        await database.migrate()
        async with Store(database, replica="one", store_text=store_text) as store:
            asked = replace(question("q1", text=SECRET), unreadable=(SECRET,))
            assert await store.claim(asked, None, REMOVED_DRAFT) is Claim.CLAIMED
            assert SECRET.encode() not in file_contents(file)


async def test_text_deleted_before_a_crash_is_gone_once_the_next_process_prunes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: object) -> None:
        """Die before the log is emptied."""

    url = f"sqlite:///{file}"
    dead = sqlite3.connect(file)  # holds the log, as a process that is killed does
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        await database.migrate()
        dead.execute("SELECT count(*) FROM turns").fetchall()
        async with Store(database, replica="one", store_text=False) as store:
            with monkeypatch.context() as killed:
                killed.setattr(Database, "purge_deleted", never)
                await store.claim(question("q1", text=SECRET), None)
                await store.write_changes(
                    [Change("q1", 1, draft=Draft(Phase.DONE, SECRET), closed=True)]
                )
    assert SECRET.encode() in file_contents(file)
    async with (
        open_database(url, timeout_seconds=PATIENCE) as database,
        Store(database, replica="two", store_text=False) as store,
    ):
        assert await store.prune(30 * DAY) == 0
        assert SECRET.encode() not in file_contents(file)
    dead.close()


async def test_file_overwrites_what_is_deleted_however_sqlite_was_built(file: Path) -> None:
    async with open_database(f"sqlite:///{file}", timeout_seconds=PATIENCE) as database:
        found = await database.write(lambda c: c.exec_driver_sql("PRAGMA secure_delete").scalar())
    assert found == 1


async def test_reader_that_keeps_its_transaction_does_not_block_writes(file: Path) -> None:
    url = f"sqlite:///{file}"
    async with open_database(url, timeout_seconds=PATIENCE) as one, open_database(url) as other:
        await one.migrate()
        reading = asyncio.Event()
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def look(connection: Connection) -> None:
            connection.execute(text("SELECT count(*) FROM turns")).all()
            loop.call_soon_threadsafe(reading.set)
            asyncio.run_coroutine_threadsafe(done.wait(), loop).result(20)

        busy = asyncio.create_task(other.read(look, 20))
        await reading.wait()
        async with Store(one, replica="one", store_text=False) as store:
            await store.claim(question("q1", text=SECRET), None)
            await store.write_changes(
                [Change("q1", 1, draft=Draft(Phase.DONE, SECRET), closed=True)]
            )
            done.set()
            await busy
            await store.claim(question("q2"), None)
            await store.write_changes([Change("q2", 1, draft=Draft(Phase.DONE, "x"), closed=True)])
        assert SECRET.encode() not in file_contents(file)


@pytest.mark.parametrize("there", [False, True], ids=["new", "there"])
def test_database_files_are_not_readable_by_other_users(file: Path, there: bool) -> None:
    if there:
        file.touch(0o666)
        file.chmod(0o664)
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{file}"}
    command = f"umask 022; exec {sys.executable} -m bot migrate"
    subprocess.run(["/bin/sh", "-c", command], env=env, check=True, timeout=60)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.glob("bot.db*")}
    assert modes["bot.db"] == (0o660 if there else 0o600)
    assert not [name for name, mode in modes.items() if mode & stat.S_IRWXO]


async def test_claims_of_an_unfinished_turn_are_never_pruned(stores: Stores) -> None:
    store = await stores("one", now=lambda: WALL)
    await store.claim(question("live"), None)
    await store.claim(question("over"), None)
    await store.write_changes([Change("over", 1, draft=Draft(Phase.DONE, "x"), closed=True)])
    ahead = await stores("two", now=lambda: WALL + 30 * DAY)
    await ahead.prune(365 * DAY)
    assert await store.get_claiming_turn_id("message:live") == "live"
    assert await store.get_claiming_turn_id("message:over") is None
    assert await store.claim(question("live"), None) is Claim.DUPLICATE
    [still] = await store.get_unfinished_turns("one")
    assert still.question.id == "live"


async def test_pruning_deletes_nothing_when_the_clock_is_a_month_ahead(stores: Stores) -> None:
    clock = [WALL]
    store = await stores("one", now=lambda: clock[0], steady_now=lambda: WALL + 5)
    await store.claim(question("q1"), None)
    await store.write_changes([Change("q1", 1, draft=Draft(Phase.DONE, "x"), closed=True)])
    clock[0] += 31 * DAY
    assert await store.prune(30 * DAY) == 0
    assert await store.claim(question("q1"), None) is Claim.DUPLICATE


async def test_pruning_deletes_nothing_when_the_clock_is_ahead_of_the_server(
    postgres: Server,
) -> None:
    async with postgres.fresh() as url, open_database(url, timeout_seconds=PATIENCE) as database:
        await database.migrate()
        async with Store(database, replica="one") as store:
            await store.claim(question("q1"), None)
            await store.write_changes([Change("q1", 1, draft=Draft(Phase.DONE, "x"), closed=True)])

        def ahead() -> float:
            return steady_wall_clock()() + 31 * DAY

        async with Store(database, replica="two", now=ahead, steady_now=ahead) as other:
            assert await other.prune(30 * DAY) == 0
            assert await other.claim(question("q1"), None) is Claim.DUPLICATE


def test_steady_clock_continues_from_the_time_of_day() -> None:
    clock = steady_wall_clock(lambda: WALL)
    before = since_boot()
    assert WALL <= clock() <= WALL + since_boot() - before + 60


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("phase", "'thinking_aloud'"),
        ("question", "'{}'"),
        ("question", "'no json'"),
        ("files", "'[1]'"),
    ],
)
async def test_turn_of_a_newer_version_is_skipped(
    stores: Stores, column: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "bot")
    dead, store = await stores("dead"), await stores("one")
    name = f"newer-{uuid4().hex}"  # it is said once a turn and process
    for one in (name, "older"):
        await dead.claim(question(one), None)

    def newer(connection: Connection) -> None:
        connection.execute(
            text(f"UPDATE turns SET {column} = {value} WHERE id = :of"), {"of": name}
        )

    await store._database.write(newer)  # no method of ours writes such a row
    for _ in range(3):
        [found] = await store.get_unfinished_turns("dead")
    assert found.question.id == "older"
    assert await store.take_over(name, 1, count_crash=True) is None
    assert await store.get_turn(name) is None
    assert await store.take_over("older", 1, count_crash=True)
    assert name in set(await _owned(store, "dead"))
    lines = [r for r in caplog.records if getattr(r, "turn", "") == name]
    assert len(lines) == 1


async def _owned(store: Store, replica: str) -> list[str]:
    query = text("SELECT id FROM turns WHERE owner = :of")
    return await store._database.read(  # what is not read by any method of ours
        lambda connection: list(connection.execute(query, {"of": replica}).scalars())
    )
