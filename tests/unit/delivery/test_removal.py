"""An answer whose question was deleted: all its messages are deleted, whatever Slack answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.values import REMOVED_DRAFT
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    THINKING,
    MemoryGuard,
    done,
    fail_always,
    fail_once,
    open_delivery,
    question,
    shown_messages,
    words,
    writing,
)
from tests.unit.delivery.fake_slack import FakeSlack, Fault
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write


@pytest.mark.parametrize("text", ["", "The beginning", words(5000)], ids=["none", "one", "parts"])
async def test_removal_deletes_every_message_of_an_answer(text: str) -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), guard=guard)
        await reply.open(THINKING)
        if text:
            reply.show(writing(text))
            await asyncio.sleep(20)
        assert len(fake.messages) == len(guard.messages) >= 1
        await reply.finish(REMOVED_DRAFT)
        await reply.wait_cleanup()
    assert fake.messages == {}
    assert guard.messages == ()


async def test_removal_posts_nothing_where_no_message_exists() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        await delivery.create_reply(question()).finish(REMOVED_DRAFT)
    assert fake.calls == []


async def test_removal_waits_for_no_edit() -> None:
    fake = FakeSlack()
    fake.fault = fail_always("chat.update", "429:300")
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(writing("The beginning"))
        await asyncio.sleep(2)
        before = now()
        await reply.finish(REMOVED_DRAFT)
        assert now() - before < 2
    assert fake.messages == {}


FAULTS = {
    "delete lost": fail_once("chat.delete", "lost"),
    "delete limited": fail_once("chat.delete", "429:5"),
    "delete 500": fail_once("chat.delete", 500),
    "gone already": fail_always("chat.delete", "message_not_found"),
    "edit refused": fail_always("chat.update", "message_not_found"),
    "edit window": fail_always("chat.update", "edit_window_closed"),
    "edit too long": fail_always("chat.update", "msg_too_long"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_removal_survives_what_slack_says(fault: Fault) -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        fake.fault = fault
        reply.show(writing("The beginning"))  # its edit is on the way when the removal comes
        await asyncio.sleep(0.02)
        await reply.finish(REMOVED_DRAFT)
    assert fake.messages == {} or fake.count("chat.delete", "message_not_found")


@pytest.mark.parametrize("fault", ["lost", 500])
async def test_removal_looks_for_a_placeholder_whose_post_may_have_been_made(
    fault: str | int,
) -> None:
    fake = FakeSlack()
    fake.fault = fail_once("chat.postMessage", fault)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        opening = asyncio.create_task(reply.open(THINKING))
        await asyncio.sleep(0.3)
        await reply.finish(REMOVED_DRAFT)
        await opening
    assert fake.messages == {}
    assert fake.count("chat.postMessage") == 1


async def test_removal_deletes_a_placeholder_that_is_being_posted() -> None:
    fake = FakeSlack(latency=2)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        opening = asyncio.create_task(reply.open(THINKING))
        await asyncio.sleep(0.5)
        await reply.finish(REMOVED_DRAFT)
        await opening
    assert fake.messages == {}


async def test_removal_after_a_crash_deletes_existing_messages() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(writing(words(5000)))
        await asyncio.sleep(20)
    assert len(fake.messages) > 1
    fake.calls.clear()
    async with open_delivery(fake) as delivery:
        await delivery.create_reply(question(), existing=shown_messages(fake)).finish(REMOVED_DRAFT)
    assert fake.messages == {}
    assert {call.method for call in fake.calls} == {"chat.delete"}


@pytest.mark.parametrize("text", ["A line that lasts.\n\n", words(3000)], ids=["one", "parts"])
async def test_removal_stops_streams_before_it_deletes_them(text: str) -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await write(reply, text, 10)
        assert any(stream.live for stream in fake.streams)
        await reply.finish(REMOVED_DRAFT)
        await reply.wait_cleanup()
    assert fake.messages == {}
    assert fake.statuses[-1][1] == ""


async def test_removal_finds_a_stream_whose_start_was_lost() -> None:
    fake = StreamingSlack()
    fake.fault = fail_once("chat.startStream", "lost")
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        reply.show(writing("A line that lasts.\n\nAnd more of it.\n\n"))
        await asyncio.sleep(0.3)
        assert fake.streams
        await reply.finish(REMOVED_DRAFT)
    assert fake.messages == {}
    assert fake.count("chat.startStream") == 1


async def test_removal_stops_a_stream_that_a_crash_has_left() -> None:
    fake = StreamingSlack()
    await fake.api_call("chat.startStream", json={"channel": "D0", "thread_ts": "900.1"})
    [left] = shown_messages(fake)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(dm(), existing=[replace(left, method="native")])
        await reply.finish(REMOVED_DRAFT)
    assert fake.messages == {}


async def test_removal_leaves_the_answers_of_others() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        staying, gone = (
            delivery.create_reply(question(1)),
            delivery.create_reply(question(2, channel="C1")),
        )
        await asyncio.gather(staying.open(THINKING), gone.open(THINKING))
        await asyncio.gather(staying.finish(done("Stays.")), gone.finish(REMOVED_DRAFT))
    assert [message.markdown for message in fake.messages.values()] == ["Stays."]


async def test_removal_deletes_nothing_that_cannot_be_journalled() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), guard=guard)
        await reply.open(THINKING)
        guard.can_journal = False
        removing = asyncio.create_task(reply.finish(REMOVED_DRAFT))
        await asyncio.sleep(10)
        assert len(fake.messages) == 1
        guard.can_journal = True
        await removing
    assert fake.messages == {}
