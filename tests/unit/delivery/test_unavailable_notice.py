"""A notice that several processes post in place of one answer is shown once."""

from __future__ import annotations

import asyncio

import pytest

from bot.delivery.delivery import Delivery
from bot.values import Draft, Phase
from tests.unit.delivery.delivery_setup import (
    THINKING,
    command,
    done,
    fail_always,
    fail_once,
    open_delivery,
    question,
)
from tests.unit.delivery.fake_slack import FakeSlack

SORRY = Draft(Phase.FAILED, "", "Not now.")


def posted_texts(fake: FakeSlack) -> list[str]:
    return [message.text for message in fake.messages.values()]


@pytest.mark.parametrize("apart", [0.0, 0.05, 0.15, 0.25, 1.0])
async def test_unavailable_notice_of_two_processes_is_shown_once(apart: float) -> None:
    fake = FakeSlack()

    async def say(delivery: Delivery, after: float) -> None:
        await asyncio.sleep(after)
        await delivery.post_if_unanswered(question(), SORRY)

    async with open_delivery(fake) as one, open_delivery(fake) as two:
        await asyncio.gather(say(one, 0.0), say(two, apart))
    assert posted_texts(fake) == ["Not now."]


async def test_unavailable_notice_is_not_posted_where_an_answer_exists() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as one, open_delivery(fake) as two:
        reply = one.create_reply(question())
        await reply.open(THINKING)
        await two.post_if_unanswered(question(), SORRY)
        await reply.finish(done("Because."))
    assert [message.markdown for message in fake.messages.values()] == ["Because."]


@pytest.mark.parametrize("fault", ["missing_scope", 500])
async def test_unavailable_notice_is_posted_where_the_bot_may_not_read(fault: str | int) -> None:
    fake = FakeSlack()
    fake.fault = fail_always("conversations.replies", fault)
    async with open_delivery(fake) as delivery:
        await delivery.post_if_unanswered(question(), SORRY)
    assert posted_texts(fake) == ["Not now."]


async def test_unavailable_notice_is_posted_once_when_its_response_is_lost() -> None:
    fake = FakeSlack()
    fake.fault = fail_once("chat.postMessage", "lost")
    async with open_delivery(fake) as delivery:
        await delivery.post_if_unanswered(question(), SORRY)
    assert posted_texts(fake) == ["Not now."]


async def test_unavailable_notice_for_a_command_is_sent_without_reading() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        await delivery.post_if_unanswered(command(), SORRY)
    assert [call.method for call in fake.calls] == ["response_url"]
