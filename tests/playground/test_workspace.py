"""What people do, and what the app hears of it. No network."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.playground import seed
from bot.playground.board import Board
from bot.playground.events import Delivery
from bot.playground.workspace import NotThere, Workspace
from tests.playground.live import ADA, BOT, DM, GENERAL, RANDOM, SECRET, YOU, Clock


class Desk:
    """A workspace whose deliveries are kept instead of carried."""

    def __init__(self) -> None:
        self.board = Board(Clock())
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[Delivery] = []
        self.board.listen(lambda kind, payload: self.told.append((kind, payload)))
        self.workspace = Workspace(self.board)
        self.workspace.connect(self.sent.extend)

    @property
    def heard(self) -> list[tuple[str, dict[str, Any]]]:
        """Name of the subscription and inner event, in order."""
        return [(each.name, each.body["event"]) for each in self.sent]

    def last(self) -> Delivery:
        return self.sent[-1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


FILE = {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 3}


def test_a_mention_is_two_events_with_two_ids_and_one_ts(desk: Desk) -> None:
    said = desk.workspace.say(GENERAL, f"<@{BOT}> hello", files=[FILE])
    (name, message), (other, mention) = desk.heard
    assert (name, other) == ("message.channels", "app_mention")
    assert message["ts"] == mention["ts"] == said.ts
    assert len({delivery.body["event_id"] for delivery in desk.sent}) == 2
    assert (message["subtype"], message["files"]) == ("file_share", [FILE])
    assert "files" not in mention
    assert "channel_type" not in mention


def test_a_message_without_mention_is_one_event(desk: Desk) -> None:
    desk.workspace.say(GENERAL, "hello", user=ADA)
    ((name, event),) = desk.heard
    assert (name, event["user"], event["channel_type"]) == ("message.channels", ADA, "channel")


def test_a_direct_message_is_no_mention(desk: Desk) -> None:
    desk.workspace.say(DM, f"<@{BOT}> hello")
    ((name, event),) = desk.heard
    assert (name, event["channel_type"]) == ("message.im", "im")


@pytest.mark.parametrize("channel", [RANDOM, SECRET])
def test_nothing_is_heard_of_channels_the_bot_is_not_in(desk: Desk, channel: str) -> None:
    said = desk.workspace.say(channel, f"<@{BOT}> hello")
    desk.workspace.edit(channel, said.ts, "changed")
    desk.workspace.delete(channel, said.ts)
    assert desk.sent == []


def test_an_invited_bot_hears_of_the_channel(desk: Desk) -> None:
    desk.workspace.invite(RANDOM)
    desk.workspace.say(RANDOM, f"<@{BOT}> hello")
    names = [name for name, _ in desk.heard]
    assert names == ["member_joined_channel", "message.channels", "app_mention"]


def test_a_reply_names_its_root_and_its_author(desk: Desk) -> None:
    root = desk.workspace.say(GENERAL, "question", user=ADA)
    desk.workspace.say(GENERAL, f"<@{BOT}> and you?", thread_ts=root.ts)
    for _, event in desk.heard[1:]:
        assert (event["thread_ts"], event["parent_user_id"]) == (root.ts, ADA)


def test_edits_and_deletions_are_events_with_what_stood_before(desk: Desk) -> None:
    said = desk.workspace.say(GENERAL, "helo")
    desk.workspace.edit(GENERAL, said.ts, "hello")
    desk.workspace.delete(GENERAL, said.ts)
    (_, changed), (_, deleted) = desk.heard[1:]
    assert (changed["subtype"], changed["hidden"]) == ("message_changed", True)
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("helo", "hello")
    assert changed["message"]["edited"]["user"] == YOU
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", said.ts)


def test_a_root_that_gets_a_reply_is_told_again_with_its_count(desk: Desk) -> None:
    root = desk.workspace.say(GENERAL, "question")
    desk.workspace.say(GENERAL, "answer", thread_ts=root.ts)
    told = [payload["message"] for kind, payload in desk.told if kind == "message"]
    assert [message.get("reply_count") for message in told] == [None, None, 1]
    assert told[2]["ts"] == root.ts


def test_what_happens_before_anybody_listens_is_kept() -> None:
    workspace, sent = Workspace(Board()), list[Delivery]()
    workspace.say(DM, "hello")
    workspace.connect(sent.extend)
    assert [delivery.name for delivery in sent] == ["message.im"]


def test_timestamps_rise_even_when_the_clock_stands_still(desk: Desk) -> None:
    said = [desk.workspace.say(DM, "x").ts for _ in range(3)]
    assert said == sorted(set(said))


def test_a_command_names_no_message_and_brings_an_address(desk: Desk) -> None:
    desk.workspace.base_url = "http://127.0.0.1:1"
    desk.workspace.command(DM, "/ask", "why?")
    form = desk.last().body
    assert (form["command"], form["text"], form["user_id"]) == ("/ask", "why?", YOU)
    assert form["channel_name"] == "directmessage"
    assert form["response_url"].startswith("http://127.0.0.1:1/respond/")
    assert not {"thread_ts", "message_ts"} & set(form)


def test_a_command_answered_with_wrong_blocks_is_told_to_the_person(desk: Desk) -> None:
    desk.workspace.command(GENERAL, "/ask", "why?")
    desk.last().acked({"text": "x", "blocks": [{"type": "nonsense"}]})
    kind, told = desk.told[-1]
    assert kind == "ephemeral"
    assert "invalid_blocks" in told["message"]["text"]


def _button_message(desk: Desk) -> str:
    message = desk.workspace.say(GENERAL, "x")
    element = {
        "type": "button",
        "action_id": "stop",
        "value": "t1",
        "text": {"type": "plain_text", "text": "Stop"},
    }
    block = {"type": "section", "block_id": "row", "accessory": element}
    desk.workspace.change(message, blocks=(block,))
    return message.ts


def test_a_press_carries_the_button_its_message_and_an_address(desk: Desk) -> None:
    ts = _button_message(desk)
    desk.workspace.press(channel=GENERAL, message_ts=ts, block_id="row", action_id="stop")
    body = desk.last().body
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
def test_what_is_not_there_cannot_be_touched(
    desk: Desk, act: Callable[[Workspace, str], None]
) -> None:
    ts = _button_message(desk)
    with pytest.raises(NotThere):
        act(desk.workspace, ts)


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


def _modal(desk: Desk, **more: Any) -> str:
    views, now = desk.workspace.views, desk.board.clock()
    given = {"type": "modal", "blocks": INPUTS, **more}
    return str(views.open(views.trigger(YOU, now), given, now)["id"])


def test_a_submission_carries_the_state_of_every_input(desk: Desk) -> None:
    desk.workspace.submit(_modal(desk), {"name": "Ada", "model": "big"})
    values = desk.last().body["view"]["state"]["values"]
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
def test_the_answer_to_a_submission_decides_what_is_shown(
    desk: Desk, answer: dict[str, Any], shown: str | None
) -> None:
    desk.workspace.submit(_modal(desk), {})
    desk.last().acked(answer)
    modal = desk.workspace.snapshot()["modal"]
    assert (modal and modal["title"]) == shown


def test_errors_of_a_submission_stand_beside_the_inputs(desk: Desk) -> None:
    view_id = _modal(desk)
    desk.workspace.submit(view_id, {})
    desk.last().acked({"response_action": "errors", "errors": {"name": "Too short"}})
    kind, told = desk.told[-1]
    assert (kind, told["view"]["id"], told["errors"]) == ("modal", view_id, {"name": "Too short"})


def test_a_submission_nobody_took_leaves_the_modal_open_and_says_so(desk: Desk) -> None:
    view_id = _modal(desk)
    desk.workspace.submit(view_id, {})
    desk.last().failed("operation_timeout")
    kind, told = desk.told[-1]
    assert (kind, told["view"]["id"]) == ("modal", view_id)
    assert "operation_timeout" in told["errors"][""]


@pytest.mark.parametrize("notify", [True, False])
def test_closing_a_modal_is_told_only_when_asked_for(desk: Desk, notify: bool) -> None:
    desk.workspace.close_view(_modal(desk, notify_on_close=notify))
    assert [delivery.name for delivery in desk.sent] == (["view_closed"] if notify else [])
    assert desk.workspace.snapshot()["modal"] is None


def test_opening_the_home_tab_brings_what_was_published(desk: Desk) -> None:
    desk.workspace.open_home()
    view = desk.workspace.views.publish(YOU, {"type": "home", "blocks": []})
    desk.workspace.open_home()
    desk.workspace.open_home(tab="messages")
    bare, full, messages = (event for _, event in desk.heard)
    assert (bare["channel"], bare["tab"], "view" in bare) == (DM, "home", False)
    assert full["view"]["id"] == view["id"]
    assert (messages["tab"], "view" in messages) == ("messages", False)


def test_a_press_in_the_home_tab_names_the_view(desk: Desk) -> None:
    element = {"type": "checkboxes", "action_id": "on", "options": []}
    blocks = [{"type": "actions", "block_id": "row", "elements": [element]}]
    view = desk.workspace.views.publish(YOU, {"type": "home", "blocks": blocks})
    desk.workspace.press(view_id=view["id"], block_id="row", action_id="on", value=["a"])
    body = desk.last().body
    assert body["container"] == {"type": "view", "view_id": view["id"]}
    assert body["actions"][0]["selected_options"][0]["value"] == "a"
    assert "response_url" not in body


def test_a_snapshot_is_json_and_shows_only_what_the_person_may_see(desk: Desk) -> None:
    root = desk.workspace.say(GENERAL, "question")
    desk.workspace.command(GENERAL, "/ask", "why?")
    desk.last().failed("dispatch_failed")
    mine = json.loads(json.dumps(desk.workspace.snapshot()))
    adas = desk.workspace.snapshot(ADA)
    last = mine["messages"][GENERAL][-2:]
    assert last[0]["ts"] == root.ts
    assert last[1]["is_ephemeral"] is True
    assert adas["messages"][GENERAL][-1]["ts"] == root.ts
    assert DM not in adas["messages"]
    kinds = {each["name"]: (each["kind"], each["bot_is_member"]) for each in mine["channels"]}
    assert kinds["random"] == ("channel", False)
    assert kinds["board-room"] == ("private", False)
    assert kinds["bot"] == ("im", True)
    assert mine["me"]["id"] == seed.YOU.id
