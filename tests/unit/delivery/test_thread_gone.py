"""Posts that Slack puts outside of their thread, because its root is gone, are deleted."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import QuestionDeleted, SlackRefused, Stopped, ThreadGone
from bot.values import REMOVED_DRAFT, Draft, Phase
from tests.unit.delivery.delivery_setup import (
    ROOT,
    THINKING,
    MemoryGuard,
    done,
    fail_once,
    open_delivery,
    question,
    words,
    writing,
)
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write

Lost = list[SlackRefused | Stopped | QuestionDeleted]


@pytest.mark.parametrize("text", ["", "The beginning", words(5000)], ids=["none", "one", "parts"])
async def test_placeholder_outside_of_its_thread_is_deleted_and_nothing_follows(text: str) -> None:
    fake, guard, lost = FakeSlack(), MemoryGuard(), Lost()
    fake.deleted_roots.add(ROOT)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), guard=guard, on_reader_lost=lost.append)
        await reply.open(THINKING)
        assert [type(error) for error in lost] == [QuestionDeleted]
        reply.show(writing(text))
        await reply.finish(REMOVED_DRAFT)
    assert fake.messages == {}
    assert guard.messages == ()
    assert fake.count("chat.postMessage") == 1


async def test_later_part_outside_of_its_thread_takes_the_whole_answer_with_it() -> None:
    fake, lost = FakeSlack(), Lost()
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), on_reader_lost=lost.append)
        await reply.open(THINKING)
        reply.show(writing(words(1000)))
        await asyncio.sleep(2)
        fake.deleted_roots.add(ROOT)
        await reply.finish(done(words(5000)))
    assert fake.messages == {}
    assert len(lost) == 1


async def test_lost_post_is_found_outside_of_its_thread() -> None:
    fake = FakeSlack()
    fake.deleted_roots.add(ROOT)
    fake.fault = fail_once("chat.postMessage", "lost")
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        await reply.finish(done("The end."))
    assert fake.messages == {}
    assert fake.count("chat.postMessage") == 1


async def test_find_messages_finds_messages_outside_of_a_thread_that_is_gone() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:  # the process dies before it deletes the message
        fake.deleted_roots.add(ROOT)
        fake.fault = lambda call: 500 if call.method == "chat.delete" else None
        await delivery.create_reply(question()).open(THINKING)
    [stray] = fake.messages
    fake.fault = lambda call: None
    async with open_delivery(fake) as delivery:
        with pytest.raises(ThreadGone) as gone:
            await delivery.find_messages(question())
        assert gone.value.misplaced == (stray,)
        with pytest.raises(SlackRefused) as other:
            await delivery.find_messages(question(1, channel="C0"))
        assert other.value.code == "thread_not_found"


@pytest.mark.parametrize("refused", [False, True], ids=["lands outside", "is refused"])
async def test_stream_of_a_thread_that_is_gone_is_deleted(refused: bool) -> None:
    fake, lost = StreamingSlack(), Lost()
    fake.deleted_roots.add(ROOT)
    if refused:
        fake.fault = fail_once("chat.startStream", "thread_not_found")
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm(), on_reader_lost=lost.append)
        await reply.open(THINKING)
        await write(reply, "A line that lasts.\n\nAnother line.\n\n", 5)
        await reply.finish(done("A line that lasts.\n\nAnother line.\n\nThe end."))
        await reply.wait_cleanup()
    assert fake.messages == {}
    assert [type(error) for error in lost] == [QuestionDeleted]


async def test_stream_whose_end_does_not_name_its_thread_stays_where_that_is_there() -> None:
    fake, lost = StreamingSlack(), Lost()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm(), on_reader_lost=lost.append)
        await reply.open(THINKING)
        await write(reply, "A line that lasts.\n\n", 2)
        for stream in fake.streams:
            stream.thread_ts = None  # as if Slack left it out
        await reply.finish(done("A line that lasts.\n\nThe end."))
    assert len(fake.messages) == 1
    assert lost == []


async def test_refusal_message_is_deleted_where_the_thread_is_gone() -> None:
    fake = FakeSlack()
    fake.deleted_roots.add(ROOT)
    async with open_delivery(fake) as delivery:
        await delivery.post_if_unanswered(question(), Draft(Phase.FAILED, "", "Not now."))
    assert fake.messages == {}


async def test_post_without_a_thread_is_where_it_belongs() -> None:
    fake, lost = FakeSlack(), Lost()
    asked = question(ts=None)
    asked = question(place=asked.place.__class__("T1", "C1", "dm"), ts=None)
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(asked, on_reader_lost=lost.append)
        await reply.open(THINKING)
        await reply.finish(done("The end."))
    assert [message.markdown for message in fake.messages.values()] == ["The end."]
    assert lost == []
