"""The registry of replicas, commands between them, and wake-ups."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from bot.storage.engine.database import Database
from bot.storage.records import TurnCommand
from bot.storage.retention import CLAIM_RETENTION_SECONDS
from bot.storage.store import Store
from bot.storage.tables import turn_commands
from tests.unit.storage.conftest import Stores
from tests.unit.storage.questions import close_turn, question


async def test_replica_is_registered_by_heartbeats_until_it_is_removed(stores: Stores) -> None:
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


async def test_command_is_received_once_by_the_owner_of_its_turn(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    await one.claim(question("Q1"), None)
    assert await two.send_command(TurnCommand("Q1", "U1"))
    assert await two.send_command(TurnCommand("Q1", "U1"))
    assert await two.send_command(TurnCommand("Q1", "U2"))
    assert await two.receive_commands() == []
    assert sorted(await one.receive_commands(), key=lambda command: command.user) == [
        TurnCommand("Q1", "U1"),
        TurnCommand("Q1", "U2"),
    ]
    assert await one.receive_commands() == []
    assert await two.send_command(TurnCommand("Q1", "U1"))
    await two.take_over("Q1", 1, count_crash=False)
    assert await one.receive_commands() == []
    assert await two.receive_commands() == [TurnCommand("Q1", "U1")]


async def test_command_replaces_an_earlier_one_of_the_same_kind(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    await one.claim(question("Q1"), None)
    for number in (1, 2):
        assert await two.send_command(
            TurnCommand("Q1", "U1", "show", f"https://hooks.slack.com/{number}")
        )
    assert await two.send_command(TurnCommand("Q1", "U1", "stop"))
    found = sorted(await one.receive_commands(), key=lambda command: command.kind)
    assert found == [
        TurnCommand("Q1", "U1", "show", "https://hooks.slack.com/2"),
        TurnCommand("Q1", "U1"),
    ]
    assert "hooks" not in repr(found)


async def test_command_to_a_closed_or_unknown_turn_is_refused(stores: Stores) -> None:
    store = await stores("one")
    assert not await store.send_command(TurnCommand("Q1", "U1"))
    await store.claim(question("Q1"), None)
    assert await store.send_command(TurnCommand("Q1", "U1"))
    await close_turn(store, "Q1")
    assert not await store.send_command(TurnCommand("Q1", "U1"))
    assert await store.receive_commands() == []


async def test_commands_of_closed_turns_are_pruned(stores: Stores, database: Database) -> None:
    store = await stores("one")
    for name in ("Q1", "Q2"):
        await store.claim(question(name), None)
        assert await store.send_command(
            TurnCommand(name, "U1", "show", "https://hooks.slack.com/x")
        )
    await close_turn(store, "Q1")
    await store.prune(CLAIM_RETENTION_SECONDS)
    left = await database.read(lambda c: c.execute(select(turn_commands.c.turn)).scalars().all())
    assert left == ["Q2"]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_store_wakes_up_the_replicas_that_may_have_something_to_do(stores: Stores) -> None:
    one, two = await stores("one"), await stores("two")
    await asyncio.gather(_woken_up(one), _woken_up(two))  # both listen now
    await one.claim(question("Q1"), "t")
    await two.claim(question("Q2"), "t")

    await one.send_command(TurnCommand("Q2", "U1"))
    await _woken_up(two)
    await close_turn(one, "Q1")
    await asyncio.gather(_woken_up(one), _woken_up(two))
    assert not one.wakeup.is_set(), "the command was for another replica"
    await two.release(["Q2"])
    await _woken_up(one)
    await two.send_command(TurnCommand("Q2", "U1"))
    await _woken_up(one)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_store_on_sqlite_never_sets_wakeup(stores: Stores) -> None:
    store = await stores("one")
    await store.claim(question("Q1"), None)
    await store.send_command(TurnCommand("Q1", "U1"))
    await store.release(["Q1"])
    assert not store.wakeup.is_set()


async def _woken_up(store: Store) -> None:
    async with asyncio.timeout(5):
        await store.wakeup.wait()
    store.wakeup.clear()
