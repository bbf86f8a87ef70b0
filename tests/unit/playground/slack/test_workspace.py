"""What people do, and what the app hears of it. No network."""

from __future__ import annotations

import json

import pytest

from bot.playground.board import Board
from bot.playground.slack import seed
from bot.playground.slack.deliveries.events import Delivery
from bot.playground.slack.workspace import Workspace
from tests.unit.playground.live import ADA, BOT, DM, GENERAL, RANDOM, SECRET, YOU
from tests.unit.playground.slack.offline_workspace import OfflineWorkspace

FILE = {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 3}


def test_mention_is_two_events_with_two_ids_and_one_ts(offline: OfflineWorkspace) -> None:
    said = offline.workspace.say(GENERAL, f"<@{BOT}> hello", files=[FILE])
    (name, message), (other, mention) = offline.events
    assert (name, other) == ("message.channels", "app_mention")
    assert message["ts"] == mention["ts"] == said.ts
    assert len({delivery.body["event_id"] for delivery in offline.sent}) == 2
    assert (message["subtype"], message["files"]) == ("file_share", [FILE])
    assert "files" not in mention
    assert "channel_type" not in mention


def test_message_without_mention_is_one_event(offline: OfflineWorkspace) -> None:
    offline.workspace.say(GENERAL, "hello", user=ADA)
    ((name, event),) = offline.events
    assert (name, event["user"], event["channel_type"]) == ("message.channels", ADA, "channel")


def test_direct_message_is_not_a_mention(offline: OfflineWorkspace) -> None:
    offline.workspace.say(DM, f"<@{BOT}> hello")
    ((name, event),) = offline.events
    assert (name, event["channel_type"]) == ("message.im", "im")


@pytest.mark.parametrize("channel", [RANDOM, SECRET])
def test_channels_without_the_bot_send_no_events(offline: OfflineWorkspace, channel: str) -> None:
    said = offline.workspace.say(channel, f"<@{BOT}> hello")
    offline.workspace.edit(channel, said.ts, "changed")
    offline.workspace.delete(channel, said.ts)
    assert offline.sent == []


def test_invited_bot_receives_events_of_the_channel(offline: OfflineWorkspace) -> None:
    offline.workspace.invite(RANDOM)
    offline.workspace.say(RANDOM, f"<@{BOT}> hello")
    names = [name for name, _ in offline.events]
    assert names == ["member_joined_channel", "message.channels", "app_mention"]


def test_new_channel_has_all_people_and_the_bot_if_wanted(offline: OfflineWorkspace) -> None:
    with_bot = offline.workspace.create_channel("busy")
    without = offline.workspace.create_channel("quiet", with_bot=False)
    for channel in (with_bot, without):
        offline.workspace.say(channel.id, f"<@{BOT}> hello", user=ADA)
    assert {event["channel"] for _, event in offline.events} == {with_bot.id}
    assert without.id in offline.workspace.snapshot()["messages"]


def test_reply_names_its_root_and_its_author(offline: OfflineWorkspace) -> None:
    root = offline.workspace.say(GENERAL, "question", user=ADA)
    offline.workspace.say(GENERAL, f"<@{BOT}> and you?", thread_ts=root.ts)
    for _, event in offline.events[1:]:
        assert (event["thread_ts"], event["parent_user_id"]) == (root.ts, ADA)


def test_edit_and_deletion_events_have_the_previous_message(offline: OfflineWorkspace) -> None:
    said = offline.workspace.say(GENERAL, "helo")
    offline.workspace.edit(GENERAL, said.ts, "hello")
    offline.workspace.delete(GENERAL, said.ts)
    (_, changed), (_, deleted) = offline.events[1:]
    assert (changed["subtype"], changed["hidden"]) == ("message_changed", True)
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("helo", "hello")
    assert changed["message"]["edited"]["user"] == YOU
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", said.ts)


def test_deleted_root_is_a_change_into_a_tombstone_that_goes_with_the_last_reply(
    offline: OfflineWorkspace,
) -> None:
    root = offline.workspace.say(GENERAL, "question")
    reply = offline.workspace.say(GENERAL, "answer", thread_ts=root.ts)
    offline.workspace.delete(GENERAL, root.ts)
    _, changed = offline.events[-1]
    assert (changed["subtype"], changed["message"]["subtype"]) == ("message_changed", "tombstone")
    assert changed["previous_message"]["text"] == "question"
    offline.workspace.delete(GENERAL, reply.ts)
    told = [(event["subtype"], event["deleted_ts"]) for _, event in offline.events[-2:]]
    assert told == [("message_deleted", reply.ts), ("message_deleted", root.ts)]
    assert offline.workspace.thread(GENERAL, root.ts) == []


def test_root_that_gets_a_reply_is_announced_again_with_its_count(
    offline: OfflineWorkspace,
) -> None:
    root = offline.workspace.say(GENERAL, "question")
    offline.workspace.say(GENERAL, "answer", thread_ts=root.ts)
    told = [payload["message"] for kind, payload in offline.announcements if kind == "message"]
    assert [message.get("reply_count") for message in told] == [None, None, 1]
    assert told[2]["ts"] == root.ts


def test_events_before_the_first_listener_are_kept() -> None:
    workspace, sent = Workspace(Board()), list[Delivery]()
    workspace.say(DM, "hello")
    workspace.connect(sent.extend)
    assert [delivery.name for delivery in sent] == ["message.im"]


def test_timestamps_rise_even_when_the_clock_stands_still(offline: OfflineWorkspace) -> None:
    said = [offline.workspace.say(DM, "x").ts for _ in range(3)]
    assert said == sorted(set(said))


def test_opening_the_home_tab_brings_what_was_published(offline: OfflineWorkspace) -> None:
    offline.workspace.open_home()
    view = offline.workspace.views.publish(YOU, {"type": "home", "blocks": []})
    offline.workspace.open_home()
    offline.workspace.open_home(tab="messages")
    bare, full, messages = (event for _, event in offline.events)
    assert (bare["channel"], bare["tab"], "view" in bare) == (DM, "home", False)
    assert full["view"]["id"] == view["id"]
    assert (messages["tab"], "view" in messages) == ("messages", False)


def test_snapshot_is_json_and_shows_only_what_the_person_may_see(
    offline: OfflineWorkspace,
) -> None:
    root = offline.workspace.say(GENERAL, "question")
    offline.workspace.command(GENERAL, "/ask", "why?")
    offline.last().failed("dispatch_failed")
    mine = json.loads(json.dumps(offline.workspace.snapshot()))
    adas = offline.workspace.snapshot(ADA)
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
