"""Everything listeners say, and the question they submit, has the language of the person."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.render.buttons import MENU_ACTION, NEW_CONVERSATION_VALUE, RETRY_ACTION, STOP_ACTION
from bot.storage.records import TurnRecord
from bot.turn.supervisor import Verdict
from bot.values import Draft, Phase
from bot.words import Phrase
from tests.support.words import EN, ZH, chinese, english
from tests.unit.delivery.delivery_setup import question
from tests.unit.listeners.listener_setup import ListenerSetup, open_listeners, press_payload
from tests.unit.listeners.test_changes import EDITED, press
from tests.unit.listeners.test_commands import form
from tests.unit.listeners.test_revision_payloads import change


@pytest.fixture
async def setup() -> AsyncIterator[ListenerSetup]:
    async with open_listeners() as found:
        found.languages["U1"] = ZH
        yield found


def event(**changed: Any) -> dict[str, Any]:
    """A mention by U1."""
    mention = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "5.0"}
    inner = mention | {"text": "<@UBOT> Why?"} | changed
    return {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event": inner}


async def test_question_carries_the_language_of_its_asker(setup: ListenerSetup) -> None:
    await setup.deliver(event())
    await setup.deliver(event(user="U2", ts="6.0"))
    assert [asked.language for asked in setup.asked] == [ZH, EN]


async def test_command_is_acknowledged_in_the_language_of_its_asker(setup: ListenerSetup) -> None:
    response = await setup.deliver(form(setup, "why?"))
    note = json.loads(response.body)
    assert note["text"] == chinese(Phrase.ANSWER_WILL_FOLLOW)
    assert chinese(Phrase.STOP_BUTTON) in str(note["blocks"])
    assert setup.asked[-1].language is ZH


async def test_command_without_a_question_is_explained_in_that_language(
    setup: ListenerSetup,
) -> None:
    response = await setup.deliver(form(setup, " "))
    usage = chinese(Phrase.COMMAND_USAGE, command="/ask")
    assert json.loads(response.body)["text"] == usage


async def test_follow_up_command_is_replied_to_in_that_language(setup: ListenerSetup) -> None:
    response = await setup.deliver(form(setup, "follow-ups on"))
    assert json.loads(response.body)["text"] == chinese(Phrase.FOLLOW_UPS_DISABLED)


async def test_press_is_refused_in_the_language_of_the_person_who_pressed(
    setup: ListenerSetup,
) -> None:
    setup.verdict = Verdict.NOT_ASKER
    for user in ("U1", "U2"):
        await setup.deliver_press(press_payload(STOP_ACTION, user=user))
    told = [said["text"] for said in setup.calls_of("chat.postEphemeral")]
    assert told == [chinese(Phrase.NOT_YOURS_TO_STOP), english(Phrase.NOT_YOURS_TO_STOP)]


async def test_retry_of_a_question_found_in_slack_keeps_the_language_of_its_asker(
    setup: ListenerSetup,
) -> None:
    await setup.deliver(event(ts="1.0"))
    setup.verdict = Verdict.UNKNOWN_QUESTION
    setup.thread = [{"type": "message", "user": "U1", "ts": "1.0", "text": "<@UBOT> Why?"}]
    row = {"type": "button", "action_id": RETRY_ACTION, "block_id": f"answer:{setup.asked[0].id}"}
    await setup.deliver_press(press_payload(RETRY_ACTION, actions=[row]))
    assert [found.language for found in setup.found_questions if found] == [ZH]


async def test_retry_of_an_ephemeral_answer_is_announced_in_the_language_of_its_question(
    setup: ListenerSetup,
) -> None:
    asked = question(id="turn1", ts=None, user="U2", language=ZH)
    setup.stored = {"turn1": TurnRecord(asked, Draft(Phase.FAILED, "One", "…"), None, 1)}
    await setup.deliver_press(setup.ephemeral_press(RETRY_ACTION, "U2"))
    [note] = setup.calls_of("note")
    assert chinese(Phrase.ASKED_AGAIN) in str(note)
    assert chinese(Phrase.SHOW_BUTTON) in str(note)


async def test_edit_is_offered_and_asked_in_the_language_of_its_author(
    setup: ListenerSetup,
) -> None:
    await setup.deliver(change(EDITED) | {"type": "event_callback", "api_app_id": "A1"})
    [offer] = setup.calls_of("chat.postEphemeral")
    assert offer["text"] == chinese(Phrase.QUESTION_EDITED)
    assert chinese(Phrase.ASK_AGAIN_BUTTON) in str(offer["blocks"])
    setup.thread = [EDITED]
    await setup.deliver_press(press(setup))
    assert [asked.language for asked in setup.asked] == [ZH]


async def test_new_conversation_is_confirmed_in_the_language_of_the_person(
    setup: ListenerSetup,
) -> None:
    chosen = {"selected_option": {"value": NEW_CONVERSATION_VALUE}}
    action = {"type": "overflow", "action_id": MENU_ACTION, "block_id": "answer:turn1", **chosen}
    await setup.deliver_press(press_payload(MENU_ACTION, actions=[action]))
    [post] = setup.calls_of("chat.postMessage")
    assert post["text"] == chinese(Phrase.NEW_CONVERSATION_STARTED)


async def test_home_tab_is_in_the_language_of_the_person(setup: ListenerSetup) -> None:
    opened = {"type": "app_home_opened", "user": "U1", "tab": "home", "channel": "D1"}
    await setup.deliver(event() | {"event": opened})
    [published] = setup.calls_of("views.publish")
    assert chinese(Phrase.HOME_CAUTION) in str(published["view"])


async def test_external_person_is_refused_in_their_language(setup: ListenerSetup) -> None:
    await setup.deliver(event(user_team="T9") | {"is_ext_shared_channel": True})
    [told] = setup.calls_of("chat.postEphemeral")
    assert told["text"] == chinese(Phrase.EXTERNAL_PERSON_REFUSED)
