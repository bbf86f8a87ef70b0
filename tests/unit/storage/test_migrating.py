"""Migration of databases of every earlier revision, with their data."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from bot.errors import StorageError
from bot.storage import migrating
from bot.storage.engine.database import Database, open_database
from bot.storage.rate_slots import SharedRateSlots
from bot.storage.records import Claim
from bot.storage.store import Store
from bot.storage.tables import metadata
from tests.support.project import ROOT
from tests.unit.storage.conftest import PATIENCE
from tests.unit.storage.questions import question

REVISIONS = migrating.revisions()

# What a bot of each revision had written; a revision that is added adds to it.
WRITTEN: dict[str, list[str]] = {
    "r1": [
        "INSERT INTO turns (id, thread, state, owner, fence, tries, first_tried_at, asked_at,"
        " ended_at, question, text, files, response_url, phase, draft, note, response_id,"
        " irreversible, sending) VALUES ('Q1', 't', 'live', 'gone', 2, 1, 5.0, 1.0, NULL,"
        " '{question}', 'why?', '[]', NULL, 'streaming', 'Beca', '', 'resp_1', {no}, {no})",
        "INSERT INTO shown VALUES ('Q1', 0, '1.1', 'C1', 'edit')",
        "INSERT INTO claims VALUES ('a', 'Q1', 1.0)",
        "INSERT INTO replicas (id, beat) VALUES ('gone', 7)",
        "INSERT INTO wishes (turn, person, kind) VALUES ('Q1', 'U1', 'stop')",
    ],
    "r2": ["INSERT INTO slots VALUES ('k', 0, 'gone', 1.0, 60.0)"],
    "r3": ["UPDATE wishes SET response_url = 'https://hooks.slack.com/x'"],
    "r4": ["UPDATE turns SET cursor = '7 0 0 4'"],
    "r5": ["UPDATE turns SET rounds = '{}', model = 'm', input_tokens = 3, output_tokens = 7"],
    "r6": ["UPDATE turns SET team = 'T1'", "UPDATE replicas SET team = 'T1'"],
    "r7": ["UPDATE turns SET spent_seconds = 12.5, spent_events = 7"],
    "r8": [
        "INSERT INTO channel_settings VALUES ('T1', 'C1', 'follow_ups', 'on', 'U1', 1.0)",
        "INSERT INTO thread_modes VALUES ('T1:C1:1.0', 'T1', 'mentions', 'U1', 1.0)",
    ],
    "r9": ["UPDATE turns SET mentioned = {no}"],
    "r10": [
        "INSERT INTO thread_summaries VALUES ('T1', 'C1', '1.0', 1, '1.0', '2.0', 1, 'd', 'short',"
        " 'm', 3.0, 4.0)"
    ],
    "r11": [
        "UPDATE turns SET version = '1.0.0'",
        "INSERT INTO feedback (team, turn, person, sign, voted_at, reason, words, model, version)"
        " VALUES ('T1', 'Q1', 'U1', 'bad', 3.0, 'wrong', 'It is 1912.', 'm', '1.0.0')",
    ],
    "r12": ["UPDATE turns SET about = NULL"],
    "r13": [
        "UPDATE turns SET shows = 'Q0', earlier ="
        """ '{"phase": "done", "text": "Old.", "status_line": ""}'"""
    ],
}
QUESTION = (
    '{"id": "Q1", "keys": ["a"], "place": {"team": "T1", "channel": "C1", "surface": "channel",'
    ' "thread_ts": "1.0"}, "user": "U1", "text": "", "ts": "2.0"}'
)


def as_of(revision: str, connection: Connection) -> None:
    """The database of a bot of that revision, in use."""
    migrating.upgrade(connection, revision)
    no = "false" if connection.dialect.name == "postgresql" else "0"
    for done in REVISIONS[: REVISIONS.index(revision) + 1]:
        for statement in WRITTEN[done]:
            filled = statement.replace("{question}", QUESTION).replace("{no}", no)
            connection.exec_driver_sql(filled)


@pytest.fixture
def database() -> None:
    """None is made in advance here."""


@pytest.mark.parametrize("revision", REVISIONS)
async def test_migration_keeps_the_data_of_every_earlier_revision(url: str, revision: str) -> None:
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        await database.write(partial(as_of, revision))
        await database.migrate()
        store = Store(database, replica="one", team="T1")

        [turn] = await store.get_unfinished_turns("gone")
        assert (turn.question, turn.draft.text) == (question("Q1", "a"), "Beca")
        assert (turn.fence, turn.crash_count, turn.response_id) == (2, 1, "resp_1")
        assert [message.ts for message in turn.messages] == ["1.1"]
        assert await store.get_heartbeats() == {"gone": 7}
        assert await store.claim(question("Q2", "a"), None) is Claim.DUPLICATE
        assert await store.take_over("Q1", 2, count_crash=True) is not None
        assert [command.user for command in await store.receive_commands()] == ["U1"]
        assert (
            await SharedRateSlots(database, replica="one", timeout_seconds=PATIENCE).acquire(
                "k", 1, 60
            )
            == 0.0
        )


async def test_migrated_tables_match_the_definitions_of_the_code(url: str) -> None:
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        await database.migrate()
        assert await database.read(_differences) == []


def _differences(connection: Connection) -> Any:
    return compare_metadata(MigrationContext.configure(connection), metadata)


async def test_migration_by_several_replicas_at_once_runs_once(url: str) -> None:
    databases = [open_database(url, timeout_seconds=PATIENCE) for _ in range(4)]

    async def start(number: int) -> None:
        async with databases[number] as database:
            if number == 0:
                await database.write(partial(as_of, REVISIONS[0]))
            await database.migrate()
            await Store(database, replica=f"r{number}").heartbeat()

    await start(0)
    await asyncio.gather(*(start(number) for number in range(1, 4)))
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        assert len(await Store(database, replica="new").get_heartbeats()) == 5
        assert await _rows(database, "alembic_version") == [(REVISIONS[-1],)]


async def test_migration_of_an_empty_database_by_two_processes_runs_once(url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from bot.storage.engine.database import open_database\n"
        "async def main():\n"
        "    async with open_database(sys.argv[1]) as database:\n"
        "        await database.migrate()\n"
        "asyncio.run(main())\n"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, url), cwd=ROOT, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        assert await _rows(database, "alembic_version") == [(REVISIONS[-1],)]


async def test_migration_that_fails_changes_nothing(url: str) -> None:
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        await database.write(partial(as_of, REVISIONS[0]))
        await database.write(lambda c: c.execute(text("CREATE TABLE slots (in_the_way TEXT)")))
        with pytest.raises(StorageError, match=r"can't be written .*slots"):
            await database.migrate()
        assert await _rows(database, "alembic_version") == [(REVISIONS[0],)]
        await database.write(lambda c: c.execute(text("DROP TABLE slots")))
        await database.migrate()
        assert await _rows(database, "slots") == []


async def test_migration_refuses_a_database_of_a_newer_version(url: str) -> None:
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        await database.migrate()
        newer = text("UPDATE alembic_version SET version_num = 'r999'")
        await database.write(lambda connection: connection.execute(newer))
        with pytest.raises(StorageError, match="newer version of the bot"):
            await database.migrate()


def test_migration_tests_have_data_of_every_revision() -> None:
    assert list(WRITTEN) == REVISIONS


def test_migrations_are_part_of_the_wheel(tmp_path: Path) -> None:
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    ended = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    folder = ROOT / "bot/storage/migrations"
    ours = {str(path.relative_to(ROOT)) for path in folder.rglob("*.py")}
    assert len(ours) >= 2 + len(REVISIONS)
    assert ours <= names


async def _rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    found = text(f"SELECT * FROM {table}")
    return await database.read(lambda c: [tuple(row) for row in c.execute(found)])


def test_newest_revision_is_the_last_one() -> None:
    assert REVISIONS[-1] == migrating.NEWEST
