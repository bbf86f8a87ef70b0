"""The menu under an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.history.new_conversation import starts_new_conversation
from bot.listeners.interactive import menu
from bot.render.buttons import MENU_ACTION, NEW_CONVERSATION_VALUE
from bot.turn.supervisor import Verdict
from bot.words import Phrase
from tests.support.words import english
from tests.unit.listeners.listener_setup import ListenerSetup, open_listeners, press_payload


@pytest.fixture
async def setup() -> AsyncIterator[ListenerSetup]:
    async with open_listeners() as found:
        yield found


def chosen(value: str) -> dict[str, Any]:
    """A line of the menu was chosen."""
    option = {"text": {"type": "plain_text", "text": "x"}, "value": value}
    action = {"type": "overflow", "action_id": MENU_ACTION, "block_id": "answer:turn1"}
    return press_payload(MENU_ACTION, actions=[action | {"selected_option": option}])


async def test_menu_posts_the_message_that_starts_a_new_conversation(setup: ListenerSetup) -> None:
    assert await setup.deliver_press(chosen(NEW_CONVERSATION_VALUE)) == 200
    [(method, post)] = setup.slack_calls
    assert method == "chat.postMessage"
    assert (post["channel"], post["text"]) == ("C1", english(Phrase.NEW_CONVERSATION_STARTED))
    assert "thread_ts" not in post  # where the conversation is read from
    assert starts_new_conversation({"user": "UBOT", "metadata": post["metadata"]}, "", "UBOT")


async def test_menu_tells_the_user_if_the_message_can_not_be_posted(setup: ListenerSetup) -> None:
    setup.errors["chat.postMessage"] = "channel_is_archived"
    await setup.deliver_press(chosen(NEW_CONVERSATION_VALUE))
    [told] = setup.calls_of("chat.postEphemeral")
    assert (told["user"], told["text"]) == ("U1", english(Phrase.NEW_CONVERSATION_FAILED))


@pytest.mark.parametrize("value", ["", "something_newer"])
async def test_menu_ignores_an_unknown_option(setup: ListenerSetup, value: str) -> None:
    assert await setup.deliver_press(chosen(value)) == 200
    assert setup.slack_calls == []


async def test_menu_starts_the_turn_that_writes_the_answer_again(setup: ListenerSetup) -> None:
    assert await setup.deliver_press(chosen("regenerate:3")) == 200
    assert setup.turn_calls == [("regenerate 3", "turn1", "U1")]
    assert setup.slack_calls == []


@pytest.mark.parametrize("verdict", [one for one in Verdict if one in menu.REFUSALS])
async def test_menu_tells_the_user_why_the_answer_is_not_written_again(
    setup: ListenerSetup, verdict: Verdict
) -> None:
    setup.verdict = verdict
    await setup.deliver_press(chosen("regenerate:2"))
    [told] = setup.calls_of("chat.postEphemeral")
    assert (told["user"], told["text"]) == ("U1", english(menu.REFUSALS[verdict]))


@pytest.mark.parametrize("value", ["regenerate:", "regenerate:x", "regenerate:9999999"])
async def test_menu_ignores_a_value_without_a_number(setup: ListenerSetup, value: str) -> None:
    await setup.deliver_press(chosen(value))
    assert setup.turn_calls == []


@pytest.mark.parametrize(("value", "step"), [("earlier:4", -1), ("later:4", 1)])
async def test_menu_shows_another_version(setup: ListenerSetup, value: str, step: int) -> None:
    await setup.deliver_press(chosen(value))
    assert setup.turn_calls == [(f"version {step} 4", "turn1", "U1")]
