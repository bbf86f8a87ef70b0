"""Edited replies after Slack has refused a write."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import QuestionDeleted, SlackRefused, Stopped
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    TEXT,
    THINKING,
    done,
    fail_always,
    full_text,
    open_delivery,
    question,
    words,
    write_answer,
    writing,
)
from tests.unit.delivery.fake_slack import Call, FakeSlack


@pytest.mark.parametrize(
    "code",
    [
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "restricted_action_thread_locked",
        "account_inactive",
        "token_revoked",
    ],
)
async def test_refused_placeholder_is_raised_by_open(code: str) -> None:
    fake = FakeSlack()
    fake.fault = fail_always("chat.postMessage", code)
    lost: list[SlackRefused | Stopped | QuestionDeleted] = []
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), on_reader_lost=lost.append)
        with pytest.raises(SlackRefused) as refusal:
            await reply.open(THINKING)
        assert refusal.value.code == code
        assert lost == []
        with pytest.raises(SlackRefused):
            await reply.finish(done(TEXT))
    assert len(fake.calls) == 1


async def test_deleted_placeholder_ends_the_answer() -> None:
    fake = FakeSlack()
    lost: list[SlackRefused | Stopped | QuestionDeleted] = []
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question(), on_reader_lost=lost.append)
        await reply.open(THINKING)
        fake.messages.clear()
        for n in range(100):
            reply.show(writing("word " * n))
            await asyncio.sleep(0.1)
        assert [getattr(error, "code", "") for error in lost] == ["message_not_found"]
        with pytest.raises(SlackRefused):
            await reply.finish(done(TEXT))
    assert fake.count("chat.update") == 1


async def test_refused_blocks_are_replaced_by_plain_text() -> None:
    fake = FakeSlack()
    fake.fault = lambda call: "invalid_blocks" if call.arguments.get("blocks") else None
    await write_answer(fake, "Plain *words* <b> and `code`.")
    [message] = fake.messages.values()
    assert message.blocks == []
    assert message.text == "Plain *words* &lt;b&gt; and `code`."


async def test_plain_text_keeps_to_the_size_limit_of_an_edit() -> None:
    fake = FakeSlack()
    fake.fault = lambda call: "invalid_blocks" if call.arguments.get("blocks") else None
    text = words(3000)
    await write_answer(fake, text)
    assert " ".join(m.text for m in fake.messages.values()).split() == text.split()
    assert max(len(m.text) for m in fake.messages.values()) <= 4000


async def test_message_that_is_too_long_is_shortened_until_it_fits() -> None:
    fake = FakeSlack()

    def too_long(call: Call) -> str | None:
        size = sum(len(b.get("text", "")) for b in call.arguments.get("blocks", ()))
        return "msg_too_long" if size > 3000 else None

    fake.fault = too_long
    text = words(2000)
    await write_answer(fake, text)
    assert len(fake.messages) > 3
    assert full_text(fake).split() == text.split()


async def test_message_that_stays_too_long_is_given_up() -> None:
    fake = FakeSlack()
    fake.fault = fail_always("chat.update", "msg_too_long")
    async with open_delivery(fake) as delivery:
        reply = delivery.create_reply(question())
        await reply.open(THINKING)
        with pytest.raises(SlackRefused):
            await reply.finish(done(TEXT))


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
async def test_message_that_cannot_be_edited_is_continued_below(code: str) -> None:
    fake = FakeSlack()
    first: list[str] = []

    def closed(call: Call) -> str | None:
        if now() > 5 and call.arguments.get("ts") in first:
            return code
        first[:] = first or list(fake.messages)
        return None

    fake.fault = closed
    await write_answer(fake)
    assert len(fake.messages) == 2
    assert full_text(fake).split() == TEXT.split()


async def test_placeholder_that_cannot_be_edited_has_its_answer_below() -> None:
    fake = FakeSlack()
    first: list[str] = []

    def closed(call: Call) -> str | None:
        if call.arguments.get("ts") in first:
            return "cant_update_message"
        first[:] = first or list(fake.messages)
        return None

    fake.fault = closed
    await write_answer(fake)
    assert full_text(fake).split() == TEXT.split()
