"""Private answers as the rest of the house deals with them: lent, kept, taken over, let go of."""

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
from tests.unit.delivery.room import THINKING, Keeper, always, command, done, words, writing


async def test_where_the_bot_may_not_post_the_note_can_be_pressed_like_any_other() -> None:
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


async def test_only_the_asker_lends_addresses_and_only_to_answers_under_way() -> None:
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


async def test_answers_that_ended_are_kept_up_to_their_bytes_however_long_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "ENDED_BYTES", 20 * 1000)

    room = room_of(Hooks(), FakeSlack())
    for number in range(12):
        reply = room.create_reply(replace(command(), id=f"q{number}", text="∀" * 500))
        await reply.open(THINKING)
        await reply.finish(done("∃" * 500))
    guard = [number for number in range(12) if room.ephemeral.find_ended(f"q{number}")]
    assert guard == [8, 9, 10, 11]  # 4,000 bytes each, and a little
    await room.aclose()


async def test_an_address_lent_in_another_process_is_used_like_any_other() -> None:
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


async def test_that_a_message_is_sent_is_journalled_before_and_told_after() -> None:
    for press in (False, True):
        hooks, keeper = Hooks(), Sending()
        hooks.fault = keeper.watch
        room = room_of(hooks, FakeSlack())
        reply = room.create_reply(command(), guard=keeper)
        await reply.open(THINKING)
        assert keeper.sends == 0
        if press:
            room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=False)
        await reply.finish(done("Here."))
        assert keeper.sends == 1
        assert keeper.messages == (ShownMessage("", "", "respond"),)
        assert keeper.texts == ["Here."]
        await room.aclose()


class Sending(Keeper):
    """Counts what is about to be sent; nothing may go out before."""

    def __init__(self) -> None:
        super().__init__()
        self.sends = 0

    async def before_unverifiable_send(self) -> None:
        self.sends += 1

    def watch(self, use: Use) -> None:
        assert self.sends


async def test_text_shown_in_the_note_is_told_to_whoever_keeps_the_turn() -> None:
    hooks, keeper = Hooks(), Keeper()
    room = room_of(hooks, FakeSlack())
    reply = room.create_reply(command(), guard=keeper)
    await reply.open(THINKING)
    reply.show(writing(words(40)))
    room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=True)
    await asyncio.sleep(1)
    assert (keeper.messages, keeper.texts) == ((), [words(40)])
    await room.aclose()


async def test_what_another_process_has_sent_is_not_sent_again() -> None:
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


async def test_a_private_answer_that_may_not_be_ours_waits_until_it_is() -> None:
    hooks, keeper = Hooks(), Keeper()
    keeper.ours = False
    room = room_of(hooks, FakeSlack())
    reply = room.create_reply(command(), guard=keeper)
    await reply.open(THINKING)
    reply.show(writing(words(40)))
    room.ephemeral.add_response_url(command().id, "U1", hooks.press(), live=True)
    finishing = asyncio.create_task(reply.finish(done("Here.")))
    await asyncio.sleep(30)
    assert hooks.uses == []
    keeper.ours = True
    await finishing
    assert len(hooks.uses) == 1
    await room.aclose()


@pytest.mark.parametrize("ours", [True, False])
async def test_a_private_answer_that_is_somebody_else_s_is_let_go_of(ours: bool) -> None:
    hooks, keeper = Hooks(), Keeper()
    keeper.ours = ours
    hooks.fault = lambda use: 500
    room = room_of(hooks, FakeSlack())
    reply = room.create_reply(command(), guard=keeper)
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


async def test_closing_waits_a_moment_for_what_is_on_its_way_and_an_end_can_still_come() -> None:
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
