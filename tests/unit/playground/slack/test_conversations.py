"""`conversations.*`: threads and channels page by page."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bot.playground.slack.limits import Limits
from bot.playground.slack.records import Message
from bot.playground.slack.server import SCOPES, SlackConfig
from tests.unit.playground import live
from tests.unit.playground.live import ADA, BOT, DM, GENERAL, RANDOM, SECRET, YOU, LiveSlack


def _thread(slack: LiveSlack, replies: int) -> list[Message]:
    root = slack.workspace.say(GENERAL, "root")
    said = [
        slack.workspace.say(GENERAL, str(number), thread_ts=root.ts) for number in range(replies)
    ]
    return [root, *said]


def _texts(page: dict[str, Any]) -> list[str]:
    return [message["text"] for message in page["messages"]]


def _cursor(page: dict[str, Any]) -> str:
    return str(page.get("response_metadata", {}).get("next_cursor", ""))


async def _pages(slack: LiveSlack, method: str, **args: Any) -> list[dict[str, Any]]:
    pages = [await slack.api(method, **args)]
    while cursor := _cursor(pages[-1]):
        pages.append(await slack.api(method, cursor=cursor, **args))
    return pages


async def test_replies_come_in_order_with_the_root_first(slack: LiveSlack) -> None:
    root, *_ = _thread(slack, 3)
    page = await slack.api("conversations.replies", channel=GENERAL, ts=root.ts)
    assert _texts(page) == ["root", "0", "1", "2"]
    assert page["has_more"] is False
    first = page["messages"][0]
    assert (first["thread_ts"], first["reply_count"]) == (root.ts, 3)
    assert page["messages"][1]["parent_user_id"] == YOU


async def test_root_begins_every_page_of_a_thread(slack: LiveSlack) -> None:
    root, *_ = _thread(slack, 5)
    args = {"channel": GENERAL, "ts": root.ts, "limit": 3}
    pages = await _pages(slack, "conversations.replies", **args)
    assert [_texts(page) for page in pages] == [
        ["root", "0", "1"],
        ["root", "2", "3"],
        ["root", "4"],
    ]
    assert [page["has_more"] for page in pages] == [True, True, False]


async def test_pages_without_the_root_hold_each_message_once() -> None:
    async with live.slack(limits=Limits(root_on_every_page=False)) as slack:
        root, *_ = _thread(slack, 5)
        args = {"channel": GENERAL, "ts": root.ts, "limit": 2}
        pages = await _pages(slack, "conversations.replies", **args)
    assert [_texts(page) for page in pages] == [["root", "0"], ["1", "2"], ["3", "4"]]


async def test_pages_of_one_message_come_to_an_end(slack: LiveSlack) -> None:
    root, *_ = _thread(slack, 2)
    pages = await _pages(slack, "conversations.replies", channel=GENERAL, ts=root.ts, limit=1)
    assert [_texts(page) for page in pages] == [["root"], ["root", "0"], ["root", "1"]]


async def test_oldest_and_latest_bound_the_replies(slack: LiveSlack) -> None:
    root, *said = _thread(slack, 4)
    args = {"channel": GENERAL, "ts": root.ts, "oldest": said[0].ts, "latest": said[3].ts}
    between = await slack.api("conversations.replies", **args)
    inclusive = await slack.api("conversations.replies", inclusive=True, **args)
    assert _texts(between) == ["root", "1", "2"]
    assert _texts(inclusive) == ["root", "0", "1", "2", "3"]


async def test_metadata_is_given_only_when_asked_for(slack: LiveSlack) -> None:
    meta = {"event_type": "turn", "event_payload": {"id": "t1"}}
    post = await slack.api("chat.postMessage", channel=GENERAL, text="x", metadata=meta)
    args = {"channel": GENERAL, "ts": post["ts"]}
    plain = await slack.api("conversations.replies", **args)
    full = await slack.api("conversations.replies", include_all_metadata=True, **args)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == meta


async def test_history_is_newest_first_without_replies(slack: LiveSlack) -> None:
    _thread(slack, 2)
    slack.workspace.say(GENERAL, "later")
    pages = await _pages(slack, "conversations.history", channel=GENERAL, limit=1)
    assert [text for page in pages for text in _texts(page)][:2] == ["later", "root"]
    assert len(pages) == 4


async def test_history_returns_one_message_by_its_ts(slack: LiveSlack) -> None:
    root, *_ = _thread(slack, 0)
    slack.workspace.say(GENERAL, "later")
    args = {"channel": GENERAL, "latest": root.ts, "inclusive": "true"}
    assert _texts(await slack.api("conversations.history", limit=1, **args)) == ["root"]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"ts": "1700000000.000001"}, "thread_not_found"),
        ({"ts": ""}, "invalid_arguments"),
        ({"cursor": "nonsense"}, "invalid_cursor"),
        ({"cursor": base64.b64encode(b"offset:3").decode()}, "invalid_cursor"),
        ({"limit": "many"}, "invalid_limit"),
        ({"oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"latest": "tomorrow"}, "invalid_ts_latest"),
        ({"channel": "C404"}, "channel_not_found"),
        ({"channel": SECRET}, "channel_not_found"),
        ({"channel": RANDOM}, "not_in_channel"),
    ],
    ids=str,
)
async def test_invalid_read_is_refused(slack: LiveSlack, args: Any, error: str) -> None:
    root, *_ = _thread(slack, 1)
    given = {"channel": GENERAL, "ts": root.ts} | args
    assert (await slack.api("conversations.replies", **given))["error"] == error


@pytest.mark.parametrize(("channel", "needed"), [(GENERAL, "channels:history"), (DM, "im:history")])
async def test_reading_needs_the_scope_of_the_channels_kind(channel: str, needed: str) -> None:
    async with live.slack(SlackConfig(scopes=SCOPES - {needed})) as slack:
        said = slack.workspace.say(channel, "x")
        body = await slack.api("conversations.replies", channel=channel, ts=said.ts)
    assert (body["error"], body["needed"]) == ("missing_scope", needed)
    assert needed not in body["provided"].split(",")


async def test_restricted_app_reads_fifteen_messages_once_a_minute() -> None:
    limits = Limits(special={"conversations.replies": 1}, replies_page=15)
    async with live.slack(limits=limits) as slack:
        root, *_ = _thread(slack, 30)
        page = await slack.api("conversations.replies", channel=GENERAL, ts=root.ts, limit=1000)
        again = await slack.api("conversations.replies", channel=GENERAL, ts=root.ts)
    assert (len(page["messages"]), again["error"]) == (15, "ratelimited")


async def test_list_has_the_channels_that_the_bot_may_see(slack: LiveSlack) -> None:
    types = "public_channel,private_channel,im"
    pages = await _pages(slack, "conversations.list", types=types, limit=2)
    found = [channel["id"] for page in pages for channel in page["channels"]]
    assert set(found) == {GENERAL, live.ENGINEERING, RANDOM, DM}
    assert len(found) == 4
    wrong = await slack.api("conversations.list", types="secret")
    assert wrong["error"] == "invalid_types"


async def test_info_says_what_kind_a_channel_is_and_whether_the_bot_is_in(
    slack: LiveSlack,
) -> None:
    out = (await slack.api("conversations.info", channel=RANDOM))["channel"]
    direct = (await slack.api("conversations.info", channel=DM))["channel"]
    assert (out["name"], out["is_member"], out["is_private"]) == ("random", False, False)
    assert (direct["is_im"], direct["user"]) == (True, YOU)


async def test_members_and_people_are_listed_in_pages(slack: LiveSlack) -> None:
    pages = await _pages(slack, "conversations.members", channel=GENERAL, limit=3)
    assert [len(page["members"]) for page in pages] == [3, 1]
    people = await slack.api("users.list")
    assert {user["id"] for user in people["members"]} >= {YOU, ADA, BOT}


async def test_direct_message_is_opened_once(slack: LiveSlack) -> None:
    first = await slack.api("conversations.open", users=ADA)
    second = await slack.api("conversations.open", users=ADA, return_im=True)
    assert first["channel"]["id"] == second["channel"]["id"]
    assert second["channel"]["user"] == ADA
    assert (await slack.api("conversations.open", users="U404"))["error"] == "user_not_found"
