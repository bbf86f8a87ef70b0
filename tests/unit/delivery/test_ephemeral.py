"""Ephemeral answers and the rest of the bot: button presses, turn guard, takeover, closing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

import pytest

from bot.delivery.ephemeral import registry
from bot.errors import LeaseLost
from bot.render.buttons import SHOW_ACTION, STOP_ACTION
from bot.storage.records import ShownMessage, TurnCommand
from bot.values import Draft, Phase
from tests.support.virtual_time import now
from tests.unit.delivery.delivery_setup import (
    THINKING,
    MemoryGuard,
    command,
    done,
    fail_always,
    words,
    writing,
)
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.response_url_server import (
    ResponseUrlServer,
    UrlUse,
    buttons,
    delivery_with,
    markdown,
)


async def test_public_reply_that_may_not_post_has_a_working_acknowledgement() -> None:
    urls, fake = ResponseUrlServer(), FakeSlack()
    fake.fault = fail_always("chat.postMessage", "not_in_channel")
    delivery = delivery_with(urls, fake)
    reply = delivery.create_reply(command(public=True))
    await reply.open(THINKING)
    [notice] = urls.below
    assert "can't post in this channel" in notice["text"]
    assert buttons(notice) == [SHOW_ACTION, STOP_ACTION]
    reply.show(writing("Only for"))
    assert delivery.ephemeral.add_response_url(command().id, "U1", urls.press(), live=True)
    await asyncio.sleep(5)
    await reply.finish(done("Only for you."))
    assert urls.message
    assert markdown(urls.message) == "Only for you."
    assert urls.below == [notice]
    await delivery.aclose()


async def test_registry_takes_response_urls_of_the_asker_for_running_answers_only() -> None:
    urls = ResponseUrlServer()
    delivery = delivery_with(urls, FakeSlack())
    reply = delivery.create_reply(command())
    await reply.open(THINKING)
    assert not delivery.ephemeral.add_response_url(command().id, "U2", urls.press(), live=True)
    assert not delivery.ephemeral.add_response_url("never", "U1", urls.press(), live=True)
    assert delivery.ephemeral.find_ended(command().id) is None
    await reply.finish(done("Here."))
    assert not delivery.ephemeral.add_response_url(command().id, "U1", urls.press(), live=True)
    ended = delivery.ephemeral.find_ended(command().id)
    assert ended
    assert ended.draft == done("Here.")
    await delivery.aclose()


async def test_registry_keeps_ended_answers_up_to_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "ENDED_BYTES", 20 * 1000)

    delivery = delivery_with(ResponseUrlServer(), FakeSlack())
    for number in range(12):
        reply = delivery.create_reply(replace(command(), id=f"q{number}", text="∀" * 500))
        await reply.open(THINKING)
        await reply.finish(done("∃" * 500))
    remembered = [number for number in range(12) if delivery.ephemeral.find_ended(f"q{number}")]
    assert remembered == [8, 9, 10, 11]  # 4,000 bytes each, and a little
    await delivery.aclose()


async def test_registry_delivers_a_response_url_of_another_process() -> None:
    kinds: tuple[tuple[Literal["show", "end"], int], ...] = (("show", 2), ("end", 1))
    for kind, shown in kinds:
        urls = ResponseUrlServer()
        delivery = delivery_with(urls, FakeSlack())
        reply = delivery.create_reply(command())
        await reply.open(THINKING)
        reply.show(writing("One"))
        delivery.ephemeral.deliver_command(TurnCommand(command().id, "U1", kind, urls.press()))
        await asyncio.sleep(3)
        await reply.finish(done("One two."))
        assert len(urls.uses) == shown
        assert urls.below == []
        await delivery.aclose()


async def test_turn_guard_journals_an_ephemeral_message_before_and_records_it_after() -> None:
    for press in (False, True):
        urls, guard = ResponseUrlServer(), SendCounter()
        urls.fault = guard.assert_announced
        delivery = delivery_with(urls, FakeSlack())
        reply = delivery.create_reply(command(), guard=guard)
        await reply.open(THINKING)
        assert guard.sends == 0
        if press:
            delivery.ephemeral.add_response_url(command().id, "U1", urls.press(), live=False)
        await reply.finish(done("Here."))
        assert guard.sends == 1
        assert guard.messages == (ShownMessage("", "", "respond"),)
        assert guard.texts == ["Here."]
        await delivery.aclose()


class SendCounter(MemoryGuard):
    """Counts what is about to be sent; nothing may go out before."""

    def __init__(self) -> None:
        super().__init__()
        self.sends = 0

    async def before_unverifiable_send(self) -> None:
        self.sends += 1

    def assert_announced(self, use: UrlUse) -> None:
        assert self.sends


async def test_turn_guard_records_text_shown_by_the_live_view() -> None:
    urls, guard = ResponseUrlServer(), MemoryGuard()
    delivery = delivery_with(urls, FakeSlack())
    reply = delivery.create_reply(command(), guard=guard)
    await reply.open(THINKING)
    reply.show(writing(words(40)))
    delivery.ephemeral.add_response_url(command().id, "U1", urls.press(), live=True)
    await asyncio.sleep(1)
    assert (guard.messages, guard.texts) == ((), [words(40)])
    await delivery.aclose()


async def test_ephemeral_reply_does_not_repeat_a_message_of_another_process() -> None:
    for text, messages in (("Here.", 0), (words(4000), 1)):
        urls, fake = ResponseUrlServer(), FakeSlack()
        delivery = delivery_with(urls, fake)
        sent = (ShownMessage("", "", "respond"),)
        reply = delivery.create_reply(command(), existing=sent)
        await reply.open(THINKING)
        await reply.finish(done(text))
        assert urls.uses == []
        assert bool(fake.messages) is bool(messages)
        for message in fake.messages.values():
            assert message.markdown in text
            assert not text.startswith(message.markdown)
        await delivery.aclose()


async def test_ephemeral_reply_without_a_lease_waits() -> None:
    urls, guard = ResponseUrlServer(), MemoryGuard()
    guard.has_lease = False
    delivery = delivery_with(urls, FakeSlack())
    reply = delivery.create_reply(command(), guard=guard)
    await reply.open(THINKING)
    reply.show(writing(words(40)))
    delivery.ephemeral.add_response_url(command().id, "U1", urls.press(), live=True)
    finishing = asyncio.create_task(reply.finish(done("Here.")))
    await asyncio.sleep(30)
    assert urls.uses == []
    guard.has_lease = True
    await finishing
    assert len(urls.uses) == 1
    await delivery.aclose()


@pytest.mark.parametrize("ours", [True, False])
async def test_ephemeral_reply_that_is_abandoned_raises_lease_lost(ours: bool) -> None:
    urls, guard = ResponseUrlServer(), MemoryGuard()
    guard.has_lease = ours
    urls.fault = lambda use: 500
    delivery = delivery_with(urls, FakeSlack())
    reply = delivery.create_reply(command(), guard=guard)
    await reply.open(THINKING)
    finishing = asyncio.create_task(reply.finish(done("Here.")))
    await asyncio.sleep(0.5)
    made = len(urls.uses)
    reply.abandon()
    assert not delivery.ephemeral.add_response_url(command().id, "U1", urls.press(), live=True)
    with pytest.raises(LeaseLost):
        await finishing
    assert len(urls.uses) == made
    await delivery.aclose()


async def test_ephemeral_reply_can_finish_after_closing_waited_for_a_request() -> None:
    urls = ResponseUrlServer(latency=0.8)
    delivery = delivery_with(urls, FakeSlack())
    reply = delivery.create_reply(command())
    await reply.open(THINKING)
    reply.show(writing(words(40)))
    delivery.ephemeral.add_response_url(command().id, "U1", urls.press(), live=True)
    await asyncio.sleep(0.3)
    await delivery.aclose()
    shown = len(urls.uses)
    await asyncio.sleep(20)
    assert len(urls.uses) == shown  # no more of what is being written
    finishing = asyncio.create_task(reply.finish(Draft(Phase.INTERRUPTED, words(40))))
    await asyncio.sleep(0.1)
    before = now()
    await delivery.aclose()
    assert 0.5 < now() - before <= 1.0
    await finishing
    assert urls.message
    assert markdown(urls.message) == words(40)
