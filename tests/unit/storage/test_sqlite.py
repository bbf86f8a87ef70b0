"""Transactions on a SQLite file that is locked, full or read-only, and callers that time out."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.errors import CommitUnknown, StorageError, StorageUnavailable
from bot.storage.engine.database import Database, open_database
from bot.storage.rate_slots import SharedRateSlots
from bot.storage.records import Change, Claim
from bot.storage.store import Store
from bot.values import Draft, Phase
from tests.unit.storage.conftest import PATIENCE, Stores
from tests.unit.storage.disks import fill, small_disk, unprivileged
from tests.unit.storage.questions import question


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "bot.db"


@pytest.fixture
def url(file: Path) -> str:
    """Only SQLite here."""
    return f"sqlite:///{file}"


@contextmanager
def locked(file: Path) -> Iterator[sqlite3.Connection]:
    """Another process writes."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def test_sqlite_write_waits_for_the_lock_of_another_process(
    file: Path, stores: Stores
) -> None:
    store = await stores("one")
    with locked(file) as other:
        claiming = asyncio.create_task(store.claim(question("Q1"), None))
        assert await store.get_turn("Q1") is None, "reading does not wait"
        asyncio.get_running_loop().call_later(0.1, other.execute, "COMMIT")
        assert await claiming is Claim.CLAIMED


async def test_sqlite_write_times_out_on_a_locked_file_and_succeeds_once_it_is_free(
    file: Path, url: str, database: Database
) -> None:
    async with open_database(url, timeout_seconds=0.3) as impatient:
        store = Store(impatient, replica="one")
        with locked(file):
            begun = time.monotonic()
            with pytest.raises(StorageUnavailable, match=r"locked|no answer") as caught:
                await store.claim(question("Q1"), None)
            assert time.monotonic() - begun < 1.5
            assert not isinstance(caught.value, CommitUnknown)
            assert not await impatient.is_ready()
            with pytest.raises(StorageUnavailable):
                await asyncio.gather(*(store.heartbeat() for _ in range(5)))
        impatient.timeout_seconds = PATIENCE
        assert await store.claim(question("Q1"), None) is Claim.CLAIMED
        assert await impatient.is_ready()


async def test_sqlite_file_that_is_locked_is_a_transient_error(
    file: Path, url: str, tmp_path: Path
) -> None:
    async with open_database(url, timeout_seconds=0.05) as database:
        with locked(file), pytest.raises(StorageUnavailable, match="locked"):
            await database.check_writable()
    async with open_database(f"sqlite:///{tmp_path}/none/bot.db") as database:
        with pytest.raises(StorageError) as caught:
            await database.check_writable()
        assert not isinstance(caught.value, StorageUnavailable)


async def test_best_effort_write_that_fails_leaves_readiness_as_it_is(
    file: Path, database: Database
) -> None:
    slots = SharedRateSlots(database, replica="one")
    with locked(file), pytest.raises(StorageUnavailable):
        await slots.acquire("a", 1, 60)
    assert await database.is_ready()


async def test_sqlite_write_that_timed_out_is_not_committed_later(
    file: Path, stores: Stores
) -> None:
    store = await stores("one")
    await store.claim(question("Q0"), None)
    half = Draft(Phase.STREAMING, "Beca")
    with locked(file):
        given_up = [
            asyncio.create_task(store.write_changes([Change("Q0", 1, half)])),
            asyncio.create_task(store.claim(question("Q1"), None)),
        ]
        await asyncio.sleep(0.05)  # the first waits for the file, the other one for the first
        for task in given_up:
            task.cancel()
        await asyncio.wait(given_up)
    await store.release([])  # comes after them, whatever becomes of them
    found = await store.get_turn("Q0")
    assert found is not None
    assert found.draft.text == ""
    assert await store.get_turn("Q1") is None
    assert await store.claim(question("Q1"), None) is Claim.CLAIMED


