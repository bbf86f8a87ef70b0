"""Presses of buttons, as Bolt delivers them, and what a small Slack is told about them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.listeners.payloads.addressing import BotIdentifiers
from bot.listeners.payloads.questions import parse_message, parse_press
from bot.render.buttons import RETRY_ACTION, STOP_ACTION
from bot.turn.supervisor import Verdict
from bot.words import Phrase
from tests.support.words import english
from tests.unit.listeners.listener_setup import (
    STATE,
    TEXT,
    ListenerSetup,
    open_listeners,
    press_payload,
)

US = BotIdentifiers("UBOT", "BBOT")


@pytest.fixture
async def setup() -> AsyncIterator[ListenerSetup]:
    async with open_listeners() as found:
        yield found


@pytest.mark.parametrize("verdict", [Verdict.DONE, Verdict.ALREADY_DONE])
async def test_stop_button_stops_the_turn_without_a_message(
    setup: ListenerSetup, verdict: Verdict
) -> None:
    setup.verdict = verdict
    assert await setup.deliver_press(press_payload(STOP_ACTION)) == 200
    assert setup.turn_calls == [("stop", "turn1", "U1")]
    assert setup.slack_calls == []


@pytest.mark.parametrize(
    ("action_id", "verdict", "sentence"),
    [
        (STOP_ACTION, Verdict.NOT_ASKER, english(Phrase.NOT_YOURS_TO_STOP)),
        (STOP_ACTION, Verdict.NOT_RUNNING, english(Phrase.NOT_RUNNING)),
        (STOP_ACTION, Verdict.UNKNOWN_QUESTION, english(Phrase.NOT_RUNNING)),
        (RETRY_ACTION, Verdict.NOT_ASKER, english(Phrase.NOT_YOURS_TO_RETRY)),
        (RETRY_ACTION, Verdict.UNKNOWN_QUESTION, english(Phrase.QUESTION_UNKNOWN)),
        (RETRY_ACTION, Verdict.QUESTION_DELETED, english(Phrase.QUESTION_DELETED)),
        (RETRY_ACTION, Verdict.STORAGE_UNAVAILABLE, english(Phrase.PRESS_AGAIN_LATER)),
    ],
)
async def test_refused_press_is_explained_to_its_user_in_the_thread(
    setup: ListenerSetup, action_id: str, verdict: Verdict, sentence: str
) -> None:
    setup.verdict = verdict
    assert await setup.deliver_press(press_payload(action_id, user="U2")) == 200
    [(method, said)] = setup.slack_calls
    assert method == "chat.postEphemeral"
    assert (said["channel"], said["user"], said["thread_ts"]) == ("C1", "U2", "1.0")
    assert said["text"] == sentence


@pytest.mark.parametrize("verdict", [Verdict.DONE, Verdict.ALREADY_DONE])
async def test_retry_removes_its_button_and_keeps_the_other_blocks(
    setup: ListenerSetup, verdict: Verdict
) -> None:
    setup.verdict = verdict
    body = press_payload(RETRY_ACTION, response_url=f"{setup.url}/respond/1")
    assert await setup.deliver_press(body) == 200
    assert setup.turn_calls == [("retry", "turn1", "U1")]
    replaced = {"replace_original": True, "text": "One two", "blocks": [TEXT, STATE]}
    assert setup.slack_calls == [("1", replaced)]


async def test_retry_finds_an_unknown_question_in_its_thread(
    setup: ListenerSetup,
) -> None:
    asked = {"type": "message", "user": "U1", "ts": "1.0", "text": "<@UBOT> Why?"}
    question = parse_message({"team_id": "T1", "event": {**asked, "channel": "C1"}}, US)
    assert question
    setup.verdict = Verdict.UNKNOWN_QUESTION
    other = {"type": "message", "user": "U1", "ts": "1.5", "text": "<@UBOT> How?"}
    answer = {"type": "message", "user": "UBOT", "bot_id": "BBOT", "ts": "2.0", "text": "…"}
    setup.thread = [other, asked, answer]
    for turn in (question.id, f"{question.id}-2"):
        row = {"block_id": f"answer:{turn}", "action_id": RETRY_ACTION, "type": "button"}
        assert await setup.deliver_press(press_payload(RETRY_ACTION, actions=[row])) == 200
        assert setup.found_questions[-1] == replace(question, id=turn)
    assert setup.slack_calls == []


async def test_retry_says_that_a_question_is_unknown_if_slack_has_it_not(
    setup: ListenerSetup,
) -> None:
    setup.verdict = Verdict.UNKNOWN_QUESTION
    assert await setup.deliver_press(press_payload(RETRY_ACTION)) == 200
    assert setup.found_questions == [None, None]
    assert [said["text"] for _, said in setup.slack_calls] == [english(Phrase.QUESTION_UNKNOWN)]


async def test_retry_asks_to_press_again_if_the_thread_can_not_be_read(
    setup: ListenerSetup,
) -> None:
    setup.unreadable, setup.verdict = True, Verdict.UNKNOWN_QUESTION
    assert await setup.deliver_press(press_payload(RETRY_ACTION)) == 200
    assert [said["text"] for _, said in setup.slack_calls] == [english(Phrase.PRESS_AGAIN_LATER)]


async def test_press_takes_effect_if_slack_refuses_the_reply(
    setup: ListenerSetup, caplog: pytest.LogCaptureFixture
) -> None:
    setup.refuse, setup.verdict = True, Verdict.NOT_ASKER
    assert await setup.deliver_press(press_payload(STOP_ACTION)) == 200
    setup.verdict = Verdict.DONE
    assert (
        await setup.deliver_press(
            press_payload(RETRY_ACTION, response_url=f"{setup.url}/respond/1")
        )
        == 200
    )
    assert "could not tell the person who pressed" in caplog.text
    assert "could not remove a used button" in caplog.text


MALFORMED: list[dict[str, Any]] = [
    {"message": None},
    {"message": "hello"},
    {"channel": None},
    {"user": {"id": None}},
    {"actions": [{"type": "button", "action_id": STOP_ACTION, "block_id": "other"}]},
    {"actions": [{"type": "button", "action_id": STOP_ACTION}]},
]


@pytest.mark.parametrize("changed", MALFORMED)
async def test_press_on_another_message_is_acknowledged_and_ignored(
    setup: ListenerSetup, changed: dict[str, Any]
) -> None:
    assert await setup.deliver_press(press_payload(STOP_ACTION, **changed)) == 200
    assert (setup.turn_calls, setup.slack_calls) == ([], [])


def test_parse_press_on_an_ephemeral_message_has_its_ts_and_no_content() -> None:
    body = press_payload(STOP_ACTION, container={"is_ephemeral": True, "message_ts": "2.0"})
    del body["message"]
    found = parse_press(body)
    assert found is not None
    assert (found.turn, found.ts, found.thread_ts, found.other_blocks) == ("turn1", "2.0", None, ())
    assert found.private
    public = parse_press(press_payload(STOP_ACTION))
    assert public is not None
    assert not public.private


@pytest.mark.parametrize("blocks", [None, 7, "x", [None, 3]])
def test_parse_press_accepts_malformed_blocks(blocks: Any) -> None:
    found = parse_press(press_payload(STOP_ACTION, message={"ts": "2.0", "blocks": blocks}))
    assert found is not None
    assert (found.turn, found.thread_ts, found.other_blocks) == ("turn1", None, ())
