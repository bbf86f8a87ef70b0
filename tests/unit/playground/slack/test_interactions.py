"""Commands, presses and modals: what the app receives, and what its answer does. No network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.playground.slack.deliveries import interactions
from bot.playground.slack.records import Message
from bot.playground.slack.workspace import NotThere, Workspace
from tests.unit.playground.live import DM, GENERAL, RANDOM, YOU
from tests.unit.playground.slack.offline_workspace import OfflineWorkspace


def test_command_names_no_message_and_has_a_response_url(offline: OfflineWorkspace) -> None:
    offline.workspace.base_url = "http://127.0.0.1:1"
    offline.workspace.command(DM, "/ask", "why?")
    form = offline.last().body
    assert (form["command"], form["text"], form["user_id"]) == ("/ask", "why?", YOU)
    assert form["channel_name"] == "directmessage"
    assert form["response_url"].startswith("http://127.0.0.1:1/respond/")
    assert not {"thread_ts", "message_ts"} & set(form)


def test_command_acknowledged_with_invalid_blocks_shows_an_error(
    offline: OfflineWorkspace,
) -> None:
    offline.workspace.command(GENERAL, "/ask", "why?")
    offline.last().acked({"text": "x", "blocks": [{"type": "nonsense"}]})
    kind, told = offline.announcements[-1]
    assert kind == "ephemeral"
    assert "invalid_blocks" in told["message"]["text"]


def test_shortcut_brings_the_message_and_an_address_also_without_the_bot(
    offline: OfflineWorkspace,
) -> None:
    offline.workspace.base_url = "http://127.0.0.1:1"
    said = offline.workspace.say(RANDOM, "late")
    offline.workspace.use_shortcut(RANDOM, said.ts, "ask")
    body = offline.last().body
    assert (body["type"], body["callback_id"]) == ("message_action", "ask")
    assert (body["message"]["text"], body["message_ts"]) == ("late", said.ts)
    assert body["channel"] == {"id": RANDOM, "name": "random"}
    assert body["response_url"].startswith("http://127.0.0.1:1/respond/")
    assert body["trigger_id"]


def test_shortcut_of_an_ephemeral_message_does_not_exist(offline: OfflineWorkspace) -> None:
    ts = offline.workspace.next_ts()
    offline.workspace.say_privately(Message(ts, GENERAL, YOU, "x", only_for=YOU))
    with pytest.raises(NotThere):
        offline.workspace.use_shortcut(GENERAL, ts, "ask")


def test_shortcut_that_is_not_acknowledged_shows_an_error(offline: OfflineWorkspace) -> None:
    offline.workspace.use_shortcut(GENERAL, offline.workspace.say(GENERAL, "x").ts, "ask")
    offline.last().failed("http_timeout")
    kind, told = offline.announcements[-1]
    assert kind == "ephemeral"
    assert "http_timeout" in told["message"]["text"]


def _button_message(offline: OfflineWorkspace) -> str:
    message = offline.workspace.say(GENERAL, "x")
    element = {
        "type": "button",
        "action_id": "stop",
        "value": "t1",
        "text": {"type": "plain_text", "text": "Stop"},
    }
    block = {"type": "section", "block_id": "row", "accessory": element}
    offline.workspace.change(message, blocks=(block,))
    return message.ts


def test_press_carries_the_button_its_message_and_a_response_url(offline: OfflineWorkspace) -> None:
    ts = _button_message(offline)
    offline.workspace.press(channel=GENERAL, message_ts=ts, block_id="row", action_id="stop")
    body = offline.last().body
    assert body["type"] == "block_actions"
    assert (body["actions"][0]["action_id"], body["actions"][0]["value"]) == ("stop", "t1")
    assert (body["message"]["ts"], body["channel"]["id"]) == (ts, GENERAL)
    assert body["container"]["is_ephemeral"] is False
    assert body["trigger_id"]
    assert "/respond/" in body["response_url"]


@pytest.mark.parametrize(
    "act",
    [
        lambda w, ts: w.press(channel=GENERAL, message_ts=ts, block_id="row", action_id="no"),
        lambda w, ts: w.press(channel=GENERAL, message_ts=ts, block_id="no", action_id="stop"),
        lambda w, _: w.press(channel=GENERAL, message_ts="1", block_id="row", action_id="stop"),
        lambda w, _: w.press(view_id="V404", block_id="row", action_id="stop"),
        lambda w, _: w.submit("V404", {}),
        lambda w, _: w.close_view("V404"),
        lambda w, _: w.edit(GENERAL, "1", "x"),
    ],
    ids=["action", "block", "message", "view", "submit", "close", "edit"],
)
def test_action_on_what_does_not_exist_is_refused(
    offline: OfflineWorkspace, act: Callable[[Workspace, str], None]
) -> None:
    ts = _button_message(offline)
    with pytest.raises(NotThere):
        act(offline.workspace, ts)


INPUTS = [
    {
        "type": "input",
        "block_id": "name",
        "element": {"type": "plain_text_input", "action_id": "typed"},
    },
    {
        "type": "input",
        "block_id": "model",
        "element": {
            "type": "static_select",
            "action_id": "chosen",
            "options": [{"text": {"type": "plain_text", "text": "Big"}, "value": "big"}],
        },
    },
]


def _modal(offline: OfflineWorkspace, **more: Any) -> str:
    views, now = offline.workspace.views, offline.board.clock()
    given = {"type": "modal", "blocks": INPUTS, **more}
    return str(views.open(views.trigger(YOU, now), given, now)["id"])


def test_submission_carries_the_state_of_every_input(offline: OfflineWorkspace) -> None:
    offline.workspace.submit(_modal(offline), {"name": "Ada", "model": "big"})
    values = offline.last().body["view"]["state"]["values"]
    assert values["name"]["typed"] == {"type": "plain_text_input", "value": "Ada"}
    assert values["model"]["chosen"]["selected_option"]["text"]["text"] == "Big"


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ({}, None),
        ({"response_action": "clear"}, None),
        ({"response_action": "update", "view": {"type": "modal", "title": "new"}}, "new"),
        ({"response_action": "push", "view": {"type": "modal", "title": "top"}}, "top"),
    ],
    ids=["close", "clear", "update", "push"],
)
def test_response_to_a_submission_decides_what_is_shown(
    offline: OfflineWorkspace, answer: dict[str, Any], shown: str | None
) -> None:
    offline.workspace.submit(_modal(offline), {})
    offline.last().acked(answer)
    modal = offline.workspace.snapshot()["modal"]
    assert (modal and modal["title"]) == shown


def test_errors_of_a_submission_stand_beside_the_inputs(offline: OfflineWorkspace) -> None:
    view_id = _modal(offline)
    offline.workspace.submit(view_id, {})
    offline.last().acked({"response_action": "errors", "errors": {"name": "Too short"}})
    kind, told = offline.announcements[-1]
    assert (kind, told["view"]["id"], told["errors"]) == ("modal", view_id, {"name": "Too short"})


def test_unacknowledged_submission_leaves_the_modal_open_with_an_error(
    offline: OfflineWorkspace,
) -> None:
    view_id = _modal(offline)
    offline.workspace.submit(view_id, {})
    offline.last().failed("operation_timeout")
    kind, told = offline.announcements[-1]
    assert (kind, told["view"]["id"]) == ("modal", view_id)
    assert "operation_timeout" in told["errors"][""]


@pytest.mark.parametrize("notify", [True, False])
def test_closing_a_modal_is_told_only_when_asked_for(
    offline: OfflineWorkspace, notify: bool
) -> None:
    offline.workspace.close_view(_modal(offline, notify_on_close=notify))
    assert [delivery.name for delivery in offline.sent] == (["view_closed"] if notify else [])
    assert offline.workspace.snapshot()["modal"] is None


def test_press_in_the_home_tab_names_the_view(offline: OfflineWorkspace) -> None:
    element = {"type": "checkboxes", "action_id": "on", "options": []}
    blocks = [{"type": "actions", "block_id": "row", "elements": [element]}]
    view = offline.workspace.views.publish(YOU, {"type": "home", "blocks": blocks})
    offline.workspace.press(view_id=view["id"], block_id="row", action_id="on", value=["a"])
    body = offline.last().body
    assert body["container"] == {"type": "view", "view_id": view["id"]}
    assert body["actions"][0]["selected_options"][0]["value"] == "a"
    assert "response_url" not in body


@pytest.mark.parametrize(("value", "label"), [("up", "Good"), ("down", "Bad")])
def test_press_of_a_feedback_button_says_which_one(
    offline: OfflineWorkspace, value: str, label: str
) -> None:
    texts = {"positive_button": ("Good", "up"), "negative_button": ("Bad", "down")}
    element = {"type": "feedback_buttons", "action_id": "rate"} | {
        name: {"text": {"type": "plain_text", "text": text}, "value": given}
        for name, (text, given) in texts.items()
    }
    action = interactions.action(element, "f", value, "1.2")
    assert (action["type"], action["value"], action["text"]["text"]) == (
        "feedback_buttons",
        value,
        label,
    )