async def test_sqlite_write_cancelled_at_any_moment_leaves_no_lock(
    file: Path, stores: Stores
) -> None:
    store = await stores("one")
    cancelled = []
    for n in range(40):
        claiming = asyncio.create_task(store.claim(question(f"Q{n}"), None))
        await asyncio.sleep(n * 0.00005)
        claiming.cancel()
        await asyncio.wait({claiming})
        cancelled.append(claiming.cancelled())
    with locked(file):
        pass
    assert any(cancelled)
    for n in range(40):
        expected = Claim.CLAIMED if cancelled[n] else Claim.DUPLICATE
        assert await store.claim(question(f"Q{n}"), None) is expected


async def test_full_disk_fails_writes_until_there_is_space_again(tmp_path: Path) -> None:
    with small_disk(tmp_path, 512) as disk:
        async with open_database(f"sqlite:///{disk}/bot.db") as database:
            await database.migrate()
            store = Store(database, replica="one")
            await store.claim(question("Q1"), None)
            filler = fill(disk)
            text = Draft(Phase.STREAMING, "word " * 20_000)
            with pytest.raises(StorageUnavailable, match=r"disk is full|disk I/O error"):
                await store.write_changes([Change("Q1", 1, text)])
            assert not await database.is_ready()
            assert await store.get_turn("Q1") is not None, "what is there can be read"
            filler.unlink()
            await store.write_changes([Change("Q1", 1, text)])
            assert await database.is_ready()
            found = await store.get_turn("Q1")
            assert found is not None
            assert found.draft == text


@pytest.mark.parametrize("existing", [False, True])
async def test_full_disk_at_start_is_a_transient_error(tmp_path: Path, existing: bool) -> None:
    """Whoever starts the bot tries again, and finds room some time."""
    with small_disk(tmp_path, 512) as disk:
        url = f"sqlite:///{disk}/bot.db"
        if existing:
            async with open_database(url) as database:
                await database.migrate()
        filler = fill(disk)
        async with open_database(url) as database:
            with pytest.raises(StorageUnavailable, match=r"can't be written .* has room"):
                await database.check_writable()
            filler.unlink()
            await database.check_writable()


async def test_read_only_file_fails_writes_until_it_is_writable() -> None:
    with TemporaryDirectory() as name:  # pytest's own are open to one user only
        folder, file = Path(name), Path(name) / "bot.db"
        url = f"sqlite:///{file}"
        async with open_database(url) as database:
            await database.migrate()
        with unprivileged(folder):
            await _is_told_and_used_again(url, file)


async def _is_told_and_used_again(url: str, file: Path) -> None:
    await asyncio.to_thread(file.chmod, 0o444)
    async with open_database(url) as database:
        with pytest.raises(StorageError, match=r"readonly .* write it and all files named"):
            await database.check_writable()
        store = Store(database, replica="one")
        with pytest.raises(StorageUnavailable, match="readonly"):
            await store.claim(question("Q1"), None)
        assert not await database.is_ready()
        for part in file.parent.glob("bot.db*"):
            part.chmod(0o644)
        assert await store.claim(question("Q1"), None) is Claim.CLAIMED
        assert await database.is_ready()


async def test_sqlite_commit_survives_kill_9(file: Path, stores: Stores, tmp_path: Path) -> None:
    """The file and its log as they are now are all that is left after `kill -9`."""
    store = await stores("one")
    await store.claim(question("Q1"), None)
    left = tmp_path / "left"
    left.mkdir()
    for part in ("bot.db", "bot.db-wal"):
        (left / part).write_bytes((tmp_path / part).read_bytes())
    async with open_database(f"sqlite:///{left}/bot.db") as database:
        found = await Store(database, replica="two").get_turn("Q1")
        assert found is not None
        assert found.owner == "one"


async def test_deleted_text_is_overwritten_in_the_sqlite_file(file: Path, stores: Stores) -> None:
    store = await stores("one", store_text=False)
    await store.claim(question("Q1", text="a secret of ours"), None)
    await store.write_changes([Change("Q1", 1, Draft(Phase.DONE, "another secret"), closed=True)])
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"secret" not in await asyncio.to_thread(file.read_bytes)


async def test_database_in_memory_works_while_it_is_open() -> None:
    async with open_database("sqlite://") as database:
        await database.check_writable()
        await database.migrate()
        store = Store(database, replica="one")
        assert await store.claim(question("Q1"), None) is Claim.CLAIMED
        assert await store.get_turn("Q1") is not None
