"""Process locks: a dead process is found at once, a living one never."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.storage.engine.database import Database, open_database
from bot.storage.process_locks import ProcessLocks
from bot.storage.store import Store
from tests.unit.storage.conftest import PATIENCE, Stores

HOLDS = """
import sys
from bot.storage.process_locks import ProcessLocks
locks = ProcessLocks(sys.argv[1])
locks.acquire(sys.argv[2])
print("held", flush=True)
sys.stdin.readline()
locks.release()
"""


@contextmanager
def process(path: Path, replica: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds its lock until it is killed or reads a line."""
    command = [sys.executable, "-c", HOLDS, str(path), replica]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder
        finally:
            holder.kill()


def locks(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*-replica-*"))


def test_process_lock_finds_a_process_dead_only_after_it_was_killed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bot.db"
    seen = ProcessLocks(str(path))
    with process(path, "one") as one, process(path, "two") as two:
        assert seen.find_dead(["one", "two", "unknown"]) == set()
        one.kill()
        one.wait()
        os.kill(two.pid, signal.SIGSTOP)
        assert seen.find_dead(["one", "two"]) == {"one"}
        assert seen.find_dead(["one", "two"]) == {"one"}, "who looks takes nothing away"
    seen.remove("one")
    assert seen.find_dead(["one"]) == set()


def test_process_lock_is_removed_by_an_orderly_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bot.db"
    with process(path, "one") as one:
        one.communicate(b"\n")
        assert one.returncode == 0
    assert ProcessLocks(str(path)).find_dead(["one"]) == set()
    assert list(tmp_path.iterdir()) == []


def test_process_lock_without_a_file_finds_nobody_dead(tmp_path: Path) -> None:
    for path in (None, str(tmp_path / "no folder" / "bot.db")):
        process_locks = ProcessLocks(path)
        process_locks.acquire("one")
        assert ProcessLocks(path).find_dead(["one"]) == set()
        process_locks.release()
        process_locks.remove("one")


async def test_store_holds_its_process_lock_while_it_is_open(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    async with (
        open_database(url, timeout_seconds=PATIENCE) as database,
        open_database(url, timeout_seconds=PATIENCE) as other,
    ):
        async with Store(database, replica="one"):
            assert locks(tmp_path) == ["bot.db-replica-one"]
            assert await Store(other, replica="two").find_dead_replicas(["one", "two"]) == set()
        assert locks(tmp_path) == []


async def test_process_lock_of_a_dead_replica_is_removed_with_it(
    tmp_path: Path, stores: Stores, database: Database
) -> None:
    store = await stores("one")
    if database.dialect != "sqlite":
        assert await store.find_dead_replicas(["gone"]) == set()
        return
    with process(tmp_path / "bot.db", "gone") as gone:
        gone.kill()
        gone.wait()
    assert await store.find_dead_replicas(["gone"]) == {"gone"}
    await store.remove_replica("gone")
    assert await store.find_dead_replicas(["gone"]) == set()
