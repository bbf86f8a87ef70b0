"""Presses of buttons, as Bolt delivers them, and what a small Slack is told about them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.listeners.buttons import (
    NOT_RUNNING,
    NOT_YOURS_TO_RETRY,
    NOT_YOURS_TO_STOP,
    QUESTION_DELETED,
    QUESTION_UNKNOWN,
)
from bot.listeners.ephemeral_buttons import PRESS_AGAIN_LATER
from bot.listeners.payloads import BotIdentifiers, parse_message, parse_press
from bot.render.buttons import RETRY_ACTION, STOP_ACTION
from bot.turn.supervisor import Verdict
from tests.unit.listeners.pressing import STATE, TEXT, Room, opened, payload

US = BotIdentifiers("UBOT", "BBOT")


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    async with opened() as found:
        yield found


@pytest.mark.parametrize("verdict", [Verdict.DONE, Verdict.ALREADY_DONE])
async def test_stop_is_handed_on_and_nothing_is_said(room: Room, verdict: Verdict) -> None:
    room.verdict = verdict
    assert await room.pressed(payload(STOP_ACTION)) == 200
    assert room.wishes == [("stop", "turn1", "U1")]
    assert room.told == []


@pytest.mark.parametrize(
    ("action_id", "verdict", "sentence"),
    [
        (STOP_ACTION, Verdict.NOT_ASKER, NOT_YOURS_TO_STOP),
        (STOP_ACTION, Verdict.NOT_RUNNING, NOT_RUNNING),
        (STOP_ACTION, Verdict.UNKNOWN_QUESTION, NOT_RUNNING),
        (RETRY_ACTION, Verdict.NOT_ASKER, NOT_YOURS_TO_RETRY),
        (RETRY_ACTION, Verdict.UNKNOWN_QUESTION, QUESTION_UNKNOWN),
        (RETRY_ACTION, Verdict.QUESTION_DELETED, QUESTION_DELETED),
        (RETRY_ACTION, Verdict.STORAGE_UNAVAILABLE, PRESS_AGAIN_LATER),
    ],
)
async def test_who_presses_in_vain_is_told_why_in_the_thread_and_nobody_else(
    room: Room, action_id: str, verdict: Verdict, sentence: str
) -> None:
    room.verdict = verdict
    assert await room.pressed(payload(action_id, user="U2")) == 200
    [(method, said)] = room.told
    assert method == "chat.postEphemeral"
    assert (said["channel"], said["user"], said["thread_ts"]) == ("C1", "U2", "1.0")
    assert said["text"] == sentence


@pytest.mark.parametrize("verdict", [Verdict.DONE, Verdict.ALREADY_DONE])
async def test_what_is_tried_again_loses_its_button_and_keeps_the_rest(
    room: Room, verdict: Verdict
) -> None:
    room.verdict = verdict
    body = payload(RETRY_ACTION, response_url=f"{room.url}/respond/1")
    assert await room.pressed(body) == 200
    assert room.wishes == [("retry", "turn1", "U1")]
    replaced = {"replace_original": True, "text": "One two", "blocks": [TEXT, STATE]}
    assert room.told == [("1", replaced)]


async def test_a_question_that_is_not_known_any_more_is_looked_for_in_its_thread(
    room: Room,
) -> None:
    asked = {"type": "message", "user": "U1", "ts": "1.0", "text": "<@UBOT> Why?"}
    question = parse_message({"team_id": "T1", "event": {**asked, "channel": "C1"}}, US)
    assert question
    room.verdict = Verdict.UNKNOWN_QUESTION
    other = {"type": "message", "user": "U1", "ts": "1.5", "text": "<@UBOT> How?"}
    answer = {"type": "message", "user": "UBOT", "bot_id": "BBOT", "ts": "2.0", "text": "…"}
    room.thread = [other, asked, answer]
    for turn in (question.id, f"{question.id}-2"):
        row = {"block_id": f"answer:{turn}", "action_id": RETRY_ACTION, "type": "button"}
        assert await room.pressed(payload(RETRY_ACTION, actions=[row])) == 200
        assert room.found[-1] == replace(question, id=turn)
    assert room.told == []


async def test_a_question_that_slack_does_not_show_is_forgotten(room: Room) -> None:
    room.verdict = Verdict.UNKNOWN_QUESTION
    assert await room.pressed(payload(RETRY_ACTION)) == 200
    assert room.found == [None, None]
    assert [said["text"] for _, said in room.told] == [QUESTION_UNKNOWN]


async def test_a_question_that_can_not_be_looked_for_is_not_said_to_be_forgotten(
    room: Room,
) -> None:
    room.unreadable, room.verdict = True, Verdict.UNKNOWN_QUESTION
    assert await room.pressed(payload(RETRY_ACTION)) == 200
    assert [said["text"] for _, said in room.told] == [PRESS_AGAIN_LATER]


async def test_what_slack_refuses_is_logged_and_the_press_is_taken_all_the_same(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.refuse, room.verdict = True, Verdict.NOT_ASKER
    assert await room.pressed(payload(STOP_ACTION)) == 200
    room.verdict = Verdict.DONE
    assert await room.pressed(payload(RETRY_ACTION, response_url=f"{room.url}/respond/1")) == 200
    assert "could not be told" in caplog.text
    assert "button stays" in caplog.text


MALFORMED: list[dict[str, Any]] = [
    {"message": None},
    {"message": "hello"},
    {"channel": None},
    {"user": {"id": None}},
    {"actions": [{"type": "button", "action_id": STOP_ACTION, "block_id": "other"}]},
    {"actions": [{"type": "button", "action_id": STOP_ACTION}]},
]


@pytest.mark.parametrize("changed", MALFORMED)
async def test_a_press_on_anything_else_is_acknowledged_and_left(
    room: Room, changed: dict[str, Any]
) -> None:
    assert await room.pressed(payload(STOP_ACTION, **changed)) == 200
    assert (room.wishes, room.told) == ([], [])


def test_a_press_on_a_message_that_only_its_reader_sees_names_it_and_shows_nothing_of_it() -> None:
    body = payload(STOP_ACTION, container={"is_ephemeral": True, "message_ts": "2.0"})
    del body["message"]
    found = parse_press(body)
    assert found is not None
    assert (found.turn, found.ts, found.thread_ts, found.other_blocks) == ("turn1", "2.0", None, ())
    assert found.private
    public = parse_press(payload(STOP_ACTION))
    assert public is not None
    assert not public.private


@pytest.mark.parametrize("blocks", [None, 7, "x", [None, 3]])
def test_blocks_that_are_none_do_not_hinder_a_press(blocks: Any) -> None:
    found = parse_press(payload(STOP_ACTION, message={"ts": "2.0", "blocks": blocks}))
    assert found is not None
    assert (found.turn, found.thread_ts, found.other_blocks) == ("turn1", None, ())
