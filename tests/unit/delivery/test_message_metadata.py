"""The messages of an answer are found again in Slack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.delivery.message_metadata import find_messages
from bot.errors import SlackRefused
from bot.storage.records import ShownMessage
from bot.values import Place
from tests.unit.delivery.delivery_setup import (
    THINKING,
    command,
    done,
    fail_always,
    open_delivery,
    question,
    shown_messages,
    words,
)
from tests.unit.delivery.fake_slack import FakeSlack, connect


async def test_find_messages_returns_parts_in_order() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        for n in (0, 1):
            reply = delivery.create_reply(question(n, channel="C1"))
            await reply.open(THINKING)
            await reply.finish(done(words(5000)))
        mine = [m for m in fake.messages.values() if m.turn == "turn0"]
        assert len(mine) > 2
        fake.messages = dict(reversed(fake.messages.items()))
        found = await delivery.find_messages(question(channel="C1"))
    assert found == tuple(ShownMessage(m.ts, "C1") for m in mine)


async def test_find_messages_returns_duplicates_of_a_part_last() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        for _ in range(2):  # two processes, each of which thinks the turn is its own
            await delivery.create_reply(question()).finish(done(words(3000)))
        first, second, third, fourth = fake.messages
        found = await delivery.find_messages(question())
        assert [one.ts for one in found] == [third, fourth, first, second]
        await delivery.create_reply(question(), existing=found).finish(done(words(3000)))
    assert list(fake.messages) == [third, fourth]


async def test_find_messages_finds_an_answer_at_the_top_of_a_channel_and_in_its_thread() -> None:
    fake = FakeSlack()
    asked = question(place=Place("T1", "D1", "dm"), ts=None)
    async with open_delivery(fake) as delivery:
        assert await delivery.find_messages(asked) == ()
        await delivery.create_reply(asked).finish(done(words(5000)))
        found = await delivery.find_messages(asked)
    assert [one.ts for one in found] == list(fake.messages)
    assert len(found) > 2


async def test_find_messages_raises_where_it_may_not_read() -> None:
    fake = FakeSlack()
    fake.fault = fail_always("conversations.replies", "missing_scope")
    async with open_delivery(fake) as delivery:
        with pytest.raises(SlackRefused):
            await delivery.find_messages(question())


async def test_find_messages_finds_a_public_answer_to_a_command() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        await delivery.create_reply(command(public=True)).finish(done("Here."))
        [found] = await delivery.find_messages(command(public=True))
        await delivery.create_reply(command(public=True), existing=[found]).finish(done("There."))
    [message] = fake.messages.values()
    assert (message.markdown, found.channel) == ("There.", "C1")


async def test_find_messages_finds_a_known_stream_without_metadata() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        await delivery.create_reply(question()).finish(done(words(5000)))
        known = [replace(one, method="native") for one in shown_messages(fake)]
        last = fake.messages[known[-1].ts]
        last.metadata = None
    slack = connect(fake)
    assert await find_messages(slack, question()) == shown_messages(fake)[:-1]
    assert await find_messages(slack, question(), known) == tuple(known)
    del fake.messages[known[0].ts]
    assert await find_messages(slack, question(), known) == tuple(known[1:])
