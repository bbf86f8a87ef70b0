"""What several processes say in place of one answer stands once."""

from __future__ import annotations

import asyncio

import pytest

from bot.delivery.delivery import Delivery
from bot.values import Draft, Phase
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.room import THINKING, always, command, delivery, done, once, question

SORRY = Draft(Phase.FAILED, "", "Not now.")


def said(fake: FakeSlack) -> list[str]:
    return [message.text for message in fake.messages.values()]


@pytest.mark.parametrize("apart", [0.0, 0.05, 0.15, 0.25, 1.0])
async def test_of_two_processes_that_say_the_same_one_is_read(apart: float) -> None:
    fake = FakeSlack()

    async def say(room: Delivery, after: float) -> None:
        await asyncio.sleep(after)
        await room.post_if_unanswered(question(), SORRY)

    async with delivery(fake) as one, delivery(fake) as two:
        await asyncio.gather(say(one, 0.0), say(two, apart))
    assert said(fake) == ["Not now."]


async def test_an_answer_that_somebody_gives_is_left_as_it_is() -> None:
    fake = FakeSlack()
    async with delivery(fake) as one, delivery(fake) as two:
        reply = one.create_reply(question())
        await reply.open(THINKING)
        await two.post_if_unanswered(question(), SORRY)
        await reply.finish(done("Because."))
    assert [message.markdown for message in fake.messages.values()] == ["Because."]


@pytest.mark.parametrize("fault", ["missing_scope", 500])
async def test_it_is_said_where_nothing_can_be_read(fault: str | int) -> None:
    fake = FakeSlack()
    fake.fault = always("conversations.replies", fault)
    async with delivery(fake) as room:
        await room.post_if_unanswered(question(), SORRY)
    assert said(fake) == ["Not now."]


async def test_it_is_said_once_where_the_answer_to_the_post_was_lost() -> None:
    fake = FakeSlack()
    fake.fault = once("chat.postMessage", "lost")
    async with delivery(fake) as room:
        await room.post_if_unanswered(question(), SORRY)
    assert said(fake) == ["Not now."]


async def test_a_command_is_told_without_a_look() -> None:
    fake = FakeSlack()
    async with delivery(fake) as room:
        await room.post_if_unanswered(command(), SORRY)
    assert [call.method for call in fake.calls] == ["response_url"]
