"""While edits are short, the first text waits for the first message or replaces the placeholder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.delivery import Reply
from bot.delivery.delivery import Delivery
from bot.delivery.scheduling.edit_scheduler import MAX_HOLD_SECONDS
from bot.values import REMOVED_DRAFT, Place
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    THINKING,
    MemoryGuard,
    done,
    fail_once,
    open_delivery,
    question,
    shown_messages,
    words,
    writing,
)
from tests.unit.delivery.fake_slack import Call, FakeSlack

POST, EDIT, DELETE = "chat.postMessage", "chat.update", "chat.delete"
TEXT = words(60) + "."


def methods(fake: FakeSlack) -> list[str]:
    return [call.method for call in fake.calls]


@asynccontextmanager
async def short_of_edits(fake: FakeSlack, **asked: Any) -> AsyncIterator[tuple[Delivery, Reply]]:
    """A reply whose placeholder stands, in a workspace whose edits are reserved for final texts."""
    guard = asked.pop("guard", None)
    async with open_delivery(fake, edits_per_minute=1) as delivery:
        reply = delivery.create_reply(question(**asked), guard=guard)
        await reply.open(THINKING)
        yield delivery, reply


async def replace_placeholder(reply: Reply) -> None:
    """Show a first text, and give it the time of a post and a delete."""
    reply.show(writing(TEXT))
    await asyncio.sleep(1)


async def test_first_message_waits_for_text_while_edits_are_short() -> None:
    fake = FakeSlack()
    async with open_delivery(fake, edits_per_minute=1) as delivery:
        reply = delivery.create_reply(question())
        opened = asyncio.create_task(reply.open(THINKING))
        await asyncio.sleep(0.5)
        assert not fake.calls
        reply.show(writing(TEXT))
        await opened
        await reply.finish(done(TEXT))
        await reply.wait_cleanup()
    assert [m.history for m in fake.messages.values()] == [[TEXT, TEXT]]


async def test_first_message_waits_no_longer_than_its_maximum() -> None:
    fake = FakeSlack()
    async with short_of_edits(fake):
        assert now() == pytest.approx(MAX_HOLD_SECONDS + fake.latency, abs=0.02)
        assert "Slack takes few changes" in next(iter(fake.messages.values())).states[0]


async def test_placeholder_is_replaced_by_the_first_text() -> None:
    fake = FakeSlack()
    async with short_of_edits(fake) as (_, reply):
        await replace_placeholder(reply)
        assert methods(fake) == [POST, POST, DELETE]
        assert [m.markdown for m in fake.messages.values()] == [TEXT]
        await reply.finish(done(TEXT + " end"))
        await reply.wait_cleanup()
    assert [m.markdown for m in fake.messages.values()] == [TEXT + " end"]


async def test_replacement_in_a_direct_message_is_no_reply_to_the_placeholder() -> None:
    fake = FakeSlack()
    place = Place("T1", "D1", "dm", None)
    async with short_of_edits(fake, place=place, ts=None) as (_, reply):
        await replace_placeholder(reply)
        await reply.finish(done(words(4000)))
        await reply.wait_cleanup()
    first, *others = fake.messages.values()
    assert first.thread_ts is None
    assert others
    assert {other.thread_ts for other in others} == {first.ts}


async def test_lost_response_of_a_replacement_does_not_double_it() -> None:
    fake = FakeSlack()
    fake.fault = fail_once(POST, "lost", after=1)
    async with short_of_edits(fake) as (_, reply):
        await replace_placeholder(reply)
        await reply.finish(done(TEXT))
        await reply.wait_cleanup()
    assert fake.count(POST) == 2
    assert [m.markdown for m in fake.messages.values()] == [TEXT]


@pytest.mark.parametrize("fault", ["lost", 500, "429:2", "message_not_found"])
async def test_failed_delete_of_a_placeholder_delays_no_text(fault: str | int) -> None:
    fake = FakeSlack()
    fake.fault = fail_once(DELETE, fault)
    async with short_of_edits(fake) as (_, reply):
        await replace_placeholder(reply)
        before = now()
        await reply.finish(done(TEXT + " end"))
        assert now() - before < 3
        await reply.wait_cleanup()
    texts = [m.markdown for m in fake.messages.values()]
    assert texts == (["", TEXT + " end"] if fault == "message_not_found" else [TEXT + " end"])


async def test_text_does_not_wait_for_the_limit_of_deletes() -> None:
    fake = FakeSlack()
    fake.fault = lambda call: "429:30" if call.method == DELETE and now() < 30 else None
    async with short_of_edits(fake) as (_, reply):
        await replace_placeholder(reply)
        reply.show(writing(TEXT + words(340)))  # the last word may not be complete
        await asyncio.sleep(15)
        assert sum(len(m.markdown.split()) for m in fake.messages.values()) == 399
        await reply.finish(done(TEXT + words(340)))
        await reply.wait_cleanup()
        await asyncio.sleep(70)
    assert all(m.markdown for m in fake.messages.values())


async def test_placeholder_points_to_the_text_when_it_can_not_be_deleted_soon() -> None:
    fake = FakeSlack()
    async with short_of_edits(fake) as (delivery, first):
        await replace_placeholder(first)
        fake.fault = fail_once(DELETE, "429:300")
        second = delivery.create_reply(question(1))
        await second.open(THINKING)
        await replace_placeholder(second)
        third = delivery.create_reply(question(2))
        await third.open(THINKING)
        await replace_placeholder(third)
        await third.finish(done(TEXT))
        await asyncio.sleep(400)
    mine = [m for m in fake.messages.values() if m.channel == "C2"]
    assert [(m.markdown, m.state) for m in mine] == [("", "The answer is below."), (TEXT, "")]


async def test_replacement_is_journalled_before_it_is_posted() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    moves_at_post: list[int] = []

    def look(call: Call) -> None:
        if call.method == POST:
            moves_at_post.append(guard.layout_changes)

    fake.fault = look
    async with short_of_edits(fake, guard=guard) as (_, reply):
        await replace_placeholder(reply)
    assert moves_at_post == [0, 1]
    assert guard.messages == shown_messages(fake)


async def test_placeholder_stays_while_its_deletion_can_not_be_journalled() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with short_of_edits(fake, guard=guard) as (_, reply):
        guard.can_journal = False
        await replace_placeholder(reply)
        assert [m.markdown for m in fake.messages.values()] == ["", TEXT]
        assert guard.messages == shown_messages(fake)[::-1], "what is to be deleted comes last"
        guard.can_journal = True
        await reply.finish(done(TEXT))
        await reply.wait_cleanup()
    assert [m.markdown for m in fake.messages.values()] == [TEXT]


@pytest.mark.parametrize("from_slack", [True, False], ids=["read from Slack", "from the journal"])
async def test_answer_taken_over_before_its_placeholder_was_deleted_stands_once(
    from_slack: bool,
) -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with short_of_edits(fake, guard=guard) as (_, reply):
        guard.can_journal = False
        await replace_placeholder(reply)
        guard.has_lease = False
        placeholder, _ = fake.messages
    whole = TEXT + words(4000)
    async with open_delivery(fake) as delivery:
        existing = guard.messages
        if from_slack:
            existing = await delivery.find_messages(question(), existing)
        reply = delivery.create_reply(question(), existing=existing)
        await reply.finish(done(whole))
        await reply.wait_cleanup()
    texts = [m.markdown for m in fake.messages.values()]
    assert "\n\n".join(texts) == whole, "nothing lost, nothing twice, in order"
    assert placeholder not in fake.messages


async def test_removed_answer_leaves_neither_placeholder_nor_replacement() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with short_of_edits(fake, guard=guard) as (_, reply):
        guard.can_journal = False
        await replace_placeholder(reply)
        guard.can_journal = True
        await reply.finish(REMOVED_DRAFT)
        await reply.wait_cleanup()
    assert not fake.messages


async def test_text_does_not_wait_for_a_deletion_that_fails_again_and_again() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with short_of_edits(fake, guard=guard) as (_, reply):
        guard.can_journal = False
        await replace_placeholder(reply)
        before = now()
        await reply.finish(done(TEXT + " end"))
        assert now() - before < 1
        await asyncio.sleep(60)
        assert guard.layout_changes < 15, "a pause that grows"


async def test_closing_delivery_deletes_a_replaced_placeholder() -> None:
    fake, guard = FakeSlack(), MemoryGuard()
    async with short_of_edits(fake, guard=guard) as (_, reply):
        guard.can_journal = False
        await replace_placeholder(reply)
        await reply.finish(done(TEXT))
        guard.can_journal = True
    assert [m.markdown for m in fake.messages.values()] == [TEXT]
