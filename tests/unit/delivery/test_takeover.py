"""Replies continue in the messages that a crashed process has left."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.values import Draft
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    THINKING,
    MemoryGuard,
    command,
    done,
    fail_always,
    fail_once,
    open_delivery,
    question,
    shown_messages,
    words,
    writing,
)
from tests.unit.delivery.fake_slack import FakeSlack


async def left_behind(fake: FakeSlack, draft: Draft) -> None:
    """A process that shows so much of an answer and dies."""
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(draft)
        await asyncio.sleep(10)
    fake.calls.clear()


async def test_takeover_continues_in_the_existing_message() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    await left_behind(fake, writing("The begin"))
    async with open_delivery(fake) as delivery:
        before = now()
        reply = delivery.create_reply(question(), existing=shown_messages(fake), guard=guard)
        await reply.open(writing("The begin"))
        assert now() == before
        await reply.finish(done("The beginning and the end."))
    [message] = fake.messages.values()
    assert message.markdown == "The beginning and the end."
    assert message.state == ""
    assert fake.count("chat.postMessage") == 0
    assert guard.messages == shown_messages(fake)


async def test_takeover_while_edits_are_short_moves_no_text() -> None:
    fake = FakeSlack()
    await left_behind(fake, writing(words(60)))
    [left] = shown_messages(fake)
    async with open_delivery(fake, edits_per_minute=4) as delivery:
        for n in range(1, 5):
            await delivery.create_reply(question(n), existing=[left]).finish(done("x"))
        reply = delivery.create_reply(question(), existing=[left])
        for count in range(100, 600, 20):
            reply.show(writing(words(count)))
            await asyncio.sleep(1)
        await reply.finish(done(words(600)))
        await reply.wait_cleanup()
    first, *rest = fake.messages.values()
    assert "below" not in " ".join(first.states)
    assert " ".join(m.markdown for m in (first, *rest)).split() == words(600).split()


async def test_lost_response_of_an_edit_while_edits_are_short_moves_no_text() -> None:
    fake = FakeSlack()
    async with open_delivery(fake, edits_per_minute=2) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        fake.fault = fail_once("chat.update", "lost")
        for count in range(60, 600, 20):
            reply.show(writing(words(count)))
            await asyncio.sleep(1)
        await reply.finish(done(words(600)))
        await reply.wait_cleanup()
    assert all("below" not in state for m in fake.messages.values() for state in m.states)
    assert " ".join(m.markdown for m in fake.messages.values()).split() == words(600).split()


async def test_takeover_deletes_surplus_messages() -> None:
    fake = FakeSlack()
    await left_behind(fake, writing(words(5000)))
    assert len(fake.messages) > 2
    async with open_delivery(fake) as delivery:
        await delivery.create_reply(question(), existing=shown_messages(fake)).finish(
            done("Short.")
        )
    [message] = fake.messages.values()
    assert message.markdown == "Short."


async def test_takeover_removes_stale_footers() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), guard=guard)
        await reply.open(THINKING)
        reply.show(writing("The beginning"))
        await asyncio.sleep(2)
        fake.fault = fail_always("chat.update", "429:300")
        await reply.finish(done("The beginning and the end."))
    assert [m.state for m in fake.messages.values()] == ["Writing…", ""]
    fake.fault = lambda call: None
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), existing=guard.messages)
        await reply.finish(done("The beginning and the end."))
        await asyncio.sleep(1)
    [message] = fake.messages.values()
    assert message.markdown == "The beginning and the end."
    assert message.state == ""


async def test_takeover_stops_a_stream_before_it_is_edited() -> None:
    fake = FakeSlack()
    await left_behind(fake, writing("The begin"))
    [left] = shown_messages(fake)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), existing=[replace(left, method="native")])
        await reply.finish(done("The end."))
    assert [c.method for c in fake.calls] == ["chat.stopStream", "chat.update"]
    assert [m.markdown for m in fake.messages.values()] == ["The end."]


async def test_takeover_stops_and_edits_a_message_that_turns_out_to_be_a_stream() -> None:
    fake = FakeSlack()
    await left_behind(fake, writing("The begin"))
    fake.fault = lambda call: (
        "streaming_state_conflict"
        if call.method == "chat.update" and not fake.count("chat.stopStream")
        else None
    )
    async with open_delivery(fake) as delivery:
        await delivery.create_reply(question(), existing=shown_messages(fake)).finish(
            done("The end.")
        )
    assert [m.markdown for m in fake.messages.values()] == ["The end."]


async def test_takeover_continues_below_a_stream_that_cannot_be_stopped() -> None:
    fake = FakeSlack()
    await left_behind(fake, writing("The begin "))
    stuck = fail_always("chat.update", "streaming_state_conflict")
    refused = fail_always("chat.stopStream", "message_not_owned_by_app")
    fake.fault = lambda call: stuck(call) or refused(call)
    async with open_delivery(fake) as delivery:
        await delivery.create_reply(question(), existing=shown_messages(fake)).finish(
            done("The end.")
        )
    assert [m.markdown for m in fake.messages.values()] == ["The begin", "The end."]
    assert fake.count("chat.stopStream") == 1


async def test_takeover_makes_edits_after_a_429_on_a_stop() -> None:
    fake = FakeSlack()
    await left_behind(fake, writing("The begin"))
    [left] = shown_messages(fake)
    fake.fault = fail_once("chat.stopStream", "429:20")
    async with open_delivery(fake) as delivery:
        other = delivery.create_reply(question(1))
        await other.open(THINKING)
        reply = delivery.create_reply(question(), existing=[replace(left, method="native")])
        finishing = asyncio.create_task(reply.finish(done("The end.")))
        await asyncio.sleep(1)
        before = now()
        await other.finish(done("Nobody limits this."))
        assert now() - before < 1
        await finishing
    assert now() > 20


async def test_takeover_continues_an_ephemeral_answer_in_its_direct_message() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    text = words(5000)
    async with open_delivery(fake) as delivery:
        await delivery.create_reply(command(), guard=guard).finish(done(text))
        found = await delivery.find_messages(command())
        assert found == guard.messages
        assert [one.channel for one in found] == ["", "DU1", "DU1", "DU1"]
        before = [m.markdown for m in fake.messages.values()]
        for message in fake.messages.values():
            message.blocks = []
        await delivery.create_reply(command(), existing=found).finish(done(text))
    assert len(fake.ephemeral_messages) == 1
    assert [m.markdown for m in fake.messages.values()] == before
