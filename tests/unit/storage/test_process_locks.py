"""Processes that share a SQLite file know who of them has died, and take nobody alive for dead."""

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
from tests.unit.storage.conftest import Stores

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
    """A process that shows it lives, until it is killed or hears a line."""
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


def test_a_process_is_known_to_be_dead_when_it_was_killed_and_not_while_it_lives(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bot.db"
    seen = ProcessLocks(str(path))
    with process(path, "one") as one, process(path, "two") as two:
        assert seen.find_dead(["one", "two", "never heard of"]) == set()
        one.kill()
        one.wait()
        os.kill(two.pid, signal.SIGSTOP)
        assert seen.find_dead(["one", "two"]) == {"one"}
        assert seen.find_dead(["one", "two"]) == {"one"}, "who looks takes nothing away"
    seen.remove("one")
    assert seen.find_dead(["one"]) == set()


def test_a_process_that_ended_in_order_is_not_called_dead_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bot.db"
    with process(path, "one") as one:
        one.communicate(b"\n")
        assert one.returncode == 0
    assert ProcessLocks(str(path)).find_dead(["one"]) == set()
    assert list(tmp_path.iterdir()) == []


def test_without_a_file_or_a_place_for_one_nothing_is_known(tmp_path: Path) -> None:
    for path in (None, str(tmp_path / "no folder" / "bot.db")):
        presence = ProcessLocks(path)
        presence.acquire("one")
        assert ProcessLocks(path).find_dead(["one"]) == set()
        presence.release()
        presence.remove("one")


async def test_a_replica_shows_that_it_lives_while_its_store_is_open(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bot.db"
    async with open_database(url) as database, open_database(url) as other:
        async with Store(database, replica="one"):
            assert locks(tmp_path) == ["bot.db-replica-one"]
            assert await Store(other, replica="two").find_dead_replicas(["one", "two"]) == set()
        assert locks(tmp_path) == []


async def test_what_a_dead_replica_left_is_removed_when_it_is_forgotten(
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
