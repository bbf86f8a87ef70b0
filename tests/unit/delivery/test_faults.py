"""Edited replies while Slack limits calls, refuses them or loses responses: nothing is lost."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from bot.delivery import Reply
from bot.delivery.delivery import Delivery
from bot.values import Draft, Phase
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    TEXT,
    THINKING,
    done,
    fail_always,
    fail_once,
    full_text,
    open_delivery,
    question,
    words,
    write_answer,
    writing,
)
from tests.unit.delivery.fake_slack import Call, FakeSlack


async def test_final_text_goes_out_as_a_message_after_a_429_on_the_last_edit() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(writing("The beginning"))
        await asyncio.sleep(2)
        fake.fault = fail_once("chat.update", "429:30")
        before = now()
        await reply.finish(done("The beginning and the end."))
        assert now() - before < 1
        assert full_text(fake).split() == ["The", "beginning", "and", "the", "end."]
        await asyncio.sleep(60)
    assert [m.state for m in fake.messages.values()] == ["", ""]


async def test_edit_dispatcher_makes_no_edit_during_the_retry_after_of_a_429() -> None:
    fake = FakeSlack()
    fake.fault = fail_once("chat.update", "429:7", after=3)
    await write_answer(fake)
    limited = next(c.at for c in fake.calls if c.outcome == "429")
    after = [c.at for c in fake.calls if c.method == "chat.update" and c.at > limited]
    assert after[0] >= limited + 7
    assert full_text(fake).split() == TEXT.split()


@pytest.mark.parametrize("fault", [500, 502, 200, "fatal_error", "internal_error", "lost"])
async def test_failed_edit_is_repeated_with_the_newest_text(fault: str | int) -> None:
    fake = FakeSlack()
    calls = count()
    fake.fault = lambda call: fault if call.method == "chat.update" and next(calls) % 2 else None
    await write_answer(fake)
    [message] = fake.messages.values()
    assert message.markdown == TEXT
    assert message.state == ""


async def test_edited_reply_waits_while_slack_is_out_of_reach_for_minutes() -> None:
    fake = FakeSlack()
    fake.fault = lambda call: 503 if 3 < now() < 200 else None
    await write_answer(fake)
    [message] = fake.messages.values()
    assert message.markdown == TEXT
    assert len([call for call in fake.calls if call.at < 200]) < 50


@pytest.mark.parametrize("every", [1, 2, 3, 5])
async def test_lost_responses_of_every_nth_write_leave_one_placeholder_and_one_answer(
    every: int,
) -> None:
    fake = FakeSlack()
    writes = count(1)

    def lose(call: Call) -> str | None:
        written = call.method.startswith("chat.")
        return "lost" if written and next(writes) % every == 0 and now() < 60 else None

    fake.fault = lose
    text = words(5000)
    await write_answer(fake, text)
    assert full_text(fake).split() == text.split()
    posted = [str(m.metadata) for m in fake.messages.values()]
    assert len(set(posted)) == len(posted)
    assert all(m.state == "" for m in fake.messages.values())


async def test_lost_post_that_was_not_made_is_made_once() -> None:
    fake = FakeSlack()
    fake.fault = fail_once("chat.postMessage", 500)
    await write_answer(fake)
    assert fake.count("chat.postMessage") == 2
    assert fake.count("conversations.replies") == 1
    [message] = fake.messages.values()
    assert message.markdown == TEXT


async def test_lost_post_at_the_top_of_a_channel_is_looked_for_there() -> None:
    fake = FakeSlack()
    fake.fault = fail_once("chat.postMessage", "lost")
    async with open_delivery(fake) as delivery:
        place = question().place.__class__("T1", "D1", "dm")
        reply = delivery.create_reply(question(place=place, ts=None))
        await reply.open(THINKING)
        await reply.finish(done("Here."))
    assert fake.count("conversations.history") == 1
    [message] = fake.messages.values()
    assert message.markdown == "Here."


async def test_lost_post_is_repeated_where_reading_is_not_allowed() -> None:
    fake = FakeSlack()
    lost = fail_once("chat.postMessage", 500)
    refused = fail_always("conversations.replies", "missing_scope")
    fake.fault = lambda call: lost(call) or refused(call)
    await write_answer(fake)
    assert len(fake.messages) == 1


async def test_edited_reply_continues_after_an_unexpected_failure() -> None:
    fake = FakeSlack()
    broken = iter([True, False])

    def bug(call: Call) -> None:
        if call.method == "chat.update" and next(broken, False):
            raise RuntimeError("unexpected")

    fake.fault = bug
    await write_answer(fake)
    assert full_text(fake) == TEXT


async def test_final_status_line_is_below_the_text_of_the_last_message_only() -> None:
    fake = FakeSlack()
    text = words(4000)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(writing(text))
        await asyncio.sleep(5)
        await reply.finish(Draft(Phase.CUT_OFF, text, "Cut off at the length limit"))
    states = [m.state for m in fake.thread("900.1")]
    assert states[-1] == "Cut off at the length limit"
    assert set(states[:-1]) == {""}


async def finish_with_stale_footer(fake: FakeSlack, delivery: Delivery, limit: str) -> Reply:
    """Finish an answer whose last edit meets a rate limit, so that its end is a second message."""
    reply = delivery.create_reply(question())
    await reply.open(THINKING)
    reply.show(writing("The beginning"))
    await asyncio.sleep(2)
    fake.fault = fail_once("chat.update", limit)
    await reply.finish(done("The beginning and the end."))
    return reply


async def test_closing_delivery_removes_stale_footers() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        await finish_with_stale_footer(fake, delivery, "429:0.3")
        await asyncio.sleep(0.3)
        assert [m.state for m in fake.messages.values()] == ["Writing…", ""]
    assert [m.state for m in fake.messages.values()] == ["", ""]


async def test_wait_cleanup_returns_when_no_message_has_a_stale_footer() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        reply = await finish_with_stale_footer(fake, delivery, "429:5")
        assert [m.state for m in fake.messages.values()] == ["Writing…", ""]
        await reply.wait_cleanup()
        assert [m.state for m in fake.messages.values()] == ["", ""]


async def test_closing_delivery_leaves_no_task_running() -> None:
    fake = FakeSlack()
    fake.delay = lambda call: 1000.0
    async with open_delivery(fake) as delivery:
        opening = asyncio.create_task(delivery.create_reply(question()).open(THINKING))
        await asyncio.sleep(1)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}
