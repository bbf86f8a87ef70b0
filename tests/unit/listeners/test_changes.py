"""Deletions, edits and the offer to ask again, as Bolt delivers them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.render.buttons import BUTTONS_BLOCK_PREFIX, RETRY_EDITED_ACTION
from bot.turn.supervisor import Verdict
from bot.words import Phrase
from tests.support.words import english
from tests.unit.listeners.listener_setup import ListenerSetup, open_listeners
from tests.unit.listeners.test_revision_payloads import EDIT, OLD, TS, change, deletion

EDITED = OLD | {"text": "<@UBOT> How big may a picture be?", "edited": EDIT}
GONE = {"delete_original": True}


@pytest.fixture
async def setup() -> AsyncIterator[ListenerSetup]:
    async with open_listeners() as found:
        yield found


def event(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"type": "event_callback", "api_app_id": "A1"}


def press(setup: ListenerSetup, user: str = "U1") -> dict[str, Any]:
    """A press on the offer."""
    return setup.ephemeral_press(RETRY_EDITED_ACTION, user, f"{TS} {TS}")


def said(setup: ListenerSetup) -> str:
    """What is told in answer to a press."""
    return str(setup.calls_of("note"))


async def test_deletion_is_reported_to_the_turns(setup: ListenerSetup) -> None:
    assert (await setup.deliver(event(deletion()))).status == 200
    [(channel, ts, question)] = setup.deletions
    assert (channel, ts) == ("C1", TS)
    assert question is not None


async def test_edit_and_deletion_are_reported_to_the_summaries(setup: ListenerSetup) -> None:
    await setup.deliver(event(change(EDITED)))
    await setup.deliver(event(deletion()))
    assert setup.changes == [("C1", TS, TS)] * 2


async def test_edit_is_offered_to_its_author_only(setup: ListenerSetup) -> None:
    await setup.deliver(event(change(EDITED)))
    [offer] = setup.calls_of("chat.postEphemeral")
    assert (offer["user"], offer["channel"], offer["thread_ts"]) == ("U1", "C1", TS)
    [row] = [block for block in offer["blocks"] if block["type"] == "actions"]
    assert row["block_id"].startswith(BUTTONS_BLOCK_PREFIX)
    assert row["block_id"].endswith("-2")
    [button] = row["elements"]
    assert (button["action_id"], button["text"]["text"]) == (
        RETRY_EDITED_ACTION,
        "Ask again with the edit",
    )
    assert button["value"] == f"{TS} {TS}"
    assert setup.asked == []


async def test_edit_of_a_question_not_asked_yet_gets_no_offer(
    setup: ListenerSetup,
) -> None:
    setup.are_waiting = True
    await setup.deliver(event(change(EDITED)))
    assert setup.slack_calls == []


async def test_edit_by_an_external_user_gets_no_offer(setup: ListenerSetup) -> None:
    told = event(change(EDITED | {"user_team": "T9"})) | {"is_ext_shared_channel": True}
    await setup.deliver(told)
    assert setup.slack_calls == []


@pytest.mark.parametrize("fault", ["slack", "database"])
async def test_edit_offer_that_slack_refuses_raises_nothing(
    setup: ListenerSetup, fault: str
) -> None:
    setup.refuse = fault == "slack"
    setup.stored = None if fault == "database" else {}
    assert (await setup.deliver(event(change(EDITED)))).status == 200
    assert setup.asked == []


async def test_ask_again_asks_the_present_text_of_the_question(setup: ListenerSetup) -> None:
    setup.thread = [EDITED | {"text": "<@UBOT> How big, finally?"}]
    assert await setup.deliver_press(press(setup)) == 200
    [asked] = setup.asked
    assert (asked.id, asked.text, asked.user) == ("turn1", "How big, finally?", "U1")
    assert setup.calls_of("note") == [GONE]


async def test_ask_again_pressed_twice_says_that_it_was_asked(setup: ListenerSetup) -> None:
    setup.thread, setup.verdict = [EDITED], Verdict.ALREADY_DONE
    await setup.deliver_press(press(setup))
    assert english(Phrase.EDIT_ASKED_ALREADY) in said(setup)


async def test_ask_again_without_a_database_says_to_press_again(setup: ListenerSetup) -> None:
    setup.thread, setup.verdict = [EDITED], Verdict.STORAGE_UNAVAILABLE
    await setup.deliver_press(press(setup))
    assert english(Phrase.PRESS_AGAIN_LATER) in said(setup)


@pytest.mark.parametrize(
    "thread",
    [[], [OLD | {"ts": "1700000000.000100"}], [EDITED | {"text": "Never mind"}]],
    ids=["gone", "only the root", "asks nothing"],
)
async def test_ask_again_says_that_the_question_is_not_found(
    setup: ListenerSetup, thread: list[dict[str, Any]]
) -> None:
    setup.thread = thread
    await setup.deliver_press(press(setup))
    assert english(Phrase.QUESTION_NOT_FOUND) in said(setup)
    assert setup.asked == []


async def test_ask_again_by_another_user_asks_nothing(setup: ListenerSetup) -> None:
    setup.thread = [EDITED]
    await setup.deliver_press(press(setup, "U2"))
    assert english(Phrase.QUESTION_NOT_FOUND) in said(setup)
    assert setup.asked == []


async def test_ask_again_says_to_press_again_if_slack_can_not_be_read(setup: ListenerSetup) -> None:
    setup.refuse = True
    await setup.deliver_press(press(setup))
    assert setup.asked == []


@pytest.mark.parametrize(
    "told", [change, lambda ours: deletion(OLD | ours)], ids=["edit", "deletion"]
)
@pytest.mark.parametrize("ours", [{"user": "UBOT", "bot_id": "BBOT"}, {"user": "UBOT"}])
async def test_changes_of_own_messages_are_ignored(
    setup: ListenerSetup, told: Any, ours: Any
) -> None:
    assert (await setup.deliver(event(told(ours | {"edited": EDIT})))).status == 200
    assert (setup.deletions, setup.asked, setup.slack_calls) == ([], [], [])
