# full-width marks are what Chinese keyboards write
"""Messages without a mention, through Bolt and the database: answered, or left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.listeners.admission.follow_ups import CHANNEL_CACHE_SECONDS
from bot.values import File
from tests.unit.listeners.channel import ME, OTHER_BOT
from tests.unit.listeners.following import Following, following

HOUR = 3600.0


@pytest_asyncio.fixture
async def threads(tmp_path: Path) -> AsyncIterator[Following]:
    """A channel in which follow-ups are on."""
    async with following(tmp_path) as threads:
        yield threads


async def test_thread_that_was_answered_goes_on_without_a_mention(threads: Following) -> None:
    root = await threads.mention()

    assert await threads.say("and in French?", root)
    assert await threads.say("and in German?", root, user="U2")
    [_, second, third] = threads.channel.asked
    assert (second.text, second.user, third.user) == ("and in French?", "U1", "U2")
    assert second.place.thread_ts == root["ts"]
    assert threads.outcomes() == {"followed": 2.0}


async def test_thread_goes_on_while_its_first_answer_is_being_written(threads: Following) -> None:
    root = threads.channel.write("<@UBOT> why?")
    assert await threads.channel.deliver(root)
    await threads.begin_answer(threads.channel.asked[-1])

    assert await threads.say("please in short words", root)


async def test_file_without_words_is_a_follow_up(threads: Following) -> None:
    root = await threads.mention()
    report = {"id": "F1", "name": "a.pdf", "mimetype": "application/pdf", "size": 3}

    assert await threads.say("", root, user="U1", subtype="file_share", files=[report])
    assert threads.channel.asked[-1].files == (File("F1", "a.pdf", "application/pdf", 3, ""),)


async def test_mention_delivered_as_two_events_in_a_followed_thread_is_answered_once(
    threads: Following,
) -> None:
    root = await threads.mention()
    message = threads.channel.write("<@UBOT> and in French?", root["ts"])

    assert await threads.channel.deliver(message)
    assert not await threads.channel.deliver(message | {"type": "app_mention"})
    assert threads.outcomes() == {}


async def test_follow_up_that_is_delivered_again_is_answered_once(threads: Following) -> None:
    root = await threads.mention()
    message = threads.channel.write("and in French?", root["ts"])

    assert await threads.channel.deliver(message)
    assert not await threads.channel.deliver(message)


@pytest.mark.parametrize(
    ("text", "given", "outcome"),
    [
        ("thanks!", {}, "reaction"),
        ("好的，谢谢", {}, "reaction"),
        ("<@U2> what do you think?", {}, "mentions_others"),
        ("<!here> look at this", {}, "mentions_others"),
        ("<!subteam^S1|@ops> look at this", {}, "mentions_others"),
    ],
)
async def test_message_is_left_alone_for_what_it_says(
    threads: Following, text: str, given: dict[str, Any], outcome: str
) -> None:
    root = await threads.mention()

    assert not await threads.say(text, root, user="U1", **given)
    assert threads.outcomes() == {outcome: 1.0}


@pytest.mark.parametrize(
    "given",
    [
        OTHER_BOT,
        {"user": ME.user_id, "bot_id": ME.bot_id},
        {"user": "U1", "subtype": "channel_topic"},
        {"user": "USLACKBOT"},
        {"user": "U1", "hidden": True},
    ],
)
async def test_message_that_no_person_wrote_is_no_follow_up(
    threads: Following, given: dict[str, Any]
) -> None:
    root = await threads.mention()

    assert not await threads.say("and in French?", root, **given)
    assert threads.outcomes() == {}


async def test_message_that_mentions_us_and_others_is_answered(threads: Following) -> None:
    root = await threads.mention()

    assert await threads.say("<@U2> and <@UBOT>, what do you think?", root)


async def test_mention_of_others_in_a_quote_is_not_addressed_to_them(threads: Following) -> None:
    root = await threads.mention()

    assert await threads.say("&gt; <@U2> said so\nis that right?", root)


async def test_messages_outside_answered_threads_are_left_alone(threads: Following) -> None:
    await threads.mention()
    other = threads.channel.write("lunch?")

    assert not await threads.channel.deliver(other)
    assert not await threads.say("where?", other)
    assert threads.outcomes() == {"not_answered": 1.0}


async def test_thread_below_our_own_message_goes_on(threads: Following) -> None:
    root = threads.channel.write("Because.", user=ME.user_id, bot_id=ME.bot_id)

    assert await threads.say("and in French?", root, user="U1", parent_user_id=ME.user_id)


async def test_silent_thread_needs_a_mention_again(threads: Following) -> None:
    root = await threads.mention()
    threads.clock[0] += 24 * HOUR - 1
    assert await threads.say("and in French?", root)

    threads.clock[0] += 2
    assert not await threads.say("and in German?", root)
    assert threads.outcomes() == {"followed": 1.0, "silent": 1.0}


async def test_default_channel_follows_only_where_it_was_turned_on(tmp_path: Path) -> None:
    async with following(tmp_path, "channel") as threads:
        root = await threads.mention()
        assert not await threads.say("and in French?", root)

        await threads.follow_ups.set_setting("C1", "on", "U1")
        assert await threads.say("and in French?", root)
        await threads.follow_ups.set_setting("C1", "off", "U1")
        assert not await threads.say("and in German?", root)


async def test_setting_of_another_replica_is_seen_after_some_seconds(tmp_path: Path) -> None:
    async with following(tmp_path, "channel") as threads, following(tmp_path, "channel") as other:
        root = await threads.mention()
        assert not await threads.say("and in French?", root)
        await other.follow_ups.set_setting("C1", "on", "U1")
        threads.clock[0] += CHANNEL_CACHE_SECONDS

        assert await threads.say("and in French?", root)


async def test_edit_of_a_follow_up_may_be_asked_again(threads: Following) -> None:
    root = await threads.mention()
    message = threads.channel.write("and in Frnch?", root["ts"])
    edited = message | {"text": "and in French?", "edited": {"user": "U1", "ts": message["ts"]}}

    await change(threads, message, edited)
    assert threads.channel.edited == ["and in French?"]
    await change(threads, message, edited | {"text": "<@U2> and in French?"})
    await change(threads, message, edited | {"text": "thanks"})
    assert threads.channel.edited == ["and in French?"]


async def change(threads: Following, before: dict[str, Any], after: dict[str, Any]) -> None:
    event = {"type": "message", "subtype": "message_changed", "ts": "99.0", "hidden": True}
    await threads.channel.deliver(event | {"message": after, "previous_message": before})


async def test_deletion_of_a_follow_up_withdraws_it_as_a_question(threads: Following) -> None:
    root = await threads.mention()
    message = threads.channel.write("and in French?", root["ts"])
    event = {"type": "message", "subtype": "message_deleted", "deleted_ts": message["ts"]}
    event |= {"ts": "1700000900.0", "event_ts": "1700000900.0", "previous_message": message}

    await threads.channel.deliver(event)
    await threads.follow_ups.set_setting("C1", "off", "U1")
    await threads.channel.deliver(event)

    withdrawn = [question and question.text for _, question in threads.channel.deletions]
    assert withdrawn == ["and in French?", None]


async def test_follow_up_is_delivered_again_by_slack_while_the_database_is_away(
    threads: Following,
) -> None:
    root = await threads.mention()
    assert await threads.say("and in French?", root)
    message = threads.channel.write("and in German?", root["ts"])
    await threads.database.write(lambda c: c.exec_driver_sql("ALTER TABLE turns RENAME TO away"))

    assert await threads.channel.status_of(message) == 400
    assert len(threads.channel.asked) == 2
