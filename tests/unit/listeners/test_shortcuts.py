"""The shortcut *Ask about this*: its modal, and the question that is submitted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.listeners.payloads.shortcuts import (
    MAX_METADATA_CHARACTERS,
    parse_question,
    parse_shortcut,
    parse_summary,
    private_metadata,
)
from bot.render.shortcuts import ASK_ABOUT_SHORTCUT, EVERYBODY, ONLY_ME, SUMMARISE_SHORTCUT
from bot.values import Place, Subject
from bot.words import Phrase
from tests.support.words import english
from tests.unit.listeners.listener_setup import DM, ListenerSetup, open_listeners

MESSAGE = {"type": "message", "user": "U2", "ts": "2.0", "thread_ts": "1.0", "text": "It is *late*"}


def shortcut_payload(message: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    said = MESSAGE if message is None else message
    return {
        "type": "message_action",
        "callback_id": ASK_ABOUT_SHORTCUT,
        "trigger_id": "1.2.x",
        "response_url": "https://hooks.slack.com/app/1",
        "team": {"id": "T1"},
        "user": {"id": "U1", "team_id": "T1"},
        "channel": {"id": "C1", "name": "general"},
        "message_ts": said.get("ts"),
        "message": said,
    } | changed


def submission(
    setup: ListenerSetup | None = None,
    text: str = "Why?",
    audience: str | None = EVERYBODY,
    shortcut: dict[str, Any] | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """The modal of a shortcut, submitted. `changed` are fields of the view."""
    parsed = parse_shortcut(shortcut or shortcut_payload())
    assert parsed
    chosen = {"value": audience} if audience else None
    values = {
        "question": {"question": {"type": "plain_text_input", "value": text or None}},
        "audience": {"audience": {"type": "radio_buttons", "selected_option": chosen}},
    }
    metadata = private_metadata(parsed)
    if setup:  # the small Slack takes what is said to the response URL
        metadata = metadata.replace("https://hooks.slack.com/app", f"{setup.url}/note")
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": ASK_ABOUT_SHORTCUT,
        "private_metadata": metadata,
        "state": {"values": values},
        "app_installed_team_id": "T1",
    }
    return {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": "U1", "team_id": "T1"},
        "view": view | changed,
    }


def texts_of(view: dict[str, Any]) -> str:
    return json.dumps(view["blocks"], ensure_ascii=False)


async def test_shortcut_opens_a_modal_that_quotes_the_message() -> None:
    async with open_listeners() as setup:
        setup.thread = [{"ts": "1.0"}, MESSAGE]
        response = await setup.deliver(shortcut_payload())
        assert (response.status, response.body) == (200, "")
        [opened] = setup.calls_of("views.open")
        assert opened["trigger_id"] == "1.2.x"
        assert "It is late" in texts_of(opened["view"])
        assert "<@U2>" in texts_of(opened["view"])
        assert setup.calls_of("views.update") == []
        assert setup.asked == []


async def test_modal_says_that_a_message_was_deleted() -> None:
    async with open_listeners() as setup:
        setup.thread = [{"ts": "1.0"}]
        await setup.deliver(shortcut_payload())
        [updated] = setup.calls_of("views.update")
        assert english(Phrase.ASK_ABOUT_DELETED) in texts_of(updated["view"])
        assert "submit" not in updated["view"]


async def test_modal_stays_when_the_thread_can_not_be_read_now() -> None:
    async with open_listeners() as setup:
        setup.unreadable = True
        await setup.deliver(shortcut_payload())
        assert [method for method, _ in setup.slack_calls] == ["views.open"]


async def test_person_is_told_that_the_modal_could_not_be_opened() -> None:
    async with open_listeners() as setup:
        setup.errors["views.open"] = "expired_trigger_id"
        chosen = shortcut_payload(response_url=f"{setup.url}/note/1")
        assert (await setup.deliver(chosen)).status == 200
        [told] = setup.calls_of("1")
        assert told["text"] == english(Phrase.ASK_ABOUT_NOT_OPENED)
        assert setup.asked == []


async def test_modal_that_was_closed_meanwhile_is_not_updated() -> None:
    async with open_listeners() as setup:
        setup.errors["views.update"] = "not_found"
        setup.thread = [{"ts": "1.0"}]
        assert (await setup.deliver(shortcut_payload())).status == 200
        assert [method for method, _ in setup.slack_calls] == ["views.open", "views.update"]


async def test_public_question_is_submitted_before_the_acknowledgement() -> None:
    async with open_listeners() as setup:
        response = await setup.deliver(submission(setup))
        assert (response.status, response.body) == (200, "")
        [question] = setup.asked
        assert (question.text, question.user, question.public) == ("Why?", "U1", True)
        assert question.place == Place("T1", "C1", "command", "1.0")
        assert question.about == Subject("2.0", "U2", "It is *late*")
        assert (question.ts, question.keys) == (None, ("view:T1:V1",))
        assert setup.slack_calls == []


async def test_private_question_is_announced_in_the_thread_once() -> None:
    async with open_listeners() as setup:
        for _ in range(2):
            await setup.deliver(submission(setup, audience=ONLY_ME))
        [note] = setup.calls_of("1")
        assert (note["thread_ts"], note["response_type"]) == ("1.0", "ephemeral")
        assert english(Phrase.ANSWER_WILL_FOLLOW) in note["text"]
        assert [question.public for question in setup.asked] == [False, False]
        assert len({question.id for question in setup.asked}) == 1


async def test_question_about_a_message_outside_of_threads_is_announced_in_the_channel() -> None:
    async with open_listeners() as setup:
        alone = shortcut_payload({"user": "U2", "ts": "2.0", "text": "Late"})
        await setup.deliver(submission(setup, audience=ONLY_ME, shortcut=alone))
        assert "thread_ts" not in setup.calls_of("1")[0]
        assert setup.asked[0].place.thread_ts == "2.0"


async def test_question_without_words_is_asked_for() -> None:
    async with open_listeners() as setup:
        response = await setup.deliver(submission(setup, text="  "))
        said = json.loads(response.body)
        assert said["errors"] == {"question": english(Phrase.ASK_ABOUT_EMPTY)}
        assert setup.asked == []


async def test_question_in_our_direct_message_is_answered_in_its_thread() -> None:
    async with open_listeners() as setup:
        ours = shortcut_payload(channel={"id": DM, "name": "directmessage"})
        await setup.deliver(submission(setup, audience=None, shortcut=ours))
        [question] = setup.asked
        assert question.place == Place("T1", DM, "dm", "1.0")
        assert question.response_url is None


async def test_question_in_the_direct_message_of_others_is_private() -> None:
    async with open_listeners() as setup:
        theirs = shortcut_payload(channel={"id": "D9", "name": "directmessage"})
        await setup.deliver(submission(setup, audience=EVERYBODY, shortcut=theirs))
        [question] = setup.asked
        assert (question.public, question.place.surface) == (False, "command")


async def test_person_of_another_organisation_is_refused_privately() -> None:
    async with open_listeners() as setup:
        body = submission(setup, audience=ONLY_ME)
        await setup.deliver(body | {"user": {"id": "U8", "team_id": "T8"}})
        assert setup.asked == []
        [told] = setup.calls_of("1")
        assert english(Phrase.EXTERNAL_PERSON_REFUSED) in told["text"]


async def test_shortcuts_of_other_workspaces_open_and_ask_nothing() -> None:
    async with open_listeners() as setup:
        await setup.deliver(shortcut_payload(team={"id": "T9"}))
        foreign = submission(setup, app_installed_team_id="T9")
        await setup.deliver(foreign | {"team": {"id": "T9"}})
        assert (setup.asked, setup.slack_calls) == ([], [])


async def test_summary_is_asked_privately_under_the_trigger() -> None:
    async with open_listeners() as setup:
        chosen = shortcut_payload(callback_id=SUMMARISE_SHORTCUT, action_ts="3.0")
        chosen["response_url"] = f"{setup.url}/note/1"
        for _ in range(2):
            response = await setup.deliver(chosen)
            assert (response.status, response.body) == (200, "")
        first, again = setup.asked
        assert (first.id, first.keys) == (again.id, ("trigger:T1:1.2.x",))
        assert (first.text, first.public) == (english(Phrase.SUMMARISE_THREAD), False)
        assert first.about == Subject("2.0", "U2", "It is *late*", summary_until="3.0")
        [note] = setup.calls_of("1")
        assert english(Phrase.ANSWER_WILL_FOLLOW) in note["text"]
        assert setup.calls_of("views.open") == []


async def test_summary_in_our_direct_message_is_a_message_of_its_thread() -> None:
    async with open_listeners() as setup:
        chosen = shortcut_payload(callback_id=SUMMARISE_SHORTCUT, channel={"id": DM})
        await setup.deliver(chosen)
        assert setup.asked[0].place == Place("T1", DM, "dm", "1.0")


def test_message_of_a_bot_is_named_by_the_bot() -> None:
    parsed = parse_shortcut(shortcut_payload({"bot_id": "B2", "ts": "2.0", "text": "Build failed"}))
    assert parsed
    assert parsed.about == Subject("2.0", "B2", "Build failed")


@pytest.mark.parametrize(
    ("user_team", "team", "more", "foreign"),
    [
        ("T1", {"id": "T1"}, {}, None),
        ("T2", {"id": "T1"}, {}, "T2"),
        (None, {"id": "T1"}, {}, None),
        ("T2", {"id": "T1", "enterprise_id": "E1"}, {}, None),
        ("T2", None, {"enterprise": {"id": "E1"}}, None),
    ],
)
def test_team_of_a_person_counts_if_it_is_another_organisation(
    user_team: str | None, team: Any, more: dict[str, Any], foreign: str | None
) -> None:
    body = shortcut_payload(team=team, user={"id": "U1", "team_id": user_team}) | more
    parsed = parse_shortcut(body)
    assert parsed
    assert parsed.user_team == foreign


@given(st.text(max_size=6000))
def test_metadata_fits_a_view_and_keeps_all_but_the_end_of_the_message(text: str) -> None:
    shortcut = parse_shortcut(shortcut_payload({**MESSAGE, "text": text}))
    assert shortcut
    metadata = private_metadata(shortcut)
    assert len(metadata) <= MAX_METADATA_CHARACTERS
    question = parse_question(
        submission(shortcut=shortcut_payload({**MESSAGE, "text": text})), "T1"
    )
    assert question
    assert question.about
    assert shortcut.about.text.startswith(question.about.text)


@pytest.mark.parametrize(
    "changed",
    [
        {"callback_id": "other"},
        {"private_metadata": ""},
        {"private_metadata": "[" * 100_000},
        {"private_metadata": "[]"},
        {"private_metadata": '{"channel": 1}'},
        {"id": None},
    ],
)
def test_submission_of_another_modal_is_not_parsed(changed: dict[str, Any]) -> None:
    assert parse_question(submission(**changed), "T1") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(JSON, JSON, JSON)
def test_parsers_raise_for_no_payload(state: Any, metadata: Any, message: Any) -> None:
    parse_question(submission(state=state, private_metadata=json.dumps(metadata)), "T1")
    parse_shortcut(shortcut_payload() | {"message": message})
    parse_summary(shortcut_payload() | {"message": message, "action_ts": state}, "T1")
    parse_shortcut(shortcut_payload() | {"user": message, "team": metadata, "channel": state})
