"""The door of the Web API: tokens, scopes, faults, and the log."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.playground.slack.server import SCOPES, SlackConfig
from bot.playground.slack.web_api import METHODS
from tests.unit.playground import live
from tests.unit.playground.live import BOT, GENERAL, YOU, LiveSlack


async def _raw(slack: LiveSlack, method: str, **how: Any) -> tuple[int, str]:
    async with slack.session.post(slack.api_url + method, **how) as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "not_authed"),
        ({"Authorization": "Bearer xoxb-wrong"}, "invalid_auth"),
        ({"Authorization": "Bearer xapp-playground"}, "not_allowed_token_type"),
    ],
)
async def test_call_without_the_right_token_is_refused(
    slack: LiveSlack, headers: dict[str, str], error: str
) -> None:
    status, text = await _raw(slack, "auth.test", headers=headers)
    assert status == 200
    assert f'"{error}"' in text


async def test_sockets_are_opened_with_the_app_token_only(slack: LiveSlack) -> None:
    body = await slack.api("apps.connections.open")
    assert body["error"] == "not_allowed_token_type"


async def test_token_may_come_in_the_body(slack: LiveSlack) -> None:
    _, form = await _raw(slack, "auth.test", data={"token": "xoxb-playground"})
    _, query = await _raw(slack, "auth.test", params={"token": "xoxb-playground"})
    assert '"ok": true' in form
    assert '"ok": true' in query


async def test_json_body_carries_no_token_and_is_ignored_by_read_methods(
    slack: LiveSlack,
) -> None:
    _, token = await _raw(slack, "auth.test", json={"token": "xoxb-playground"})
    headers = {"Authorization": "Bearer xoxb-playground"}
    _, user = await _raw(slack, "users.info", json={"user": YOU}, headers=headers)
    assert '"not_authed"' in token
    assert '"invalid_arguments"' in user


async def test_auth_test_names_the_bot_and_its_scopes(slack: LiveSlack) -> None:
    headers = {"Authorization": "Bearer xoxb-playground"}
    async with slack.session.post(slack.api_url + "auth.test", headers=headers) as response:
        body = await response.json()
        assert set(response.headers["x-oauth-scopes"].split(",")) == SCOPES
    assert (body["user_id"], body["bot_id"]) == (BOT, "B0000000BOT")


async def test_unknown_method_is_named(slack: LiveSlack) -> None:
    body = await slack.api("chat.shout")
    assert (body["error"], body["req_method"]) == ("unknown_method", "chat.shout")


@pytest.mark.parametrize(
    ("data", "error"), [("{", "invalid_json"), ("[1]", "json_not_object")], ids=["broken", "list"]
)
async def test_broken_body_is_refused(slack: LiveSlack, data: str, error: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer xoxb-playground"}
    assert f'"{error}"' in (await _raw(slack, "auth.test", data=data, headers=headers))[1]


@pytest.mark.parametrize("method", [name for name, each in METHODS.items() if each.scopes], ids=str)
async def test_method_without_its_scope_says_what_is_missing(method: str) -> None:
    needed = METHODS[method].scopes[0]
    async with live.slack(SlackConfig(scopes=SCOPES - {needed})) as slack:
        body = await slack.api(method, channel=GENERAL)
    assert (body["error"], body["needed"]) == ("missing_scope", needed)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_fault_answers_the_next_calls_and_is_then_cleared(
    slack: LiveSlack, status: int
) -> None:
    slack.board.set_faults(slack_status=status, slack_status_times=2)
    headers = {"Authorization": "Bearer xoxb-playground"}
    seen = [(await _raw(slack, "auth.test", headers=headers))[0] for _ in range(3)]
    assert seen == [status, status, 200]
    assert slack.board.faults.slack_status == 0


async def test_message_stays_when_the_reply_of_its_post_is_lost(slack: LiveSlack) -> None:
    slack.board.set_faults(lose_every=2)
    kept = await slack.api("chat.postMessage", channel=GENERAL, text="one")
    assert kept["ok"]
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await slack.api("chat.postMessage", channel=GENERAL, text="two")
    texts = [message.text for message in slack.workspace.messages(GENERAL)]
    assert texts[-2:] == ["one", "two"]
    assert slack.log("slack", "chat.postMessage")[-1].detail["lost"] is True


async def test_reads_and_refusals_are_never_lost(slack: LiveSlack) -> None:
    slack.board.set_faults(lose_every=1)
    assert (await slack.api("auth.test"))["ok"]
    refused = await slack.api("chat.postMessage", channel="C404", text="x")
    assert refused["error"] == "channel_not_found"


async def test_log_has_a_line_for_every_call(slack: LiveSlack) -> None:
    await slack.api("chat.update", channel=GENERAL, ts="1700000000.000001", text="x")
    detail = dict(slack.log("slack", "chat.update")[0].detail)
    assert detail.pop("ms") >= 0
    assert detail == {
        "status": 200,
        "error": "message_not_found",
        "channel": GENERAL,
        "ts": "1700000000.000001",
        "lost": False,
    }


async def test_people_and_the_bot_have_profiles(slack: LiveSlack) -> None:
    you = await slack.api("users.info", user=YOU)
    bot = await slack.api("bots.info", bot="B0000000BOT")
    nobody = await slack.api("users.info", user="U404")
    assert (you["user"]["profile"]["display_name"], bot["bot"]["user_id"]) == ("you", BOT)
    assert nobody["error"] == "user_not_found"


async def test_locale_of_a_person_is_given_on_request(slack: LiveSlack) -> None:
    slack.workspace.use_locale("zh-CN")
    without = await slack.api("users.info", user=YOU)
    asked = await slack.api("users.info", user=YOU, include_locale="true")
    assert ("locale" in without["user"], asked["user"]["locale"]) == (False, "zh-CN")


async def test_reaction_is_added_once_and_removed_once(slack: LiveSlack) -> None:
    said = slack.workspace.say(GENERAL, "x")
    args = {"channel": GENERAL, "timestamp": said.ts, "name": "eyes"}
    added = [await slack.api("reactions.add", **args) for _ in range(2)]
    shown = slack.announced("message")[-1]["message"]["reactions"]
    removed = [await slack.api("reactions.remove", **args) for _ in range(2)]
    assert (added[0]["ok"], added[1]["error"]) == (True, "already_reacted")
    assert shown == [{"name": "eyes", "users": [BOT], "count": 1}]
    assert (removed[0]["ok"], removed[1]["error"]) == (True, "no_reaction")


async def test_status_shows_until_the_bot_replies(slack: LiveSlack) -> None:
    root = slack.workspace.say(GENERAL, "x")
    args = {"channel_id": GENERAL, "thread_ts": root.ts, "status": "is thinking…"}
    assert (await slack.api("assistant.threads.setStatus", **args))["ok"]
    assert slack.workspace.snapshot()["statuses"][0]["status"] == "is thinking…"
    await slack.api("chat.postMessage", channel=GENERAL, thread_ts=root.ts, text="done")
    assert [told["status"] for told in slack.announced("status")] == ["is thinking…", ""]
    assert slack.workspace.snapshot()["statuses"] == []


async def test_status_that_is_not_renewed_expires_after_two_minutes(
    slack: LiveSlack, clock: live.Clock
) -> None:
    root = slack.workspace.say(GENERAL, "x")
    args = {"channel_id": GENERAL, "thread_ts": root.ts, "status": "is thinking…"}
    await slack.api("assistant.threads.setStatus", **args)
    clock.now += 119
    assert len(slack.workspace.snapshot()["statuses"]) == 1
    clock.now += 1
    assert slack.workspace.snapshot()["statuses"] == []


async def test_prompts_and_loading_messages_have_their_limits(slack: LiveSlack) -> None:
    root = slack.workspace.say(GENERAL, "x")
    where = {"channel_id": GENERAL, "thread_ts": root.ts}
    lines = await slack.api(
        "assistant.threads.setStatus", status="x", loading_messages=["x" * 51], **where
    )
    prompts = [{"title": "a", "message": "b"}] * 5
    many = await slack.api("assistant.threads.setSuggestedPrompts", prompts=prompts, **where)
    four = await slack.api("assistant.threads.setSuggestedPrompts", prompts=prompts[:4], **where)
    assert (lines["error"], many["error"]) == ("invalid_arguments", "invalid_arguments")
    assert four["ok"]
