"""The feedback buttons, and the modal that asks for a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.listeners.payloads.feedback import parse_reason, parse_vote
from bot.render.feedback import FEEDBACK_ACTION, MAX_FEEDBACK_WORDS, REASON_VIEW
from bot.storage.records import Vote
from bot.words import Language, Phrase, say
from tests.unit.listeners.listener_setup import open_listeners, press_payload

AT = "1700000000.000100"


def vote_press(value: str, user: str = "U2", **changed: Any) -> dict[str, Any]:
    action = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK_ACTION,
        "block_id": "feedback:turn1:abc",
        "text": {"type": "plain_text", "text": "👍"},
        "value": value,
        "action_ts": AT,
    }
    return press_payload(FEEDBACK_ACTION, user, actions=[action], trigger_id="1.2.x", **changed)


def submission(reason: str = "", words: str = "", **changed: Any) -> dict[str, Any]:
    chosen = {"text": {"type": "plain_text", "text": "x"}, "value": reason} if reason else None
    values = {
        "reason": {"reason": {"type": "radio_buttons", "selected_option": chosen}},
        "words": {"words": {"type": "plain_text_input", "value": words or None}},
    }
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": REASON_VIEW,
        "private_metadata": json.dumps({"turn": "turn1", "at": float(AT)}),
        "state": {"values": values},
        "app_installed_team_id": "T1",
    }
    return {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": "U2", "team_id": "T1"},
        "view": view | changed,
    }


async def test_good_vote_of_anybody_is_stored_and_opens_nothing() -> None:
    async with open_listeners() as setup:
        assert await setup.deliver_press(vote_press("good")) == 200
        assert setup.votes == [Vote("turn1", "U2", "good", float(AT))]
        assert setup.slack_calls == []
        assert setup.metrics.registry.get_sample_value("bot_feedback_total", {"sign": "good"}) == 1


async def test_bad_vote_counts_and_opens_the_modal() -> None:
    async with open_listeners() as setup:
        await setup.deliver_press(vote_press("bad"))
        assert [vote.sign for vote in setup.votes] == ["bad"]
        [opened] = setup.calls_of("views.open")
        assert opened["trigger_id"] == "1.2.x"
        metadata = opened["view"]["private_metadata"]
        assert json.loads(metadata) == {"turn": "turn1", "at": float(AT)}


async def test_bad_vote_counts_when_the_modal_does_not_open() -> None:
    async with open_listeners() as setup:
        setup.errors["views.open"] = "expired_trigger_id"
        assert await setup.deliver_press(vote_press("bad")) == 200
        assert len(setup.votes) == 1


async def test_modal_opens_while_the_database_is_unavailable() -> None:
    async with open_listeners() as setup:
        setup.stored = None
        await setup.deliver_press(vote_press("bad"))
        assert len(setup.calls_of("views.open")) == 1
        [told] = setup.calls_of("chat.postEphemeral")
        assert (told["user"], told["text"]) == ("U2", say(Language.ENGLISH, Phrase.VOTE_NOT_STORED))


async def test_vote_on_an_ephemeral_answer_is_stored() -> None:
    async with open_listeners() as setup:
        body = vote_press("good")
        del body["message"]
        body["container"] = {"is_ephemeral": True, "message_ts": "2.0"}
        await setup.deliver_press(body)
        assert len(setup.votes) == 1


async def test_reason_and_words_are_stored_with_the_vote() -> None:
    async with open_listeners() as setup:
        response = await setup.deliver(submission("wrong", " It was 1912. "))
        assert (response.status, response.body) == (200, "")
        assert setup.votes == [
            Vote("turn1", "U2", "bad", float(AT), reason="wrong", words="It was 1912.")
        ]


async def test_empty_modal_is_closed_and_stores_nothing() -> None:
    async with open_listeners() as setup:
        response = await setup.deliver(submission())
        assert (response.status, response.body, setup.votes) == (200, "", [])


async def test_modal_stays_open_while_the_database_is_unavailable() -> None:
    async with open_listeners() as setup:
        setup.stored = None
        response = await setup.deliver(submission("wrong"))
        said = json.loads(response.body)
        text = say(Language.ENGLISH, Phrase.REASON_NOT_STORED)
        assert said == {"response_action": "errors", "errors": {"reason": text}}


async def test_votes_of_other_workspaces_are_not_stored() -> None:
    async with open_listeners() as setup:
        await setup.deliver(vote_press("bad") | {"team": {"id": "T9"}})
        foreign = submission("wrong", app_installed_team_id="T9")
        await setup.deliver(foreign | {"team": {"id": "T9"}})
        assert (setup.votes, setup.slack_calls) == ([], [])


@pytest.mark.parametrize(
    "changed",
    [
        {"value": "great"},
        {"value": None},
        {"block_id": "answer:turn1"},
        {"block_id": "feedback:"},
        {"block_id": "feedback:turn1"},
        {"action_ts": "soon"},
        {"action_ts": "nan"},
        {"action_ts": None},
    ],
)
def test_press_that_is_no_vote_is_not_parsed(changed: dict[str, Any]) -> None:
    body = vote_press("good")
    body["actions"][0] |= changed
    assert parse_vote(body) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"callback_id": "other"},
        {"private_metadata": ""},
        {"private_metadata": "[" * 100_000},
        {"private_metadata": '{"turn": 1, "at": 2}'},
        {"private_metadata": '{"turn": "t", "at": true}'},
        {"private_metadata": '{"turn": "t"}'},
        {"state": {"values": None}},
        {"state": None},
    ],
)
def test_submission_that_is_no_vote_is_not_parsed(changed: dict[str, Any]) -> None:
    assert parse_reason(submission("wrong", **changed)) is None


def test_unknown_reason_is_left_out_and_long_words_are_cut() -> None:
    vote = parse_reason(submission("nonsense", "w" * (MAX_FEEDBACK_WORDS + 1)))
    assert vote is not None
    assert (vote.reason, len(vote.words)) == ("", MAX_FEEDBACK_WORDS)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(JSON, JSON, JSON)
def test_parsers_raise_for_no_payload(state: Any, metadata: Any, action: Any) -> None:
    parse_reason(submission("wrong", state=state, private_metadata=json.dumps(metadata)))
    body = vote_press("good")
    body["actions"][0]["action_ts"] = action
    parse_vote(body)
