"""Bots are answered where the setting names them, and never twice without a person between."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.listeners.channel import ME, OTHER_BOT, Channel, open_channel

ASK = "<@UBOT> why?"
WORKFLOW = {"subtype": "bot_message", "bot_id": "BALERT", "username": "Alerts"}


def ask(channel: Channel, thread_ts: str = "", **author: Any) -> dict[str, Any]:
    """A bot asks us something."""
    return channel.write(ASK, thread_ts, **(author or OTHER_BOT))


@pytest.mark.parametrize("author", [OTHER_BOT, WORKFLOW], ids=["bot", "workflow"])
async def test_bots_and_workflows_are_not_answered_by_default(author: dict[str, Any]) -> None:
    async with open_channel() as channel:
        assert not await channel.deliver(ask(channel, **author))
        assert channel.read_methods == []


@pytest.mark.parametrize("named", ["BALERT", "AALERT"])
async def test_bot_named_in_the_setting_by_its_id_or_app_is_answered(named: str) -> None:
    async with open_channel("BELSE", named) as channel:
        assert await channel.deliver(ask(channel))
        [asked] = channel.asked
        assert (asked.user, asked.bot, asked.text) == ("UALERT", "BALERT", "why?")


async def test_workflow_without_a_user_is_answered_under_its_bot_id() -> None:
    async with open_channel("BALERT") as channel:
        assert await channel.deliver(ask(channel, **WORKFLOW))
        assert (channel.asked[0].user, channel.asked[0].bot) == ("BALERT", "BALERT")


@pytest.mark.parametrize(
    ("author", "body"),
    [
        ({"user": "UBOT", "bot_id": "BBOT"}, {}),
        ({"user": "UELSE", "bot_id": "BBOT"}, {}),
        ({"subtype": "bot_message", "bot_id": "BHOOK", "app_id": "AOURS"}, {"api_app_id": "AOURS"}),
        ({"bot_id": "BX", "bot_profile": {"app_id": "AOURS"}}, {"api_app_id": "AOURS"}),
        ({**OTHER_BOT, "streaming_state": "in_progress"}, {}),
        ({**OTHER_BOT, "subtype": "message_changed"}, {}),
    ],
)
async def test_own_and_unfinished_messages_are_never_answered(
    author: dict[str, Any], body: dict[str, Any]
) -> None:
    async with open_channel("BBOT", "BHOOK", "BX", "AOURS", "BALERT") as channel:
        assert not await channel.deliver(ask(channel, **author), **body)


async def test_bot_replying_in_the_thread_is_answered_once_until_a_person_writes() -> None:
    async with open_channel("BALERT") as channel:
        root = channel.write("It is down.")
        assert await channel.deliver(ask(channel, root["ts"]))
        channel.answer(root)
        assert not await channel.deliver(ask(channel, root["ts"]))
        channel.keys.clear()  # a day later the keys are gone
        assert not await channel.deliver(ask(channel, root["ts"]))
        channel.write("Go on.", root["ts"], user="U2")
        assert await channel.deliver(ask(channel, root["ts"]))


async def test_bot_is_answered_after_an_answer_to_a_person() -> None:
    async with open_channel("BALERT") as channel:
        root = channel.write(ASK)
        channel.answer(root)
        assert await channel.deliver(ask(channel, root["ts"]))


async def test_bot_replying_with_new_mentions_is_answered_once_until_a_person_writes() -> None:
    async with open_channel("BALERT") as channel:
        channel.write("Good morning.")
        first = ask(channel)
        assert await channel.deliver(first)
        channel.answer(first)
        for _ in range(3):
            assert not await channel.deliver(ask(channel))
        channel.keys.clear()
        assert not await channel.deliver(ask(channel))
        channel.write("Go on.")
        assert await channel.deliver(ask(channel))


async def test_bot_is_answered_again_after_a_person_wrote_in_the_last_thread() -> None:
    async with open_channel("BALERT") as channel:
        first = ask(channel)
        assert await channel.deliver(first)
        channel.answer(first)
        channel.write("Thanks.", first["ts"])
        assert await channel.deliver(ask(channel))
        assert not await channel.deliver(ask(channel))


async def test_bot_opening_many_threads_is_answered_once() -> None:
    async with open_channel("BALERT") as channel:
        answered = []
        for _ in range(4):
            root = channel.write("Report", **OTHER_BOT)
            question = ask(channel, root["ts"])
            answered.append(await channel.deliver(question))
            if answered[-1]:
                channel.answer(question)
        assert answered == [True, False, False, False]


async def test_bots_that_ask_at_the_same_moment_get_one_answer() -> None:
    async with open_channel("BALERT", "BOTHER") as channel:
        root = channel.write("It is down.")
        one, other = ask(channel, root["ts"]), ask(channel, root["ts"], user="UO", bot_id="BOTHER")
        assert [await channel.deliver(one), await channel.deliver(other)] == [True, False]


async def test_bot_is_not_answered_if_earlier_messages_can_not_be_read() -> None:
    async with open_channel("BALERT") as channel:
        channel.error = "missing_scope"
        assert not await channel.deliver(ask(channel))
        channel.error = ""
        assert await channel.deliver(ask(channel))


async def test_bot_is_not_answered_in_a_thread_longer_than_is_read() -> None:
    async with open_channel("BALERT") as channel:
        root = channel.write("It is down.")
        for _ in range(1000):
            channel.write("Hm.", root["ts"])
        assert not await channel.deliver(ask(channel, root["ts"]))


async def test_mention_without_text_is_read_from_slack_for_its_files() -> None:
    async with open_channel() as channel:
        root = channel.write("Hello.")
        files = [{"id": "F1", "name": "a.png", "filetype": "png"}]
        for thread in ("", root["ts"]):
            stored = channel.write(f"<@{ME.user_id}>", thread)
            channel.messages[-1] = stored | {"files": files}
            assert await channel.deliver(stored)  # the event itself names no files
            assert channel.asked[-1].unreadable == ("a.png (PNG)",)
        assert await channel.deliver(channel.write(f"<@{ME.user_id}>"))
        assert channel.asked[-1].unreadable == ()


async def test_mention_with_text_is_not_read_from_slack() -> None:
    async with open_channel() as channel:
        assert await channel.deliver(channel.write(ASK))
        assert channel.read_methods == []
