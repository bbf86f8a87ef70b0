"""What people say of a thread, through Bolt and the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.words import Phrase
from tests.unit.listeners.channel import OTHER_BOT
from tests.unit.listeners.following import Following, following

QUIET, LOUD = "only when mentioned", "follow this thread"


@pytest_asyncio.fixture
async def threads(tmp_path: Path) -> AsyncIterator[Following]:
    """A channel in which follow-ups are on."""
    async with following(tmp_path) as threads:
        yield threads


def told(threads: Following) -> list[tuple[str, str, str | None]]:
    """Who was told what in which thread."""
    calls = threads.channel.ephemeral_messages
    return [(call["user"], call["text"], call.get("thread_ts")) for call in calls]


@pytest.mark.parametrize("mention", ["<@UBOT> ", ""])
async def test_thread_is_quiet_until_somebody_says_otherwise(
    threads: Following, mention: str
) -> None:
    root = await threads.mention()

    assert not await threads.say(mention + QUIET, root, user="U2")
    assert not await threads.say("and in French?", root)
    assert not await threads.say(mention + LOUD, root, user="U3")
    assert await threads.say("and in French?", root)
    assert told(threads) == [
        ("U2", Phrase.THREAD_MENTIONS_ONLY.value, root["ts"]),
        ("U3", Phrase.THREAD_FOLLOWED.value, root["ts"]),
    ]


async def test_mention_is_answered_in_a_quiet_thread(threads: Following) -> None:
    root = await threads.mention()
    await threads.say(QUIET, root)

    assert await threads.say("<@UBOT> and in French?", root)
    assert not await threads.say("and in German?", root)


async def test_mode_holds_for_one_thread(threads: Following) -> None:
    root, other = await threads.mention(), await threads.mention()
    await threads.say(QUIET, root)

    assert await threads.say("and in French?", other)


async def test_author_is_told_once_if_the_message_comes_as_two_events(threads: Following) -> None:
    root = await threads.mention()
    message = threads.channel.write(f"<@UBOT> {QUIET}", root["ts"])
    for event in (message, message | {"type": "app_mention"}, message):
        assert not await threads.channel.deliver(event)

    assert len(told(threads)) == 1


async def test_message_that_comes_again_later_does_not_undo_a_newer_one(
    threads: Following,
) -> None:
    root = await threads.mention()
    first = threads.channel.write(f"<@UBOT> {QUIET}", root["ts"])
    await threads.channel.deliver(first)
    await threads.say(f"<@UBOT> {LOUD}", root)
    await threads.channel.deliver(first)

    assert await threads.say("and in French?", root)


async def test_mode_is_not_set_by_a_message_to_others(threads: Following) -> None:
    root = await threads.mention()

    assert not await threads.say(f"<@U2> {QUIET}", root)
    assert not await threads.say(QUIET, root, **OTHER_BOT)
    assert told(threads) == []
    assert await threads.say("and in French?", root)


async def test_mode_is_not_set_without_a_mention_in_a_thread_that_was_not_answered(
    threads: Following,
) -> None:
    root = threads.channel.write("lunch?")

    assert not await threads.say(LOUD, root)
    assert told(threads) == []


async def test_silent_thread_that_is_to_be_followed_goes_on(threads: Following) -> None:
    root = await threads.mention()
    threads.clock[0] = float(root["ts"]) + 25 * 3600
    assert not await threads.say("and in French?", root)
    late = f"{threads.clock[0]:.6f}"

    assert not await threads.say(f"<@UBOT> {LOUD}", root, user="U1", ts=late)
    assert await threads.say("and in German?", root)


async def test_author_is_told_where_follow_ups_are_off(tmp_path: Path) -> None:
    async with following(tmp_path, "channel") as threads:
        root = await threads.mention()
        await threads.say(f"<@UBOT> {LOUD}", root)

        text = Phrase.THREAD_FOLLOWED_LATER.value.format(command="/ask")
        assert told(threads) == [("U1", text, root["ts"])]
        assert not await threads.say("and in French?", root)


async def test_author_is_told_to_say_it_in_a_thread(threads: Following) -> None:
    message = threads.channel.write(f"<@UBOT> {QUIET}")
    for _ in range(2):
        assert not await threads.channel.deliver(message)

    text = Phrase.NOT_SAID_IN_A_THREAD.value.format(command="/ask")
    assert told(threads) == [("U1", text, None)]
    assert not await threads.say("and in French?", message), "nothing was answered there"


async def test_author_is_told_that_nothing_was_stored(threads: Following) -> None:
    root = await threads.mention()
    await rename(threads, "thread_modes", "away")
    await threads.say(f"<@UBOT> {QUIET}", root)

    assert told(threads) == [("U1", Phrase.THREAD_MODE_NOT_STORED.value, root["ts"])]


async def rename(threads: Following, table: str, name: str) -> None:
    """Take a table away from the bot."""
    await threads.database.write(
        lambda c: c.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")
    )


async def test_file_beside_the_words_makes_it_a_question(threads: Following) -> None:
    root = await threads.mention()
    files: list[dict[str, Any]] = [{"id": "F1", "name": "a.pdf"}]

    assert await threads.say(f"<@UBOT> {QUIET}", root, user="U1", files=files)
