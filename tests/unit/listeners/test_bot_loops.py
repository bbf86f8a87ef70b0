"""Bots are answered where the setting names them, and never twice without a person between."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.listeners.channel import ME, OTHER_BOT, Channel, channel

ASK = "<@UBOT> why?"
WORKFLOW = {"subtype": "bot_message", "bot_id": "BALERT", "username": "Alerts"}


def ask(it: Channel, thread_ts: str = "", **author: Any) -> dict[str, Any]:
    """A bot asks us something."""
    return it.write(ASK, thread_ts, **(author or OTHER_BOT))


@pytest.mark.parametrize("author", [OTHER_BOT, WORKFLOW], ids=["bot", "workflow"])
async def test_bots_and_workflows_are_not_answered_by_default(author: dict[str, Any]) -> None:
    async with channel() as it:
        assert not await it.hear(ask(it, **author))
        assert it.read == []


@pytest.mark.parametrize("named", ["BALERT", "AALERT"])
async def test_bot_named_in_the_setting_by_its_id_or_app_is_answered(named: str) -> None:
    async with channel("BELSE", named) as it:
        assert await it.hear(ask(it))
        [asked] = it.asked
        assert (asked.user, asked.bot, asked.text) == ("UALERT", "BALERT", "why?")


async def test_workflow_without_a_user_is_answered_under_its_bot_id() -> None:
    async with channel("BALERT") as it:
        assert await it.hear(ask(it, **WORKFLOW))
        assert (it.asked[0].user, it.asked[0].bot) == ("BALERT", "BALERT")


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
    async with channel("BBOT", "BHOOK", "BX", "AOURS", "BALERT") as it:
        assert not await it.hear(ask(it, **author), **body)


async def test_bot_replying_in_the_thread_is_answered_once_until_a_person_writes() -> None:
    async with channel("BALERT") as it:
        root = it.write("It is down.")
        assert await it.hear(ask(it, root["ts"]))
        it.answer(root)
        assert not await it.hear(ask(it, root["ts"]))
        it.keys.clear()  # a day later the keys are gone
        assert not await it.hear(ask(it, root["ts"]))
        it.write("Go on.", root["ts"], user="U2")
        assert await it.hear(ask(it, root["ts"]))


async def test_bot_is_answered_after_an_answer_to_a_person() -> None:
    async with channel("BALERT") as it:
        root = it.write(ASK)
        it.answer(root)
        assert await it.hear(ask(it, root["ts"]))


async def test_bot_replying_with_new_mentions_is_answered_once_until_a_person_writes() -> None:
    async with channel("BALERT") as it:
        it.write("Good morning.")
        first = ask(it)
        assert await it.hear(first)
        it.answer(first)
        for _ in range(3):
            assert not await it.hear(ask(it))
        it.keys.clear()
        assert not await it.hear(ask(it))
        it.write("Go on.")
        assert await it.hear(ask(it))


async def test_bot_is_answered_again_after_a_person_wrote_in_the_last_thread() -> None:
    async with channel("BALERT") as it:
        first = ask(it)
        assert await it.hear(first)
        it.answer(first)
        it.write("Thanks.", first["ts"])
        assert await it.hear(ask(it))
        assert not await it.hear(ask(it))


async def test_bot_opening_many_threads_is_answered_once() -> None:
    async with channel("BALERT") as it:
        answered = []
        for _ in range(4):
            root = it.write("Report", **OTHER_BOT)
            question = ask(it, root["ts"])
            answered.append(await it.hear(question))
            if answered[-1]:
                it.answer(question)
        assert answered == [True, False, False, False]


async def test_bots_that_ask_at_the_same_moment_get_one_answer() -> None:
    async with channel("BALERT", "BOTHER") as it:
        root = it.write("It is down.")
        one, other = ask(it, root["ts"]), ask(it, root["ts"], user="UO", bot_id="BOTHER")
        assert [await it.hear(one), await it.hear(other)] == [True, False]


async def test_bot_is_not_answered_if_earlier_messages_can_not_be_read() -> None:
    async with channel("BALERT") as it:
        it.code = "missing_scope"
        assert not await it.hear(ask(it))
        it.code = ""
        assert await it.hear(ask(it))


async def test_bot_is_not_answered_in_a_thread_longer_than_is_read() -> None:
    async with channel("BALERT") as it:
        root = it.write("It is down.")
        for _ in range(1000):
            it.write("Hm.", root["ts"])
        assert not await it.hear(ask(it, root["ts"]))


async def test_mention_without_text_is_read_from_slack_for_its_files() -> None:
    async with channel() as it:
        root = it.write("Hello.")
        files = [{"id": "F1", "name": "a.png", "filetype": "png"}]
        for thread in ("", root["ts"]):
            stored = it.write(f"<@{ME.user_id}>", thread)
            it.messages[-1] = stored | {"files": files}
            assert await it.hear(stored)  # the event itself names no files
            assert it.asked[-1].unreadable == ("a.png (PNG)",)
        assert await it.hear(it.write(f"<@{ME.user_id}>"))
        assert it.asked[-1].unreadable == ()


async def test_mention_with_text_is_not_read_from_slack() -> None:
    async with channel() as it:
        assert await it.hear(it.write(ASK))
        assert it.read == []
