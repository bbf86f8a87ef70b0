"""Replicas that know of each other: beats, wishes, and who is stirred by what."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from bot.storage.engine.database import Database
from bot.storage.records import TurnCommand
from bot.storage.retention import CLAIM_RETENTION_SECONDS
from bot.storage.store import Store
from bot.storage.tables import turn_commands
from tests.unit.storage.asked import end, question
from tests.unit.storage.conftest import Stores


async def test_a_replica_lives_while_it_beats(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    assert await one.get_heartbeats() == {}
    await one.heartbeat()
    await two.heartbeat()
    await one.heartbeat()
    assert await two.get_heartbeats() == {"one": 2, "two": 1}
    await one.unregister()
    assert await two.get_heartbeats() == {"two": 1}
    await one.remove_replica("two")
    assert await two.get_heartbeats() == {}
    await two.heartbeat()
    assert await one.get_heartbeats() == {"two": 1}


async def test_the_owner_of_a_turn_reads_what_people_want_of_it_once(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    await one.claim(question("Q1"), None)
    assert await two.send_command(TurnCommand("Q1", "U1"))
    assert await two.send_command(TurnCommand("Q1", "U1"))
    assert await two.send_command(TurnCommand("Q1", "U2"))
    assert await two.receive_commands() == []
    assert sorted(await one.receive_commands(), key=lambda wish: wish.user) == [
        TurnCommand("Q1", "U1"),
        TurnCommand("Q1", "U2"),
    ]
    assert await one.receive_commands() == []
    assert await two.send_command(TurnCommand("Q1", "U1"))
    await two.take_over("Q1", 1, count_crash=False)
    assert await one.receive_commands() == []
    assert await two.receive_commands() == [TurnCommand("Q1", "U1")]


async def test_of_one_kind_the_newest_wish_counts(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    await one.claim(question("Q1"), None)
    for number in (1, 2):
        assert await two.send_command(
            TurnCommand("Q1", "U1", "show", f"https://hooks.slack.com/{number}")
        )
    assert await two.send_command(TurnCommand("Q1", "U1", "stop"))
    found = sorted(await one.receive_commands(), key=lambda wish: wish.kind)
    assert found == [
        TurnCommand("Q1", "U1", "show", "https://hooks.slack.com/2"),
        TurnCommand("Q1", "U1"),
    ]
    assert "hooks" not in repr(found)


async def test_of_a_turn_that_is_over_or_unknown_nothing_can_be_wished(stores: Stores) -> None:
    store = await stores("one")
    assert not await store.send_command(TurnCommand("Q1", "U1"))
    await store.claim(question("Q1"), None)
    assert await store.send_command(TurnCommand("Q1", "U1"))
    await end(store, "Q1")
    assert not await store.send_command(TurnCommand("Q1", "U1"))
    assert await store.receive_commands() == []


async def test_wishes_that_came_too_late_are_deleted(stores: Stores, database: Database) -> None:
    store = await stores("one")
    for name in ("Q1", "Q2"):
        await store.claim(question(name), None)
        assert await store.send_command(
            TurnCommand(name, "U1", "show", "https://hooks.slack.com/x")
        )
    await end(store, "Q1")
    await store.prune(CLAIM_RETENTION_SECONDS)
    left = await database.read(lambda c: c.execute(select(turn_commands.c.turn)).scalars().all())
    assert left == ["Q2"]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_whoever_may_have_something_to_do_is_stirred(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    await asyncio.gather(_stirred(one), _stirred(two))  # both listen now
    await one.claim(question("Q1"), "t")
    await two.claim(question("Q2"), "t")

    await one.send_command(TurnCommand("Q2", "U1"))
    await _stirred(two)
    await end(one, "Q1")
    await asyncio.gather(_stirred(one), _stirred(two))
    assert not one.wakeup.is_set(), "the wish was not for it"
    await two.release(["Q2"])
    await _stirred(one)
    await two.send_command(TurnCommand("Q2", "U1"))
    await _stirred(one)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_file_stirs_nobody(stores: Stores) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), None)
    await store.send_command(TurnCommand("Q1", "U1"))
    await store.release(["Q1"])
    assert not store.wakeup.is_set()


async def _stirred(store: Store) -> None:
    async with asyncio.timeout(5):
        await store.wakeup.wait()
    store.wakeup.clear()
