"""Answers whose turn is kept over crashes: gone on with, found again, held back, let go of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.errors import SlackRefused, TurnLost
from bot.storage.records import ShownMessage
from bot.values import Draft, Place
from tests.delivery.fake_slack import Call, FakeSlack
from tests.delivery.room import (
    THINKING,
    always,
    command,
    delivery,
    done,
    once,
    question,
    words,
    writing,
)
from tests.delivery.virtual import now, run


class Keeper:
    """Keeps one turn in memory."""

    def __init__(self) -> None:
        self.ours = True
        self.asked = 0
        self.messages: tuple[ShownMessage, ...] = ()
        self.texts: list[str] = []

    def held(self) -> bool:
        self.asked += 1
        return self.ours

    def shown(self, messages: Sequence[ShownMessage], text: str) -> None:
        self.messages = tuple(messages)
        self.texts.append(text)

    async def sending(self) -> None:
        await asyncio.sleep(0)


def standing(fake: FakeSlack) -> tuple[ShownMessage, ...]:
    return tuple(ShownMessage(m.ts, m.channel) for m in fake.messages.values())


async def left_behind(fake: FakeSlack, draft: Draft) -> None:
    """A process that shows so much of an answer and dies."""
    async with delivery(fake) as room:
        reply = room.reply(question())
        await reply.open(THINKING)
        reply.show(draft)
        await asyncio.sleep(10)
    fake.calls.clear()


def test_whoever_keeps_the_turn_is_told_what_stands_after_every_write() -> None:
    async def scenario() -> None:
        fake, keeper = FakeSlack(), Keeper()
        async with delivery(fake) as room:
            reply = room.reply(question(), kept=keeper)
            await reply.open(THINKING)
            assert keeper.messages == standing(fake)
            assert keeper.texts == [""]
            reply.show(writing("One."))
            await asyncio.sleep(10)
            await reply.finish(done(words(4000)))
            assert keeper.messages == standing(fake)
            assert len(keeper.messages) > 1
        assert keeper.texts[:2] == ["", "One."]
        assert keeper.texts[-1] == words(4000)
        assert len(keeper.texts) == len([c for c in fake.calls if c.method.startswith("chat.")])

    run(scenario())


def test_an_answer_goes_on_in_the_message_a_crash_has_left() -> None:
    async def scenario() -> None:
        fake, keeper = FakeSlack(), Keeper()
        await left_behind(fake, writing("The begin"))
        async with delivery(fake) as room:
            before = now()
            reply = room.reply(question(), standing=standing(fake), kept=keeper)
            await reply.open(writing("The begin"))
            assert now() == before
            await reply.finish(done("The beginning and the end."))
        [message] = fake.messages.values()
        assert message.markdown == "The beginning and the end."
        assert message.state == ""
        assert fake.count("chat.postMessage") == 0
        assert keeper.messages == standing(fake)

    run(scenario())


def test_messages_left_behind_that_are_too_many_are_deleted() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        await left_behind(fake, writing(words(5000)))
        assert len(fake.messages) > 2
        async with delivery(fake) as room:
            await room.reply(question(), standing=standing(fake)).finish(done("Short."))
        [message] = fake.messages.values()
        assert message.markdown == "Short."

    run(scenario())


def test_after_a_crash_no_older_message_says_that_more_comes() -> None:
    async def scenario() -> None:
        fake, keeper = FakeSlack(), Keeper()
        async with delivery(fake) as room:
            reply = room.reply(question(), kept=keeper)
            await reply.open(THINKING)
            reply.show(writing("The beginning"))
            await asyncio.sleep(2)
            fake.fault = always("chat.update", "429:300")
            await reply.finish(done("The beginning and the end."))
        assert [m.state for m in fake.messages.values()] == ["Writing…", ""]
        fake.fault = lambda call: None
        async with delivery(fake) as room:
            reply = room.reply(question(), standing=keeper.messages)
            await reply.finish(done("The beginning and the end."))
            await asyncio.sleep(1)
        [message] = fake.messages.values()
        assert message.markdown == "The beginning and the end."
        assert message.state == ""

    run(scenario())


def test_a_stream_left_behind_is_stopped_before_it_is_edited() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        await left_behind(fake, writing("The begin"))
        [left] = standing(fake)
        async with delivery(fake) as room:
            reply = room.reply(question(), standing=[replace(left, method="native")])
            await reply.finish(done("The end."))
        assert [c.method for c in fake.calls] == ["chat.stopStream", "chat.update"]
        assert [m.markdown for m in fake.messages.values()] == ["The end."]

    run(scenario())


def test_a_message_that_turns_out_to_be_a_stream_is_stopped_and_edited() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        await left_behind(fake, writing("The begin"))
        fake.fault = lambda call: (
            "streaming_state_conflict"
            if call.method == "chat.update" and not fake.count("chat.stopStream")
            else None
        )
        async with delivery(fake) as room:
            await room.reply(question(), standing=standing(fake)).finish(done("The end."))
        assert [m.markdown for m in fake.messages.values()] == ["The end."]

    run(scenario())


def test_a_stream_that_cannot_be_stopped_is_continued_below() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        await left_behind(fake, writing("The begin"))
        stuck = always("chat.update", "streaming_state_conflict")
        refused = always("chat.stopStream", "message_not_owned_by_app")
        fake.fault = lambda call: stuck(call) or refused(call)
        async with delivery(fake) as room:
            await room.reply(question(), standing=standing(fake)).finish(done("The end."))
        assert [m.markdown for m in fake.messages.values()] == ["The begin", "The end."]
        assert fake.count("chat.stopStream") == 1

    run(scenario())


def test_a_429_on_a_stop_closes_no_edits() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        await left_behind(fake, writing("The begin"))
        [left] = standing(fake)
        fake.fault = once("chat.stopStream", "429:20")
        async with delivery(fake) as room:
            other = room.reply(question(1))
            await other.open(THINKING)
            reply = room.reply(question(), standing=[replace(left, method="native")])
            finishing = asyncio.create_task(reply.finish(done("The end.")))
            await asyncio.sleep(1)
            before = now()
            await other.finish(done("Nobody limits this."))
            assert now() - before < 1
            await finishing
        assert now() > 20

    run(scenario())


def test_a_turn_that_may_not_be_ours_writes_nothing_until_it_is() -> None:
    async def scenario() -> None:
        fake, keeper = FakeSlack(), Keeper()
        async with delivery(fake) as room:
            reply = room.reply(question(), kept=keeper)
            await reply.open(THINKING)
            keeper.ours, keeper.asked = False, 0
            made = len(fake.calls)
            for n in range(100):
                reply.show(writing("word " * n))
                await asyncio.sleep(0.1)
            finishing = asyncio.create_task(reply.finish(done("All of it.")))
            await asyncio.sleep(20)
            assert len(fake.calls) == made
            assert keeper.asked < 1000
            keeper.ours, before = True, now()
            await finishing
            assert now() - before <= 0.5 + fake.latency
        assert [m.markdown for m in fake.messages.values()] == ["All of it."]

    run(scenario())


def test_a_placeholder_waits_until_the_turn_is_ours() -> None:
    async def scenario() -> None:
        fake, keeper = FakeSlack(), Keeper()
        keeper.ours = False
        async with delivery(fake) as room:
            opening = asyncio.create_task(room.reply(question(), kept=keeper).open(THINKING))
            await asyncio.sleep(5)
            assert fake.calls == []
            keeper.ours = True
            await asyncio.sleep(0.6)
            assert opening.done()
            await opening

    run(scenario())


def test_a_lost_post_is_not_made_again_by_whoever_may_have_lost_the_turn_meanwhile() -> None:
    async def scenario() -> None:
        fake, keeper = FakeSlack(), Keeper()
        failing = once("chat.postMessage", 500)

        def fault(call: Call) -> str | int | None:
            if call.method == "conversations.replies":
                keeper.ours = False
            return failing(call)

        fake.fault = fault
        async with delivery(fake) as room:
            opening = asyncio.create_task(room.reply(question(), kept=keeper).open(THINKING))
            await asyncio.sleep(20)
            assert fake.count("chat.postMessage") == 1
            fake.fault, keeper.ours = (lambda call: None), True
            await opening
        assert len(fake.messages) == 1

    run(scenario())


def test_an_abandoned_answer_is_not_written_any_more() -> None:
    async def scenario() -> None:
        fake, keeper = FakeSlack(), Keeper()
        lost: list[SlackRefused] = []
        async with delivery(fake) as room:
            reply = room.reply(question(), kept=keeper, on_lost=lost.append)
            await reply.open(THINKING)
            reply.show(writing("The beginning"))
            await asyncio.sleep(2)
            fake.delay = lambda call: 5.0
            finishing = asyncio.create_task(reply.finish(done("The end.")))
            await asyncio.sleep(1)
            told = len(keeper.texts)
            reply.abandon()
            with pytest.raises(TurnLost):
                await finishing
            reply.show(writing("More"))
            made = len(fake.calls)
            await asyncio.sleep(60)
            assert len(fake.calls) == made
            assert len(keeper.texts) == told
            with pytest.raises(TurnLost):
                await reply.finish(done("More"))
        assert lost == []

    run(scenario())


def test_abandoning_ends_the_wait_for_a_placeholder() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        fake.fault = always("chat.postMessage", 503)
        async with delivery(fake) as room:
            reply = room.reply(question())
            opening = asyncio.create_task(reply.open(THINKING))
            await asyncio.sleep(1)
            reply.abandon()
            with pytest.raises(TurnLost):
                await opening
            made = len(fake.calls)
            await asyncio.sleep(60)
            assert len(fake.calls) == made

    run(scenario())


def test_abandoning_an_answer_that_stands_changes_nothing() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        async with delivery(fake) as room:
            reply = room.reply(question())
            await reply.open(THINKING)
            await reply.finish(done("Here."))
            reply.abandon()
            await reply.finish(done("Here."))

    run(scenario())


def test_the_messages_of_a_turn_are_found_in_the_order_of_their_parts() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        async with delivery(fake) as room:
            for n in (0, 1):
                reply = room.reply(question(n, channel="C1"))
                await reply.open(THINKING)
                await reply.finish(done(words(5000)))
            mine = [m for m in fake.messages.values() if m.turn == "turn0"]
            assert len(mine) > 2
            fake.messages = dict(reversed(fake.messages.items()))
            found = await room.found(question(channel="C1"))
        assert found == tuple(ShownMessage(m.ts, "C1") for m in mine)

    run(scenario())


def test_of_messages_that_are_the_same_part_the_newest_comes_first_and_the_others_last() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        async with delivery(fake) as room:
            for _ in range(2):  # two processes, each of which thinks the turn is its own
                await room.reply(question()).finish(done(words(3000)))
            first, second, third, fourth = fake.messages
            found = await room.found(question())
            assert [one.ts for one in found] == [third, fourth, first, second]
            await room.reply(question(), standing=found).finish(done(words(3000)))
        assert list(fake.messages) == [third, fourth]

    run(scenario())


def test_an_answer_at_the_top_of_a_channel_is_found_with_what_follows_in_its_thread() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        asked = question(place=Place("T1", "D1", "dm"), ts=None)
        async with delivery(fake) as room:
            assert await room.found(asked) == ()
            await room.reply(asked).finish(done(words(5000)))
            found = await room.found(asked)
        assert [one.ts for one in found] == list(fake.messages)
        assert len(found) > 2

    run(scenario())


def test_an_answer_that_cannot_be_looked_for_says_so() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        fake.fault = always("conversations.replies", "missing_scope")
        async with delivery(fake) as room:
            with pytest.raises(SlackRefused):
                await room.found(question())

    run(scenario())


def test_a_private_answer_goes_on_in_the_direct_message_it_was_continued_in() -> None:
    async def scenario() -> None:
        fake, keeper = FakeSlack(), Keeper()
        text = words(5000)
        async with delivery(fake) as room:
            await room.reply(command(), kept=keeper).finish(done(text))
            found = await room.found(command())
            assert found == keeper.messages
            assert [one.channel for one in found] == ["", "DU1", "DU1", "DU1"]
            before = [m.markdown for m in fake.messages.values()]
            for message in fake.messages.values():
                message.blocks = []
            await room.reply(command(), standing=found).finish(done(text))
        assert len(fake.private) == 1
        assert [m.markdown for m in fake.messages.values()] == before

    run(scenario())


def test_a_public_answer_to_a_command_is_found_where_it_stands() -> None:
    async def scenario() -> None:
        fake = FakeSlack()
        async with delivery(fake) as room:
            await room.reply(command(public=True)).finish(done("Here."))
            [found] = await room.found(command(public=True))
            await room.reply(command(public=True), standing=[found]).finish(done("There."))
        [message] = fake.messages.values()
        assert (message.markdown, found.channel) == ("There.", "C1")

    run(scenario())
