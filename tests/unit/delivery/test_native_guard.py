"""What a native reply asks and tells its `TurnGuard`; closing and abandoning it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.errors import LeaseLost
from tests.unit.delivery.delivery_setup import (
    TEXT,
    THINKING,
    MemoryGuard,
    done,
    open_delivery,
    writing,
)
from tests.unit.delivery.streamed_answer import begin_answer, full_text
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write


async def test_closing_delivery_stops_live_streams() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        for n in range(3):
            await begin_answer(delivery, n)
    assert [stream.live for stream in fake.streams] == [False] * 3
    assert [stream.turn for stream in fake.streams] == ["turn0", "turn1", "turn2"]


async def test_turn_guard_records_streams_with_their_method() -> None:
    fake, guard = StreamingSlack(), MemoryGuard()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm(), guard=guard)
        await reply.open(THINKING)
        assert guard.texts == []
        await write(reply, TEXT, 3)
        [message] = guard.messages
        assert (message.channel, message.method) == ("D0", "native")
        assert TEXT.startswith(guard.texts[-1])
        await reply.finish(done(TEXT))
    [message] = guard.messages
    assert message.method == "edit", "a stream that was stopped is a message like any other"
    assert guard.texts[-1] == TEXT


async def test_stream_of_a_crashed_process_is_stopped_and_edited() -> None:
    fake, guard = StreamingSlack(), MemoryGuard()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = await begin_answer(delivery, guard=guard)
        reply.abandon()
        left = guard.messages
    assert fake.streams[0].live
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm(), guard=guard, existing=left)
        await reply.open(writing(TEXT[:1000]))
        await reply.finish(done(TEXT))
    [stream] = fake.messages.values()
    assert stream.markdown == TEXT
    assert stream.turn == "turn0"


async def test_find_messages_finds_a_stream_that_is_not_on_record() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = await begin_answer(delivery)
        reply.abandon()
        found = await delivery.find_messages(dm())
        assert [(one.ts, one.method) for one in found] == [(fake.streams[0].ts, "native")]
        reply = delivery.create_reply(dm(), existing=found)
        await reply.finish(done(TEXT))
        assert await delivery.find_messages(dm()) == (replace(found[0], method="edit"),)
    [stream] = fake.messages.values()
    assert stream.markdown == TEXT


async def test_turn_guard_without_a_lease_delays_every_stream_write() -> None:
    fake, guard = StreamingSlack(), MemoryGuard()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = await begin_answer(delivery, guard=guard)
        guard.has_lease = False
        await asyncio.sleep(1)
        before = len(fake.calls)
        await write(reply, TEXT, 5, since=1000)
        assert len(fake.calls) == before
        guard.has_lease = True
        await reply.finish(done(TEXT))
    assert full_text(fake) == TEXT


async def test_abandoned_native_reply_writes_nothing_more() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = await begin_answer(delivery)
        ending = asyncio.create_task(reply.finish(done(TEXT)))
        await asyncio.sleep(0)
        reply.abandon()
        with pytest.raises(LeaseLost):
            await ending
        await asyncio.sleep(10)
    assert fake.count("chat.stopStream") <= 1
