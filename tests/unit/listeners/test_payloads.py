from __future__ import annotations

from typing import Any

import pytest

from bot.listeners.payloads.addressing import BotIdentifiers
from bot.listeners.payloads.questions import parse_command, parse_mention, parse_message
from tests.support.shared_data import corpora, payloads

US = BotIdentifiers("UBOT", "BBOT")


def body(event_id: str = "Ev1", **event: Any) -> dict[str, Any]:
    base = {
        "type": "message",
        "user": "U1",
        "channel": "C1",
        "channel_type": "channel",
        "ts": "100.000100",
        "text": "<@UBOT> hello",
    }
    return {"type": "event_callback", "team_id": "T1", "event_id": event_id, "event": base | event}


def test_mention_is_a_question_in_its_own_thread() -> None:
    question = parse_mention(body(type="app_mention"), US)
    assert question is not None
    assert question.text == "hello"
    assert question.place.channel == "C1"
    assert question.place.surface == "channel"
    assert question.place.thread_ts == question.ts == "100.000100"


def test_mention_in_a_thread_is_answered_in_that_thread() -> None:
    question = parse_mention(body(type="app_mention", thread_ts="90.000000"), US)
    assert question is not None
    assert question.place.thread_ts == "90.000000"


def test_mention_delivered_as_two_events_has_one_key_and_one_id() -> None:
    one = parse_mention(body("Ev1", type="app_mention"), US)
    other = parse_message(body("Ev2"), US)
    assert one is not None
    assert other is not None
    assert one.id == other.id
    assert set(one.keys) & set(other.keys) == {"message:T1:C1:100.000100"}


def test_message_in_a_channel_without_a_mention_is_ignored() -> None:
    assert parse_message(body(text="hello all"), US) is None
    assert parse_message(body(text="hello <@U2>"), US) is None


@pytest.mark.parametrize("thread_ts", [None, "90.000000"])
def test_direct_message_is_a_question(thread_ts: str | None) -> None:
    sent = body(channel="D1", channel_type="im", text="hello", thread_ts=thread_ts)
    question = parse_message(sent, US)
    assert question is not None
    assert question.place.surface == "dm"
    assert question.place.thread_ts == (thread_ts or "100.000100")


@pytest.mark.parametrize(
    "ignored",
    [
        pytest.param({"user": "UBOT"}, id="our own message"),
        pytest.param({"bot_id": "B9"}, id="another bot"),
        pytest.param({"bot_profile": {"id": "B9"}}, id="another bot by profile"),
        pytest.param({"subtype": "bot_message", "user": None}, id="bot_message"),
        pytest.param({"subtype": "message_changed", "hidden": True}, id="an edit"),
        pytest.param({"subtype": "message_deleted", "hidden": True}, id="a deletion"),
        pytest.param({"subtype": "channel_join"}, id="a join"),
        pytest.param({"subtype": "assistant_app_thread"}, id="the root of an old thread"),
        pytest.param({"user": None}, id="nobody's message"),
        pytest.param({"user": "USLACKBOT"}, id="Slackbot"),
        pytest.param({"ts": None}, id="no ts"),
    ],
)
def test_message_subtypes_that_ask_nothing_are_ignored(ignored: dict[str, Any]) -> None:
    assert parse_message(body(channel="D1", channel_type="im", **ignored), US) is None
    assert parse_mention(body(type="app_mention", **ignored), US) is None


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_message_subtypes_that_people_write_are_questions(subtype: str) -> None:
    assert parse_message(body(subtype=subtype), US) is not None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<@UBOT> hello", "hello"),
        ("<@UBOT|bot>: hello", "hello"),
        ("hello <@UBOT>", "hello"),
        ("hey <@UBOT> what is up", "hey what is up"),
        ("<@UBOT>", ""),
        ("  <@UBOT>  ", ""),
        ("<@UBOT> tell <@U2> about <#C2|general>", "tell <@U2> about #general"),
        ("<@UBOT> a &lt; b &amp;&amp; c", "a < b && c"),
        (
            "<@UBOT> read <https://x.example/a|this> and <https://y.example>",
            "read this (https://x.example/a) and https://y.example",
        ),
        ("<@UBOT> ask <!subteam^S1|@crew> or <!here>", "ask @crew or @here"),
        ("<@UBOT> mail <mailto:a@b.example|a@b.example>", "mail a@b.example"),
        ("<@UBOT>\n```\nx = 1\n```", "```\nx = 1\n```"),
    ],
)
def test_message_text_is_unescaped(written: str, read: str) -> None:
    question = parse_mention(body(type="app_mention", text=written), US)
    assert question is not None
    assert question.text == read


def test_question_has_the_files_of_its_message() -> None:
    sent = body(
        subtype="file_share",
        files=[
            {
                "id": "F1",
                "name": "a.png",
                "mimetype": "image/png",
                "size": 7,
                "url_private": "https://files.slack.com/a.png",
            }
        ],
    )
    question = parse_message(sent, US)
    assert question is not None
    (file,) = question.files
    assert (file.id, file.name, file.size) == ("F1", "a.png", 7)


def test_user_team_is_set_in_shared_channels_only() -> None:
    own = parse_mention(body(type="app_mention", team="T1"), US)
    foreign = parse_mention(
        body(type="app_mention", user_team="T9") | {"is_ext_shared_channel": True}, US
    )
    assert own is not None
    assert foreign is not None
    assert own.user_team is None
    assert foreign.user_team == "T9"


FORM = {
    "command": "/ask",
    "text": "why?",
    "user_id": "U1",
    "channel_id": "C1",
    "team_id": "T1",
    "trigger_id": "1.2.3",
    "response_url": "https://hooks.slack.com/commands/1",
}


def test_command_is_a_private_question() -> None:
    question = parse_command(FORM, in_our_dm=False)
    assert question.text == "why?"
    assert question.place.surface == "command"
    assert question.place.thread_ts is None
    assert not question.public
    assert question.response_url == FORM["response_url"]


@pytest.mark.parametrize("text", ["#public why?", "why? #public", "why? <#C9|public>"])
def test_command_can_ask_for_a_public_answer(text: str) -> None:
    question = parse_command(FORM | {"text": text}, in_our_dm=False)
    assert question.public
    assert question.text == "why?"


def test_command_keeps_a_word_that_only_starts_with_public() -> None:
    question = parse_command(FORM | {"text": "what is #publicity?"}, in_our_dm=False)
    assert not question.public
    assert question.text == "what is #publicity?"


def test_command_sent_twice_is_two_questions() -> None:
    one, other = (
        parse_command(FORM, in_our_dm=False),
        parse_command(FORM | {"trigger_id": "9"}, in_our_dm=False),
    )
    assert one.id != other.id
    assert not set(one.keys) & set(other.keys)


NO_QUESTION = {"message.message_changed", "message.message_deleted", "message.bot_message"}


@corpora
def test_recorded_events_are_parsed_without_an_error(corpus: str) -> None:
    asked = [
        recorded["kind"]
        for recorded in payloads(corpus, "events")
        for read in (parse_mention, parse_message)
        if read(recorded["payload"], US) is not None
    ]
    assert asked, "the recordings hold mentions and direct messages"
    assert set(asked) <= {
        "app_mention",
        "message",
        "message.file_share",
        "message.thread_broadcast",
    }
    assert not NO_QUESTION & set(asked)
