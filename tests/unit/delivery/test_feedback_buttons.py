"""Feedback buttons below finished answers, and what happens where Slack refuses them."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from bot.render.buttons import SHARE_ACTION
from bot.render.feedback import BLOCK_TYPE, has_feedback
from bot.values import Draft, Phase
from tests.unit.delivery.delivery_setup import (
    THINKING,
    command,
    done,
    fail_always,
    open_delivery,
    question,
    words,
    writing,
)
from tests.unit.delivery.fake_slack import Call, FakeSlack, Fault, Stored
from tests.unit.delivery.response_url_server import (
    ResponseUrlServer,
    UrlUse,
    buttons,
    delivery_with,
    markdown,
)
from tests.unit.delivery.streamed_answer import begin_answer
from tests.unit.delivery.streaming_slack import StreamingSlack

TEXT = "It is four."


def refused_blocks(method: str) -> Fault:
    return fail_always(
        method,
        "invalid_blocks",
        when=lambda call: has_feedback(json.dumps(call.arguments["blocks"], separators=(",", ":"))),
    )


def shows_buttons(message: Stored) -> bool:
    return any(block["type"] == BLOCK_TYPE for block in message.blocks)


def updates(fake: FakeSlack) -> list[Call]:
    return [call for call in fake.calls if call.method == "chat.update"]


async def test_buttons_come_with_the_last_edit() -> None:
    fake = FakeSlack()
    async with open_delivery(fake, feedback=True) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        reply.show(writing("It is"))
        await asyncio.sleep(5)
        await reply.finish(done(TEXT))
        await asyncio.sleep(60)
    [message] = fake.messages.values()
    assert shows_buttons(message)
    assert len(updates(fake)) == 2


async def test_only_the_last_message_of_a_long_answer_has_buttons() -> None:
    fake = FakeSlack()
    async with open_delivery(fake, feedback=True) as delivery:
        reply = delivery.create_reply(question())
        await reply.finish(done(words(4000)))
        await asyncio.sleep(60)
    shown = [shows_buttons(message) for message in fake.messages.values()]
    assert len(shown) > 1
    assert shown == [False] * (len(shown) - 1) + [True]


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.STOPPED, Phase.INTERRUPTED])
async def test_answer_that_did_not_succeed_has_none(phase: Phase) -> None:
    fake = FakeSlack()
    async with open_delivery(fake, feedback=True) as delivery:
        await delivery.create_reply(question()).finish(Draft(phase, TEXT))
    [message] = fake.messages.values()
    assert not shows_buttons(message)


async def test_refused_buttons_are_left_out_of_this_and_all_later_answers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake = FakeSlack()
    fake.fault = refused_blocks("chat.update")
    async with open_delivery(fake, feedback=True) as delivery:
        for n in range(2):
            reply = delivery.create_reply(question(n))
            await reply.open(THINKING)
            await reply.finish(done(TEXT))
    assert [message.markdown for message in fake.messages.values()] == [TEXT, TEXT]
    assert [call.outcome for call in updates(fake)] == ["invalid_blocks", "ok", "ok"]
    warned = [r for r in caplog.records if "FEEDBACK=off" in r.message]
    assert [record.levelno for record in warned] == [logging.WARNING]


async def test_blocks_that_are_refused_for_another_reason_do_not_cost_the_buttons() -> None:
    fake = FakeSlack()
    fake.fault = fail_always(
        "chat.update", "invalid_blocks", when=lambda call: bool(call.arguments["blocks"])
    )
    async with open_delivery(fake, feedback=True) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        await reply.finish(done(TEXT))
        assert delivery.feedback.shown
    [message] = fake.messages.values()
    assert message.text == TEXT


async def test_stream_is_stopped_with_the_buttons() -> None:
    fake = StreamingSlack()
    async with open_delivery(fake, delivery="native", feedback=True) as delivery:
        reply = await begin_answer(delivery)
        await reply.finish(done(words(600)))
    stops = [call for call in fake.calls if call.method == "chat.stopStream"]
    assert [block["type"] for block in stops[-1].arguments["blocks"]][-1] == BLOCK_TYPE
    assert updates(fake) == []


async def test_stream_whose_buttons_are_refused_ends_without_them() -> None:
    fake = StreamingSlack()
    refused, edits = refused_blocks("chat.stopStream"), refused_blocks("chat.update")
    fake.fault = lambda call: (
        (call.arguments.get("blocks") and refused(call)) or edits(call) or None
    )
    async with open_delivery(fake, delivery="native", feedback=True) as delivery:
        reply = await begin_answer(delivery)
        await reply.finish(done(words(600)))
        await asyncio.sleep(30)
        assert not delivery.feedback.shown
    [message] = fake.messages.values()
    assert message.markdown.split() == words(600).split()
    assert not shows_buttons(message)


async def test_ephemeral_answer_has_buttons() -> None:
    urls = ResponseUrlServer()
    delivery = delivery_with(urls, FakeSlack(), feedback=True)
    reply = delivery.create_reply(command())
    await reply.open(THINKING)
    await reply.finish(done(TEXT))
    [shown] = urls.below
    assert [block["type"] for block in shown["blocks"]][-1] == BLOCK_TYPE
    await delivery.aclose()


async def test_ephemeral_answer_whose_buttons_are_refused_is_sent_without_them() -> None:
    urls = ResponseUrlServer()
    urls.fault = lambda use: "invalid_blocks" if refused(use) else None
    delivery = delivery_with(urls, FakeSlack(), feedback=True)
    reply = delivery.create_reply(command())
    await reply.open(THINKING)
    await reply.finish(done(TEXT))
    [shown] = urls.below
    assert (markdown(shown), SHARE_ACTION in buttons(shown)) == (TEXT, True)
    assert not delivery.feedback.shown
    await delivery.aclose()


def refused(use: UrlUse) -> bool:
    return any(block["type"] == BLOCK_TYPE for block in use.body.get("blocks", ()))
