"""Ephemeral answers to slash commands, and public ones that are refused."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from bot.errors import SlackRefused
from bot.values import Draft, Phase
from tests.unit.delivery.delivery_setup import (
    THINKING,
    command,
    done,
    fail_always,
    fail_once,
    open_delivery,
    question,
    words,
    writing,
)
from tests.unit.delivery.fake_slack import FakeSlack


async def answer(fake: FakeSlack, draft: Draft, *, public: bool = False) -> None:
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(command(public=public))
        await reply.open(THINKING)
        reply.show(writing(draft.text[:20]))
        await reply.finish(draft)


def text_of(message: Any) -> str:
    return "\n".join(block["text"] for block in message["blocks"] if block["type"] == "markdown")


async def test_ephemeral_reply_is_one_message_when_it_is_complete() -> None:
    fake = FakeSlack()
    await answer(fake, done("It is **so**."))
    [message] = fake.ephemeral_messages
    assert text_of(message) == "It is **so**."
    assert message["response_type"] == "ephemeral"
    assert "Why?" in json.dumps(message["blocks"])  # the question is above its answer
    assert fake.messages == {}


async def test_ephemeral_reply_continues_a_long_answer_in_the_dm() -> None:
    fake = FakeSlack()
    text = words(5000)
    await answer(fake, done(text))
    [private] = fake.ephemeral_messages
    dm = [message.markdown for message in fake.messages.values()]
    assert len(dm) >= 2
    assert " ".join([text_of(private), *dm]).split() == text.split()
    assert {message.channel for message in fake.messages.values()} == {"DU1"}


@pytest.mark.parametrize("error", ["used_url", "expired_url", "no_such_hook"])
async def test_ephemeral_reply_with_a_used_up_url_goes_to_the_dm(error: str) -> None:
    fake = FakeSlack()
    fake.fault = fail_always("response_url", error)
    text = words(4000)
    await answer(fake, done(text))
    assert fake.ephemeral_messages == []
    assert " ".join(m.markdown for m in fake.messages.values()).split() == text.split()


async def test_ephemeral_reply_without_a_url_goes_to_the_dm() -> None:
    fake = FakeSlack()
    async with open_delivery(fake) as delivery:
        place = command().place
        await delivery.create_reply(question(place=place, ts=None)).finish(done("Here."))
    assert [m.markdown for m in fake.messages.values()] == ["Here."]


async def test_ephemeral_reply_retries_an_unreachable_url_with_a_duplicate_notice() -> None:
    fake = FakeSlack()
    fake.fault = fail_once("response_url", 500)
    await answer(fake, done("Here."))
    [message] = fake.ephemeral_messages
    assert text_of(message) == "Here."
    assert "twice" in json.dumps(message["blocks"][-2])
    assert message["blocks"][-1]["type"] == "actions"


async def test_ephemeral_reply_with_an_unreachable_url_goes_to_the_dm() -> None:
    fake = FakeSlack()
    fake.fault = fail_always("response_url", 500)
    await answer(fake, done("Here."))
    assert fake.count("response_url") == 3
    assert [m.markdown for m in fake.messages.values()] == ["Here."]


async def test_ephemeral_reply_waits_for_a_rate_limited_url() -> None:
    fake = FakeSlack()
    fake.fault = fail_once("response_url", "429:3")
    await answer(fake, done("Here."))
    assert [text_of(message) for message in fake.ephemeral_messages] == ["Here."]


async def test_ephemeral_reply_opens_the_dm_with_any_number_of_retries() -> None:
    fake = FakeSlack()
    gone = fail_always("response_url", "used_url")
    calls = count()
    faults: list[str | int | None] = ["429:5", 500, None]
    fake.fault = lambda call: (
        faults[next(calls)] if call.method == "conversations.open" else gone(call)
    )
    await answer(fake, done("Here."))
    assert [m.markdown for m in fake.messages.values()] == ["Here."]


async def test_ephemeral_reply_raises_when_the_dm_is_closed_too() -> None:
    fake = FakeSlack()
    fake.fault = lambda call: "used_url" if call.method == "response_url" else "user_not_found"
    with pytest.raises(SlackRefused, match="user_not_found"):
        await answer(fake, done("Here."))


async def test_ephemeral_reply_shows_a_failure() -> None:
    fake = FakeSlack()
    await answer(fake, Draft(Phase.FAILED, "", "The model's server is overloaded right now."))
    [message] = fake.ephemeral_messages
    assert "overloaded" in json.dumps(message["blocks"])


async def test_public_reply_is_a_channel_message_that_shows_who_asked_what() -> None:
    fake = FakeSlack()
    await answer(fake, done("For all."), public=True)
    [message] = fake.messages.values()
    assert (message.channel, message.thread_ts, message.markdown) == ("C1", None, "For all.")
    assert "U1" in json.dumps(message.blocks)
    assert "Why?" in json.dumps(message.blocks)
    assert fake.ephemeral_messages == []


async def test_public_reply_continues_a_long_answer_in_its_own_thread() -> None:
    fake = FakeSlack()
    await answer(fake, done(words(4000)), public=True)
    first, *rest = fake.messages.values()
    assert rest
    assert {message.thread_ts for message in rest} == {first.ts}


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found", "restricted_action"])
async def test_public_reply_that_may_not_post_answers_the_asker_only(
    code: str,
) -> None:
    fake = FakeSlack()
    fake.fault = fail_always("chat.postMessage", code)
    await answer(fake, done("Only for you."), public=True)
    notice, private = fake.ephemeral_messages
    assert "can't post in this channel" in notice["text"]
    assert text_of(private) == "Only for you."
