"""Streamed answers as whoever keeps their turns sees them: told of, left behind, let go of."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.errors import LeaseLost
from tests.unit.delivery.room import TEXT, THINKING, Keeper, delivery, done, writing
from tests.unit.delivery.streamed import whole
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write


async def test_a_closed_room_leaves_no_stream_behind() -> None:
    fake = StreamingSlack()
    async with delivery(fake, delivery="native") as room:
        for n in range(3):
            reply = room.create_reply(dm(n))
            await reply.open(THINKING)
            await write(reply, TEXT[:1000], 3)
    assert [stream.live for stream in fake.streams] == [False] * 3
    assert [stream.turn for stream in fake.streams] == ["turn0", "turn1", "turn2"]


async def test_whoever_keeps_the_turn_is_told_what_stands_and_how() -> None:
    fake, keeper = StreamingSlack(), Keeper()
    async with delivery(fake, delivery="native") as room:
        reply = room.create_reply(dm(), guard=keeper)
        await reply.open(THINKING)
        assert keeper.texts == []
        await write(reply, TEXT, 3)
        [message] = keeper.messages
        assert (message.channel, message.method) == ("D0", "native")
        assert TEXT.startswith(keeper.texts[-1])
        await reply.finish(done(TEXT))
    [message] = keeper.messages
    assert message.method == "edit", "a stream that was stopped is a message like any other"
    assert keeper.texts[-1] == TEXT


async def test_what_a_crash_has_left_streaming_is_stopped_and_edited() -> None:
    fake, keeper = StreamingSlack(), Keeper()
    async with delivery(fake, delivery="native") as room:
        reply = room.create_reply(dm(), guard=keeper)
        await reply.open(THINKING)
        await write(reply, TEXT[:1000], 3)
        reply.abandon()
        left = keeper.messages
    assert fake.streams[0].live
    async with delivery(fake, delivery="native") as room:
        reply = room.create_reply(dm(), guard=keeper, existing=left)
        await reply.open(writing(TEXT[:1000]))
        await reply.finish(done(TEXT))
    [stream] = fake.messages.values()
    assert stream.markdown == TEXT
    assert stream.turn == "turn0"


async def test_a_stream_is_found_that_a_crash_left_before_anybody_knew_of_it() -> None:
    fake = StreamingSlack()
    async with delivery(fake, delivery="native") as room:
        reply = room.create_reply(dm())
        await reply.open(THINKING)
        await write(reply, TEXT[:1000], 3)
        reply.abandon()
        found = await room.find_messages(dm())
        assert [(one.ts, one.method) for one in found] == [(fake.streams[0].ts, "native")]
        reply = room.create_reply(dm(), existing=found)
        await reply.finish(done(TEXT))
        assert await room.find_messages(dm()) == (replace(found[0], method="edit"),)
    [stream] = fake.messages.values()
    assert stream.markdown == TEXT


async def test_no_write_begins_while_the_turn_may_be_somebody_elses() -> None:
    fake, keeper = StreamingSlack(), Keeper()
    async with delivery(fake, delivery="native") as room:
        reply = room.create_reply(dm(), guard=keeper)
        await reply.open(THINKING)
        await write(reply, TEXT[:1000], 3)
        keeper.ours = False
        await asyncio.sleep(1)
        before = len(fake.calls)
        await write(reply, TEXT, 5, since=1000)
        assert len(fake.calls) == before
        keeper.ours = True
        await reply.finish(done(TEXT))
    assert whole(fake) == TEXT


async def test_an_answer_that_is_let_go_of_is_written_no_more() -> None:
    fake = StreamingSlack()
    async with delivery(fake, delivery="native") as room:
        reply = room.create_reply(dm())
        await reply.open(THINKING)
        await write(reply, TEXT[:1000], 3)
        ending = asyncio.create_task(reply.finish(done(TEXT)))
        await asyncio.sleep(0)
        reply.abandon()
        with pytest.raises(LeaseLost):
            await ending
        await asyncio.sleep(10)
    assert fake.count("chat.stopStream") <= 1
