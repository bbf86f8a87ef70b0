"""What the database knows of a thread, from turns as the store writes them."""

from __future__ import annotations

from sqlalchemy import Connection, text

from bot.storage.engine.database import Database
from bot.storage.records import Change, ShownMessage, ThreadActivity
from bot.storage.store import Store
from bot.storage.thread_activity import Threads
from bot.values import REMOVED_DRAFT, Draft, Phase, message_key
from tests.unit.storage.conftest import Stores
from tests.unit.storage.questions import question

THREAD, ROOT_KEY = "T1:C1:1.0", message_key("T1", "C1", "1.0")
SHOWN = (ShownMessage("3.0", "C1"),)
DONE = Draft(Phase.DONE, "Because.")


async def answer(store: Store, turn: str, thread: str | None = THREAD) -> None:
    """Claim a question, show its answer and close its turn."""
    await store.claim(question(turn), thread)
    await store.write_changes([Change(turn, 1, DONE, messages=SHOWN, closed=True)])


async def activity(database: Database) -> ThreadActivity:
    return await Threads(database, "T1").get_activity(THREAD, ROOT_KEY)


async def test_thread_without_turns_is_not_answered(database: Database) -> None:
    assert await activity(database) == ThreadActivity()


async def test_thread_is_active_from_the_claim_on(database: Database, stores: Stores) -> None:
    store = await stores("one", team="T1")
    await store.claim(question("Q1"), THREAD)

    assert await activity(database) == ThreadActivity(answered=True, is_active=True)


async def test_thread_has_the_end_of_its_newest_answer(database: Database, stores: Stores) -> None:
    clock = [100.0]
    store = await stores("one", team="T1", now=lambda: clock[0])
    await answer(store, "Q1")
    clock[0] = 200.0
    await answer(store, "Q2")

    assert await activity(database) == ThreadActivity(answered=True, ended_at=200.0)


async def test_thread_is_not_answered_by_words_that_got_no_answer(
    database: Database, stores: Stores
) -> None:
    store = await stores("one", team="T1")
    await store.claim(question("Q1"), THREAD, REMOVED_DRAFT)
    await store.claim(question("Q2", ROOT_KEY), None, Draft(Phase.DONE))

    assert await activity(database) == ThreadActivity()


async def test_thread_that_begins_with_a_question_without_words_is_answered(
    database: Database, stores: Stores
) -> None:
    store = await stores("one", team="T1")
    await store.claim(question("Q1", ROOT_KEY, text=""), None)
    assert (await activity(database)).is_active

    await store.write_changes([Change("Q1", 1, DONE, messages=SHOWN, closed=True)])
    found = await activity(database)
    assert (found.answered, found.is_active) == (True, False)


async def test_thread_of_another_channel_or_team_is_another_thread(
    database: Database, stores: Stores
) -> None:
    store = await stores("one", team="T1")
    await answer(store, "Q1", "T1:C2:1.0")
    await answer(store, "Q2", "T2:C1:1.0")

    assert await activity(database) == ThreadActivity()


async def test_thread_mode_is_the_one_that_was_said_last_in_any_order_of_delivery(
    database: Database,
) -> None:
    threads = Threads(database, "T1")
    await threads.set_mode(THREAD, "mentions", "U1", 10.0)
    assert (await activity(database)).mode == "mentions"
    await threads.set_mode(THREAD, "follow", "U2", 20.0)
    await threads.set_mode(THREAD, "mentions", "U1", 10.0)

    found = await activity(database)
    assert (found.mode, found.mode_set_at) == ("follow", 20.0)


async def test_thread_mode_is_kept_while_the_thread_has_turns(
    database: Database, stores: Stores
) -> None:
    clock = [100.0]
    store = await stores("one", team="T1", now=lambda: clock[0])
    threads = Threads(database, "T1")
    await answer(store, "Q1")
    await threads.set_mode(THREAD, "mentions", "U1", 10.0)
    await threads.set_mode("T1:C1:5.0", "mentions", "U1", 10.0)
    await Threads(database, "T2").set_mode("T2:C1:5.0", "mentions", "U1", 10.0)
    await store.prune(60.0)
    assert await modes(database) == [THREAD, "T2:C1:5.0"]

    clock[0] = 200.0
    await store.prune(60.0)
    assert await modes(database) == ["T2:C1:5.0"]


async def modes(database: Database) -> list[str]:
    found = text("SELECT thread FROM thread_modes ORDER BY thread")
    return await database.read(lambda c: list(c.execute(found).scalars()))


async def test_turns_of_a_thread_are_found_by_an_index(database: Database) -> None:
    if database.dialect != "sqlite":
        return

    def plan(connection: Connection) -> str:
        seen = "EXPLAIN QUERY PLAN SELECT state FROM turns WHERE thread = 't' ORDER BY asked_at"
        return " ".join(str(row) for row in connection.execute(text(seen)))

    assert "turns_of_thread" in await database.read(plan)
