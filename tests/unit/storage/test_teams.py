"""Two teams on one database: neither sees, takes over or deletes the turns of the other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, text

from bot.listeners.payloads.addressing import BotIdentifiers
from bot.listeners.payloads.questions import parse_mention
from bot.storage import migrating
from bot.storage.engine.database import Database, open_database
from bot.storage.records import Claim, TurnCommand
from bot.storage.store import Store
from bot.turn.thread_queue import ordering_thread_key
from bot.values import Place, Question
from tests.unit.storage.conftest import PATIENCE, Stores
from tests.unit.storage.questions import PLACE, close_turn, question

OTHER_PLACE = Place("T2", "C1", "channel", "1.0")


def question_of_other_team(name: str, *keys: str) -> Question:
    return replace(question(name, *keys), place=OTHER_PLACE)


async def test_turns_of_a_team_are_found_by_its_own_replicas_only(stores: Stores) -> None:
    same_team, other_team = await stores("a", team="T1"), await stores("b", team="T2")
    again = await stores("c", team="T1")
    assert await same_team.claim(question("Q1"), "T1:C1:1.0") is Claim.CLAIMED
    assert await other_team.claim(question_of_other_team("Q2"), "T2:C1:1.0") is Claim.CLAIMED
    for store in (same_team, other_team):
        await store.heartbeat()

    assert await again.get_owners() == {"a"}
    assert set(await again.get_heartbeats()) == {"a"}
    assert await again.get_unfinished_turns("b") == []
    assert await again.take_over("Q2", 1, count_crash=True) is None
    assert (await again.get_turn("Q2"), await again.get_live_turn("T2:C1:1.0")) == (None, None)
    assert not await again.send_command(TurnCommand("Q2", "U1"))
    assert await again.request_removal("event:Q2", "2.0") == []
    assert await again.take_over("Q1", 1, count_crash=True) is not None


async def test_released_turns_are_taken_over_by_their_own_team_only(stores: Stores) -> None:
    same_team, other_team = await stores("a", team="T1"), await stores("b", team="T2")
    await same_team.claim(question("Q1"), None)
    await same_team.release(["Q1"])
    assert await other_team.get_unfinished_turns(None) == []
    [left] = await same_team.get_unfinished_turns(None)
    assert (left.question.id, left.team) == ("Q1", "T1")


async def test_pruning_keeps_the_old_turns_of_another_team(stores: Stores) -> None:
    same_team = await stores("a", team="T1", now=lambda: 100.0)
    await same_team.claim(question("Q1"), None)
    await close_turn(same_team, "Q1")
    other_team = await stores("b", team="T2", now=lambda: 10_000.0)
    assert await other_team.prune(10.0) == 0
    assert await same_team.get_turn("Q1") is not None
    late = await stores("c", team="T1", now=lambda: 10_000.0)
    assert await late.prune(10.0) == 1


def body(team: str, event_id: str = "Ev1") -> dict[str, Any]:
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.0", "text": "<@UBOT> a"}
    return {"team_id": team, "event_id": event_id, "event": event}


async def test_message_in_a_shared_channel_is_a_question_to_each_team(
    stores: Stores,
) -> None:
    us = BotIdentifiers("UBOT", "BBOT")
    for team in ("T1", "T2"):
        store = await stores(team, team=team)
        asked = parse_mention(body(team), us)
        assert asked is not None
        assert await store.claim(asked, ordering_thread_key(asked)) is Claim.CLAIMED
        assert await store.claim(asked, ordering_thread_key(asked)) is Claim.DUPLICATE
        assert [one.question.id for one in await store.get_unfinished_turns(team)] == [asked.id]


# What a process of the version before wrote: it knows neither the column nor our keys.
_CLAIMED = "INSERT INTO claims VALUES ('event:T1:Ev1', 'Q1', {now})"
_ASKED = (
    "INSERT INTO turns (id, thread, state, owner, fence, tries, asked_at, question, text, files,"
    " phase, draft, note, response_id, irreversible, sending) VALUES ('Q1', 'T1:C1:1.0', 'live',"
    " 'old', 1, 0, {now}, '{question}', 'why?', '[]', 'asking', '', '', '', {no}, {no})"
)
_QUESTION = (
    '{"id": "Q1", "keys": ["event:T1:Ev1"], "place": {"team": "T1", "channel": "C1",'
    ' "surface": "channel", "thread_ts": "1.0"}, "user": "U1", "text": "", "ts": "1.0"}'
)
_BEAT = "INSERT INTO replicas (id, beat) VALUES ('old', 3)"


def _older(connection: Connection) -> None:
    no = "false" if connection.dialect.name == "postgresql" else "0"
    for statement in (_CLAIMED, _ASKED, _BEAT):
        filled = statement.replace("{question}", _QUESTION).replace("{no}", no)
        connection.exec_driver_sql(filled.replace("{now}", "1.0"))


async def test_claim_of_an_older_version_makes_ours_a_duplicate(
    database: Database, stores: Stores
) -> None:
    await database.write(_older)
    new = await stores("new", team="T1")
    asked = parse_mention(body("T1"), BotIdentifiers("UBOT", "BBOT"))
    assert asked is not None
    assert await new.claim(asked, ordering_thread_key(asked)) is Claim.DUPLICATE


async def test_turn_of_an_older_version_is_taken_over_by_its_own_team(
    database: Database, stores: Stores
) -> None:
    await database.write(_older)
    other_team, same_team = await stores("b", team="T2"), await stores("a", team="T1")
    assert await other_team.get_unfinished_turns("old") == []
    assert set(await same_team.get_heartbeats()) == {"old"}
    [left] = await same_team.get_unfinished_turns("old")
    assert (left.question.place, left.team, left.question.unreadable) == (PLACE, "", ())
    assert await same_team.take_over("Q1", 1, count_crash=True) is not None


async def test_migration_leaves_older_replicas_running(url: str) -> None:
    async with open_database(url, timeout_seconds=PATIENCE) as database:
        await database.write(partial(migrating.upgrade, revision="r4"))
        await database.write(_older)
        await database.migrate()
        beat = text("UPDATE replicas SET beat = beat + 1 WHERE id = 'old'")
        await database.write(lambda connection: connection.execute(beat))
        assert await Store(database, replica="new", team="T1").get_heartbeats() == {"old": 4}


@pytest.mark.parametrize("store_text", [True, False])
async def test_names_of_unreadable_parts_are_deleted_with_the_text(
    stores: Stores, store_text: bool
) -> None:
    store = await stores("a", store_text=store_text)
    asked = replace(question("Q1"), unreadable=("secret.pdf (PDF)",))
    await store.claim(asked, None)
    [record] = await store.get_unfinished_turns("a")
    assert record.question == asked
    await close_turn(store, "Q1")
    record_after = await store.get_turn("Q1")
    assert record_after is not None
    assert record_after.question.unreadable == (asked.unreadable if store_text else ())
