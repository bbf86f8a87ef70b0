"""Stored summaries: written only over what they were begun with, and erased by changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.storage.engine.database import Database, open_database
from bot.storage.records import ThreadSummary
from bot.storage.store import Store
from bot.storage.thread_summaries import ThreadSummaries
from tests.unit.storage.conftest import PATIENCE
from tests.unit.storage.test_retention import file_contents

DAY = 24 * 3600.0
SECRET = "a very private summary"
COVERED: dict[str, Any] = {
    "covered_from": "1.0",
    "covered_to": "5.0",
    "message_count": 4,
    "digest": "d",
}


@pytest.fixture
def summaries(database: Database) -> ThreadSummaries:
    return ThreadSummaries(database, team="T1", now=lambda: 100.0)


async def make(summaries: ThreadSummaries, thread: str = "1.0", text: str = "short") -> None:
    begun = await summaries.begin("C1", thread)
    assert await summaries.save("C1", thread, replace(begun, text=text, model="m", **COVERED))


async def test_saved_summary_is_read_with_all_it_covers(summaries: ThreadSummaries) -> None:
    assert await summaries.get("C1", "1.0") is None
    assert await summaries.begin("C1", "1.0") == ThreadSummary(1, begun_at=100.0)
    await make(summaries)
    assert await summaries.get("C1", "1.0") == ThreadSummary(
        2, "short", "1.0", "5.0", 4, "d", "m", 100.0
    )
    assert await summaries.get("C1", "2.0") is None


async def test_only_one_of_two_replicas_saves_what_both_began(database: Database) -> None:
    ours, theirs = (ThreadSummaries(database, team="T1") for _ in range(2))
    begun = await asyncio.gather(ours.begin("C1", "1.0"), theirs.begin("C1", "1.0"))
    assert begun[0].version == begun[1].version
    saved = await asyncio.gather(
        ours.save("C1", "1.0", replace(begun[0], text="ours")),
        theirs.save("C1", "1.0", replace(begun[1], text="theirs")),
    )
    assert sorted(saved) == [False, True]
    found = await ours.get("C1", "1.0")
    assert found is not None
    assert found.text == ("ours" if saved[0] else "theirs")


@pytest.mark.parametrize(
    ("ts", "thread", "erased"),
    [
        ("3.0", "1.0", True),
        ("1.0", "1.0", True),
        ("5.0", "1.0", True),
        ("3.0", None, True),
        ("6.0", "1.0", False),
        ("3.0", "2.0", False),
    ],
)
async def test_changed_message_erases_the_summary_that_covers_it(
    summaries: ThreadSummaries, ts: str, thread: str | None, erased: bool
) -> None:
    await make(summaries)
    assert await summaries.message_changed("C1", ts, thread) == erased
    found = await summaries.get("C1", "1.0")
    assert found is not None
    assert (found.text, found.covered_to) == (("", "") if erased else ("short", "5.0"))


async def test_changed_message_of_a_thread_erases_the_summary_of_the_direct_message(
    summaries: ThreadSummaries,
) -> None:
    await make(summaries, thread="")
    assert await summaries.message_changed("C1", "3.0", "2.0") == 1


@pytest.mark.parametrize("ts", ["3.0", "9.0"])
async def test_summary_is_not_saved_if_a_message_changed_since_it_was_begun(
    summaries: ThreadSummaries, ts: str
) -> None:
    begun = await summaries.begin("C1", "1.0")
    await summaries.message_changed("C1", ts, "1.0")
    assert not await summaries.save("C1", "1.0", replace(begun, text="old words", **COVERED))
    found = await summaries.get("C1", "1.0")
    assert found is not None
    assert found.text == ""


async def test_erasing_leaves_a_newer_summary_alone(summaries: ThreadSummaries) -> None:
    await make(summaries)
    await summaries.erase("C1", "1.0", version=1)
    found = await summaries.get("C1", "1.0")
    assert found is not None
    assert found.text == "short"
    await summaries.erase("C1", "1.0", found.version)
    found = await summaries.get("C1", "1.0")
    assert found is not None
    assert found.text == ""


async def test_teams_do_not_see_each_others_summaries(database: Database) -> None:
    ours = ThreadSummaries(database, team="T1")
    theirs = ThreadSummaries(database, team="T2")
    await make(ours)
    assert await theirs.get("C1", "1.0") is None
    assert await theirs.message_changed("C1", "3.0", None) == 0


async def test_nothing_is_read_without_stored_text_and_changes_still_erase(
    database: Database, summaries: ThreadSummaries
) -> None:
    await make(summaries)
    off = ThreadSummaries(database, team="T1", store_text=False)
    assert not off.is_enabled
    assert await off.get("C1", "1.0") is None
    assert await off.message_changed("C1", "3.0", "1.0") == 1


async def test_text_of_a_summary_may_hold_what_databases_refuse(
    summaries: ThreadSummaries,
) -> None:
    await make(summaries, text="a\0b \ud800")
    found = await summaries.get("C1", "1.0")
    assert found is not None
    assert found.text == "ab ?"


@pytest.mark.parametrize("how", ["old", "changed"])
async def test_deleted_summary_is_in_no_file(tmp_path: Path, how: str) -> None:
    file = tmp_path / "bot.db"
    async with open_database(f"sqlite:///{file}", timeout_seconds=PATIENCE) as database:
        await database.migrate()
        clock = [1_800_000_000.0]
        summaries = ThreadSummaries(database, team="T1", now=lambda: clock[0])
        await make(summaries, text=SECRET * 50)
        async with Store(database, replica="one", team="T1", now=lambda: clock[0]) as store:
            await store.prune(30 * DAY)
            assert await summaries.get("C1", "1.0") is not None
            if how == "old":
                clock[0] += 31 * DAY
                await store.prune(30 * DAY)
                assert await summaries.get("C1", "1.0") is None
            else:
                await summaries.message_changed("C1", "3.0", "1.0")
            assert SECRET.encode() not in file_contents(file)
