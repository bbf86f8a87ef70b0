"""What an edited reply asks and tells its `TurnGuard`, and how `abandon` ends it."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import LeaseLost, QuestionDeleted, SlackRefused, Stopped
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    THINKING,
    MemoryGuard,
    done,
    fail_always,
    fail_once,
    full_text,
    open_delivery,
    question,
    shown_messages,
    words,
    writing,
)
from tests.unit.delivery.fake_slack import Call, FakeSlack


async def test_turn_guard_records_messages_after_every_write() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), guard=guard)
        await reply.open(THINKING)
        assert guard.messages == shown_messages(fake)
        assert guard.texts == [""]
        reply.show(writing("One."))
        await asyncio.sleep(10)
        await reply.finish(done(words(4000)))
        assert guard.messages == shown_messages(fake)
        assert len(guard.messages) > 1
    assert guard.texts[:2] == ["", "One."]
    assert guard.texts[-1] == words(4000)
    assert len(guard.texts) == len([c for c in fake.calls if c.method.startswith("chat.")])


async def test_turn_guard_journals_each_layout_change_before_it_is_made() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    journalled: list[tuple[str, int]] = []
    fake.fault = lambda call: journalled.append((call.method, guard.layout_changes))
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), guard=guard)
        await reply.open(THINKING)
        reply.show(writing(words(4000)))
        await asyncio.sleep(20)
        await reply.finish(done("Short."))
    methods = [method for method, _ in journalled]
    posts, deletes = methods.count("chat.postMessage"), methods.count("chat.delete")
    assert posts - 1 == deletes > 0
    assert journalled[0] == ("chat.postMessage", 0)
    moves = [count for method, count in journalled[1:] if method != "chat.update"]
    assert moves == list(range(1, posts + deletes))


async def test_turn_guard_that_cannot_journal_prevents_deletes_but_no_posts() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    guard.can_journal = False
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), guard=guard)
        await reply.open(THINKING)
        reply.show(writing(words(4000)))
        await asyncio.sleep(20)
        assert (posts := fake.count("chat.postMessage")) > 1
        ending = asyncio.create_task(reply.finish(done("Short.")))
        await asyncio.sleep(60)
        assert fake.count("chat.delete") == 0
        assert guard.layout_changes < 40, "it is tried again, but not all the time"
        guard.can_journal = True
        await ending
    assert fake.count("chat.delete") == posts - 1
    assert full_text(fake) == "Short."


async def test_turn_guard_without_a_lease_delays_every_write() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), guard=guard)
        await reply.open(THINKING)
        guard.has_lease, guard.lease_checks = False, 0
        made = len(fake.calls)
        for n in range(100):
            reply.show(writing("word " * n))
            await asyncio.sleep(0.1)
        finishing = asyncio.create_task(reply.finish(done("All of it.")))
        await asyncio.sleep(20)
        assert len(fake.calls) == made
        assert guard.lease_checks < 1000
        guard.has_lease, before = True, now()
        await finishing
        assert now() - before <= 0.5 + fake.latency
    assert [m.markdown for m in fake.messages.values()] == ["All of it."]


async def test_turn_guard_without_a_lease_delays_the_placeholder() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    guard.has_lease = False
    async with open_delivery(fake) as delivery:
        opening = asyncio.create_task(delivery.create_reply(question(), guard=guard).open(THINKING))
        await asyncio.sleep(5)
        assert fake.calls == []
        guard.has_lease = True
        await asyncio.sleep(0.6)
        assert opening.done()
        await opening


async def test_turn_guard_without_a_lease_prevents_repeating_a_lost_post() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    failing = fail_once("chat.postMessage", 500)

    def fault(call: Call) -> str | int | None:
        if call.method == "conversations.replies":
            guard.has_lease = False
        return failing(call)

    fake.fault = fault
    async with open_delivery(fake) as delivery:
        opening = asyncio.create_task(delivery.create_reply(question(), guard=guard).open(THINKING))
        await asyncio.sleep(20)
        assert fake.count("chat.postMessage") == 1
        fake.fault, guard.has_lease = (lambda call: None), True
        await opening
    assert len(fake.messages) == 1


async def test_abandoned_reply_writes_nothing_more() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    lost: list[SlackRefused | Stopped | QuestionDeleted] = []
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), guard=guard, on_reader_lost=lost.append)
        await reply.open(THINKING)
        reply.show(writing("The beginning"))
        await asyncio.sleep(2)
        fake.delay = lambda call: 5.0
        finishing = asyncio.create_task(reply.finish(done("The end.")))
        await asyncio.sleep(1)
        recorded = len(guard.texts)
        reply.abandon()
        with pytest.raises(LeaseLost):
            await finishing
        reply.show(writing("More"))
        made = len(fake.calls)
        await asyncio.sleep(60)
        assert len(fake.calls) == made
        assert len(guard.texts) == recorded
        with pytest.raises(LeaseLost):
            await reply.finish(done("More"))
    assert lost == []


async def test_abandoned_reply_ends_the_wait_for_its_placeholder() -> None:
    fake = FakeSlack()
    fake.fault = fail_always("chat.postMessage", 503)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        opening = asyncio.create_task(reply.open(THINKING))
        await asyncio.sleep(1)
        reply.abandon()
        with pytest.raises(LeaseLost):
            await opening
        made = len(fake.calls)
        await asyncio.sleep(60)
        assert len(fake.calls) == made


async def test_abandoned_reply_that_is_finished_stays_as_it_is() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        await reply.finish(done("Here."))
        made = len(fake.calls)
        reply.abandon()
        await reply.finish(done("Here."))
        await asyncio.sleep(60)
        assert len(fake.calls) == made
    assert full_text(fake) == "Here."
