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
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.delivery.hooks import Hooks, Use, buttons, markdown
from tests.unit.delivery.hooks import room as room_of
from tests.unit.delivery.room import THINKING, MemoryGuard, always, command, done, words, writing


async def test_public_reply_that_may_not_post_has_a_working_acknowledgement() -> None:
    hooks, fake = Hooks(), FakeSlack()
    fake.fault = always("chat.postMessage", "not_in_channel")
    room = room_of(hooks, fake)
    reply = room.create_reply(command(public=True))
    await reply.open(THINKING)
    [notice] = hooks.below
    assert "can't post in this channel" in notice["text"]
    assert buttons(notice) == [SHOW_ACTION, STOP_ACTION]
    reply.show(writing("Only for"))
    assert room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=True)
    await asyncio.sleep(5)
    await reply.finish(done("Only for you."))
    assert hooks.note
    assert markdown(hooks.note) == "Only for you."
    assert hooks.below == [notice]
    await room.aclose()


async def test_registry_takes_response_urls_of_the_asker_for_running_answers_only() -> None:
    hooks = Hooks()
    room = room_of(hooks, FakeSlack())
    reply = room.create_reply(command())
    await reply.open(THINKING)
    assert not room.ephemeral.add_response_url(command().id, "U2", hooks.press(), live=True)
    assert not room.ephemeral.add_response_url("never", "U1", hooks.press(), live=True)
    assert room.ephemeral.find_ended(command().id) is None
    await reply.finish(done("Here."))
    assert not room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=True)
    ended = room.ephemeral.find_ended(command().id)
    assert ended
    assert ended.draft == done("Here.")
    await room.aclose()


async def test_registry_keeps_ended_answers_up_to_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "ENDED_BYTES", 20 * 1000)

    room = room_of(Hooks(), FakeSlack())
    for number in range(12):
        reply = room.create_reply(replace(command(), id=f"q{number}", text="∀" * 500))
        await reply.open(THINKING)
        await reply.finish(done("∃" * 500))
    remembered = [number for number in range(12) if room.ephemeral.find_ended(f"q{number}")]
    assert remembered == [8, 9, 10, 11]  # 4,000 bytes each, and a little
    await room.aclose()


async def test_registry_delivers_a_response_url_of_another_process() -> None:
    kinds: tuple[tuple[Literal["show", "end"], int], ...] = (("show", 2), ("end", 1))
    for kind, shown in kinds:
        hooks = Hooks()
        room = room_of(hooks, FakeSlack())
        reply = room.create_reply(command())
        await reply.open(THINKING)
        reply.show(writing("One"))
        room.ephemeral.deliver_command(TurnCommand(command().id, "U1", kind, hooks.press()))
        await asyncio.sleep(3)
        await reply.finish(done("One two."))
        assert len(hooks.uses) == shown
        assert hooks.below == []
        await room.aclose()


async def test_turn_guard_journals_an_ephemeral_message_before_and_records_it_after() -> None:
    for press in (False, True):
        hooks, guard = Hooks(), Sending()
        hooks.fault = guard.watch
        room = room_of(hooks, FakeSlack())
        reply = room.create_reply(command(), guard=guard)
        await reply.open(THINKING)
        assert guard.sends == 0
        if press:
            room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=False)
        await reply.finish(done("Here."))
        assert guard.sends == 1
        assert guard.messages == (ShownMessage("", "", "respond"),)
        assert guard.texts == ["Here."]
        await room.aclose()


class Sending(MemoryGuard):
    """Counts what is about to be sent; nothing may go out before."""

    def __init__(self) -> None:
        super().__init__()
        self.sends = 0

    async def before_unverifiable_send(self) -> None:
        self.sends += 1

    def watch(self, use: Use) -> None:
        assert self.sends


async def test_turn_guard_records_text_shown_by_the_live_view() -> None:
    hooks, guard = Hooks(), MemoryGuard()
    room = room_of(hooks, FakeSlack())
    reply = room.create_reply(command(), guard=guard)
    await reply.open(THINKING)
    reply.show(writing(words(40)))
    room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=True)
    await asyncio.sleep(1)
    assert (guard.messages, guard.texts) == ((), [words(40)])
    await room.aclose()


async def test_ephemeral_reply_does_not_repeat_a_message_of_another_process() -> None:
    for text, messages in (("Here.", 0), (words(4000), 1)):
        hooks, fake = Hooks(), FakeSlack()
        room = room_of(hooks, fake)
        sent = (ShownMessage("", "", "respond"),)
        reply = room.create_reply(command(), existing=sent)
        await reply.open(THINKING)
        await reply.finish(done(text))
        assert hooks.uses == []
        assert bool(fake.messages) is bool(messages)
        for message in fake.messages.values():
            assert message.markdown in text
            assert not text.startswith(message.markdown)
        await room.aclose()


async def test_ephemeral_reply_without_a_lease_waits() -> None:
    hooks, guard = Hooks(), MemoryGuard()
    guard.ours = False
    room = room_of(hooks, FakeSlack())
    reply = room.create_reply(command(), guard=guard)
    await reply.open(THINKING)
    reply.show(writing(words(40)))
    room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=True)
    finishing = asyncio.create_task(reply.finish(done("Here.")))
    await asyncio.sleep(30)
    assert hooks.uses == []
    guard.ours = True
    await finishing
    assert len(hooks.uses) == 1
    await room.aclose()


@pytest.mark.parametrize("ours", [True, False])
async def test_ephemeral_reply_that_is_abandoned_raises_lease_lost(ours: bool) -> None:
    hooks, guard = Hooks(), MemoryGuard()
    guard.ours = ours
    hooks.fault = lambda use: 500
    room = room_of(hooks, FakeSlack())
    reply = room.create_reply(command(), guard=guard)
    await reply.open(THINKING)
    finishing = asyncio.create_task(reply.finish(done("Here.")))
    await asyncio.sleep(0.5)
    made = len(hooks.uses)
    reply.abandon()
    assert not room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=True)
    with pytest.raises(LeaseLost):
        await finishing
    assert len(hooks.uses) == made
    await room.aclose()


async def test_ephemeral_reply_can_finish_after_closing_waited_for_a_request() -> None:
    hooks = Hooks(latency=0.8)
    room = room_of(hooks, FakeSlack())
    reply = room.create_reply(command())
    await reply.open(THINKING)
    reply.show(writing(words(40)))
    room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=True)
    await asyncio.sleep(0.3)
    await room.aclose()
    shown = len(hooks.uses)
    await asyncio.sleep(20)
    assert len(hooks.uses) == shown  # no more of what is being written
    finishing = asyncio.create_task(reply.finish(Draft(Phase.INTERRUPTED, words(40))))
    await asyncio.sleep(0.1)
    before = now()
    await room.aclose()
    assert 0.5 < now() - before <= 1.0
    await finishing
    assert hooks.note
    assert markdown(hooks.note) == words(40)
