"""`chat.*` over the wire, as a raw client sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.playground.slack.limits import Limits
from bot.playground.slack.server import SCOPES, SlackConfig
from tests.unit.playground import live
from tests.unit.playground.live import BOT, DM, ENGINEERING, GENERAL, RANDOM, SECRET, YOU, LiveSlack

META = {"event_type": "turn", "event_payload": {"id": "t1"}}
BUTTON = {
    "type": "actions",
    "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Stop"}}],
}


async def _posted(slack: LiveSlack, **args: Any) -> str:
    body = await slack.api("chat.postMessage", **{"channel": GENERAL, "text": "hi"} | args)
    assert body["ok"], body
    return str(body["ts"])


async def test_post_is_in_its_thread_and_by_the_bot(slack: LiveSlack) -> None:
    root = slack.workspace.say(GENERAL, "question")
    body = await slack.api("chat.postMessage", channel=GENERAL, text="answer", thread_ts=root.ts)
    message = body["message"]
    assert body["ok"]
    assert body["channel"] == GENERAL
    assert (message["user"], message["bot_id"]) == (BOT, "B0000000BOT")
    assert (message["thread_ts"], message["parent_user_id"]) == (root.ts, YOU)
    assert [m.text for m in slack.workspace.thread(GENERAL, root.ts)] == ["question", "answer"]


async def test_thread_may_be_named_by_any_of_its_messages(slack: LiveSlack) -> None:
    root = slack.workspace.say(GENERAL, "question")
    reply = slack.workspace.say(GENERAL, "me too", thread_ts=root.ts)
    body = await slack.api("chat.postMessage", channel=GENERAL, text="x", thread_ts=reply.ts)
    assert body["message"]["thread_ts"] == root.ts


async def test_post_accepts_the_name_of_a_channel_and_the_id_of_a_person(slack: LiveSlack) -> None:
    named = await slack.api("chat.postMessage", channel="#general", text="x")
    direct = await slack.api("chat.postMessage", channel=YOU, text="x")
    assert (named["channel"], direct["channel"]) == (GENERAL, DM)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel": "C404"}, "channel_not_found"),
        ({"channel": SECRET}, "channel_not_found"),
        ({"channel": RANDOM}, "not_in_channel"),
        ({"channel": None}, "invalid_arguments"),
        ({"text": ""}, "no_text"),
        ({"thread_ts": "yesterday"}, "invalid_thread_ts"),
        ({"metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"blocks": [{"type": "nonsense"}]}, "invalid_blocks"),
    ],
    ids=str,
)
async def test_invalid_post_is_refused(slack: LiveSlack, args: Any, error: str) -> None:
    body = await slack.api("chat.postMessage", **{"channel": GENERAL, "text": "x"} | args)
    assert (body["ok"], body["error"]) == (False, error)
    assert not slack.announced("message")


async def test_public_channel_needs_no_membership_with_its_scope() -> None:
    config = SlackConfig(scopes=SCOPES | {"chat:write.public"})
    async with live.slack(config) as slack:
        assert (await slack.api("chat.postMessage", channel=RANDOM, text="x"))["ok"]
        refused = await slack.api("chat.postMessage", channel=SECRET, text="x")
        assert refused["error"] == "channel_not_found"


async def test_text_alone_takes_blocks_away_and_marks_the_message_edited(slack: LiveSlack) -> None:
    ts = await _posted(slack, blocks=[BUTTON])
    body = await slack.api("chat.update", channel=GENERAL, ts=ts, text="done")
    assert body["text"] == "done"
    assert "blocks" not in body["message"]
    assert body["message"]["edited"]["user"] == BOT


async def test_update_with_blocks_does_not_look_edited(slack: LiveSlack) -> None:
    ts = await _posted(slack)
    body = await slack.api("chat.update", channel=GENERAL, ts=ts, text="x", blocks=[BUTTON])
    assert "edited" not in body["message"]
    assert body["message"]["blocks"][0]["block_id"] == "b0"


async def test_update_keeps_metadata_unless_it_gives_some(slack: LiveSlack) -> None:
    ts = await _posted(slack, metadata=META)
    kept = await slack.api("chat.update", channel=GENERAL, ts=ts, text="a")
    assert kept["message"]["metadata"] == META
    cleared = await slack.api("chat.update", channel=GENERAL, ts=ts, text="b", metadata={})
    assert "metadata" not in cleared["message"]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"text": "x" * 4_001}, "msg_too_long"),
        ({"text": ""}, "no_text"),
        ({"ts": "1700000000.000001"}, "message_not_found"),
        ({"ts": ""}, "invalid_arguments"),
        ({"channel": "#general"}, "channel_not_found"),
        ({"channel": RANDOM}, "not_in_channel"),
        ({"markdown_text": "x"}, "markdown_text_conflict"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_invalid_update_is_refused(slack: LiveSlack, args: Any, error: str) -> None:
    ts = await _posted(slack)
    given = {"channel": GENERAL, "ts": ts, "text": "x"} | args
    assert (await slack.api("chat.update", **given))["error"] == error
    standing = slack.workspace.message(GENERAL, ts)
    assert standing is not None
    assert standing.text == "hi"


async def test_message_of_somebody_else_can_not_be_edited_or_deleted(slack: LiveSlack) -> None:
    ts = slack.workspace.say(GENERAL, "mine").ts
    edited = await slack.api("chat.update", channel=GENERAL, ts=ts, text="x")
    deleted = await slack.api("chat.delete", channel=GENERAL, ts=ts)
    assert (edited["error"], deleted["error"]) == ("cant_update_message", "cant_delete_message")


async def test_fifty_first_edit_of_a_minute_is_rate_limited(
    slack: LiveSlack, clock: live.Clock
) -> None:
    ts = await _posted(slack)
    for number in range(50):
        assert (await slack.api("chat.update", channel=GENERAL, ts=ts, text=str(number)))["ok"]
        clock.now += 1
    headers = {"Authorization": "Bearer xoxb-playground"}
    args = {"channel": GENERAL, "ts": ts, "text": "late"}
    url = slack.api_url + "chat.update"
    async with slack.session.post(url, json=args, headers=headers) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "10")
        assert (await response.json())["error"] == "ratelimited"
    assert slack.announced("budget")[-1] == {"method": "chat.update", "used": 50, "limit": 50}
    clock.now += 10
    assert (await slack.api("chat.update", channel=GENERAL, ts=ts, text="late"))["ok"]


async def test_posts_to_one_channel_are_limited_and_to_another_are_not(slack: LiveSlack) -> None:
    posts = [await slack.api("chat.postMessage", channel=GENERAL, text="x") for _ in range(6)]
    assert [post["ok"] for post in posts] == [True] * 5 + [False]
    assert posts[5]["error"] == "ratelimited"
    assert (await slack.api("chat.postMessage", channel=ENGINEERING, text="x"))["ok"]


async def test_deleted_root_leaves_a_tombstone_for_its_replies(slack: LiveSlack) -> None:
    ts = await _posted(slack)
    await _posted(slack, thread_ts=ts)
    assert (await slack.api("chat.delete", channel=GENERAL, ts=ts))["ok"]
    root, _ = slack.workspace.thread(GENERAL, ts)
    assert root.subtype == "tombstone"
    again = await slack.api("chat.update", channel=GENERAL, ts=ts, text="x")
    assert again["error"] == "message_not_found"


@pytest.mark.parametrize("gone", [True, False], ids=["deleted", "never there"])
async def test_post_to_a_thread_without_a_root_is_a_top_level_message(
    slack: LiveSlack, gone: bool
) -> None:
    ts = slack.workspace.say(GENERAL, "question").ts if gone else "1700000000.000001"
    if gone:
        slack.workspace.delete(GENERAL, ts)
    body = await slack.api("chat.postMessage", channel=GENERAL, text="answer", thread_ts=ts)
    assert body["ok"]
    assert "thread_ts" not in body["message"]
    assert slack.workspace.messages(GENERAL)[-1].thread_ts is None


async def test_post_below_a_tombstone_is_in_its_thread(slack: LiveSlack) -> None:
    root = slack.workspace.say(GENERAL, "question")
    await _posted(slack, thread_ts=root.ts)
    slack.workspace.delete(GENERAL, root.ts)
    body = await slack.api("chat.postMessage", channel=GENERAL, text="more", thread_ts=root.ts)
    assert body["message"]["thread_ts"] == root.ts


async def test_ephemeral_message_is_for_one_person_and_can_not_be_edited(slack: LiveSlack) -> None:
    body = await slack.api("chat.postEphemeral", channel=GENERAL, user=YOU, text="psst")
    told = slack.announced("ephemeral")[0]
    assert (told["user"], told["message"]["text"]) == (YOU, "psst")
    args = {"channel": GENERAL, "ts": body["message_ts"], "text": "x"}
    assert (await slack.api("chat.update", **args))["error"] == "message_not_found"
    other = await slack.api("chat.postEphemeral", channel=DM, user=live.ADA, text="psst")
    assert other["error"] == "user_not_in_channel"


async def test_forms_carry_structured_arguments_as_json(slack: LiveSlack) -> None:
    form = {
        "token": "xoxb-playground",
        "channel": GENERAL,
        "text": "x",
        "blocks": json.dumps([BUTTON]),
        "metadata": json.dumps(META),
        "unfurl_links": "false",
    }
    async with slack.session.post(slack.api_url + "chat.postMessage", data=form) as response:
        body = await response.json()
    assert (body["ok"], body["message"]["metadata"]) == (True, META)
    bad = form | {"blocks": "[{"}
    async with slack.session.post(slack.api_url + "chat.postMessage", data=bad) as response:
        assert (await response.json())["error"] == "invalid_blocks_format"


async def test_long_post_is_cut_with_a_warning(slack: LiveSlack) -> None:
    body = await slack.api("chat.postMessage", channel=GENERAL, text="x" * 40_001)
    assert (body["ok"], body["warning"]) == (True, "message_truncated")


async def test_permalink_names_the_thread(slack: LiveSlack) -> None:
    root = slack.workspace.say(GENERAL, "a")
    reply = slack.workspace.say(GENERAL, "b", thread_ts=root.ts)
    body = await slack.api("chat.getPermalink", channel=GENERAL, message_ts=reply.ts)
    assert body["permalink"].endswith(f"?thread_ts={root.ts}&cid={GENERAL}")


async def test_limits_are_the_workspaces_to_set() -> None:
    async with live.slack(limits=Limits(update_text=10)) as slack:
        ts = await _posted(slack)
        body = await slack.api("chat.update", channel=GENERAL, ts=ts, text="x" * 11)
        assert body["error"] == "msg_too_long"
