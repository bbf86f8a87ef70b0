"""The status below a thread until its answer begins."""

from __future__ import annotations

import asyncio

import pytest

from bot.delivery.native.status import status_text
from bot.values import Draft, Phase
from bot.words import Phrase
from tests.support.virtual_time import now
from tests.support.words import EN, ZH, chinese
from tests.unit.delivery.delivery_setup import (
    THINKING,
    done,
    fail_always,
    open_delivery,
    question,
    words,
    writing,
)
from tests.unit.delivery.streaming_slack import StreamingSlack, dm, write

TEXT = words(100)


@pytest.mark.parametrize(
    ("draft", "status"),
    [
        (THINKING, "is thinking…"),
        (
            Draft(Phase.ASKING, status_line="Searching the web: otters"),
            "is searching the web: otters",
        ),
        (Draft(Phase.QUEUED, status_line="Waiting, 3 before you"), "is waiting, 3 before you"),
        (Draft(Phase.RECONNECTING, status_line="Reconnecting (2/5)…"), "is reconnecting (2/5)…"),
        (Draft(Phase.ASKING, status_line="Calling\n<!channel>"), "is calling <\u200b!channel>"),
    ],
)
def test_status_text_reads_on_behind_the_apps_name(draft: Draft, status: str) -> None:
    assert status_text(draft, EN) == status


@pytest.mark.parametrize("status", [Phrase.THINKING, Phrase.WAITING_IN_THREAD])
def test_status_text_in_chinese_is_the_status_line(status: Phrase) -> None:
    assert status_text(Draft(Phase.ASKING, status_line=chinese(status)), ZH) == chinese(status)
    assert status_text(THINKING, ZH) == chinese(Phrase.THINKING)


async def test_status_is_shown_until_the_first_text() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        assert fake.statuses == [(0.05, "is thinking…")]
        await asyncio.sleep(5)
        assert fake.streams == []
        await write(reply, TEXT, 2)
        await reply.finish(done(TEXT))
        await asyncio.sleep(300)
    assert len(fake.statuses) == 1, "Slack takes it away with our message"


async def test_status_is_renewed_before_two_minutes_are_over() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await asyncio.sleep(310)
        await reply.finish(done(TEXT))
    times = [at for at, said in fake.statuses if said]
    assert [round(at) for at in times] == [0, 100, 200, 300]


async def test_status_changes_twice_a_minute_at_most() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        for n in range(90):
            reply.show(Draft(Phase.ASKING, status_line=f"Searching the web: {n}"))
            await asyncio.sleep(1)
        await reply.finish(done(TEXT))
    assert [(round(at), said) for at, said in fake.statuses if said] == [
        (0, "is thinking…"),
        (30, "is searching the web: 29"),
        (60, "is searching the web: 59"),
        (90, "is searching the web: 89"),
    ]


@pytest.mark.parametrize("fault", ["missing_scope", "unknown_method", 500, "lost", "429:30"])
async def test_status_that_is_refused_is_replaced_by_an_empty_stream(fault: str | int) -> None:
    fake = StreamingSlack()
    fake.fault = fail_always("assistant.threads.setStatus", fault)
    async with open_delivery(fake, delivery="native") as delivery:
        for n in range(3):
            reply = delivery.create_reply(dm(n))
            before = now()
            await reply.open(THINKING)
            assert now() - before <= 0.2
            assert fake.streams[n].live
            await write(reply, TEXT, 2)
            await reply.finish(done(TEXT))
    assert [stream.markdown for stream in fake.streams] == [TEXT] * 3
    assert fake.count("assistant.threads.setStatus") == 1, "it is not asked again for a while"


async def test_status_that_takes_long_is_not_waited_for_and_cleared() -> None:
    fake = StreamingSlack()
    fake.delay = lambda call: 5.0 if "Status" in call.method else 0.0
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        assert now() < 3
        await write(reply, TEXT, 2)
        await asyncio.sleep(20)
        await reply.finish(done(TEXT))
    assert [said for _, said in fake.statuses] == ["is thinking…", ""]


async def test_empty_stream_is_replaced_by_an_edited_placeholder_before_slack_ends_it() -> None:
    fake = StreamingSlack()
    fake.fault = fail_always("assistant.threads.setStatus", "missing_scope")
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await asyncio.sleep(250)
        [message] = fake.messages.values()
        assert message.state == "Thinking…"
        await write(reply, TEXT, 2)
        await reply.finish(done(TEXT))
    [message] = fake.messages.values()
    assert message.markdown == TEXT


async def test_status_is_shown_again_between_two_streams() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native") as delivery:
        reply = delivery.create_reply(dm())
        await reply.open(THINKING)
        await write(reply, TEXT + "\n\n", 2)
        await asyncio.sleep(245)
        assert not fake.streams[0].live
        reply.show(Draft(Phase.STREAMING, TEXT + "\n\n", "Running code"))
        await asyncio.sleep(40)
        assert [said for _, said in fake.statuses[1:]] == ["is thinking…", "is running code"]
        await reply.finish(done(TEXT))
        await asyncio.sleep(1)
    assert fake.statuses[-1][1] == "", "no message of ours takes it away"
    assert "".join(m.markdown for m in fake.messages.values()).split() == TEXT.split()


async def test_edited_reply_has_a_placeholder_and_no_status() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="auto") as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(writing(TEXT))
        await reply.finish(done(TEXT))
    assert fake.statuses == []
