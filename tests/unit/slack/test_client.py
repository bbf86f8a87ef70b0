"""What each method sends to Slack, and what it reads in the answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import SCOPES_BY_METHOD, Identity, Slack, http_session
from bot.slack.client import MAX_CONCURRENT_CALLS
from bot.slack.metadata_signer import MetadataSigner
from tests.unit.slack.serving import json_responses, serving, update


async def test_post_sends_blocks_as_objects_and_never_unfurls() -> None:
    async with serving(json_responses({"ok": True, "ts": "5.0"})) as server:
        ts = await server.slack.post(
            "C1", text="hi", blocks='[{"type":"divider"}]', metadata={"event_type": "x"}
        )
    assert ts == "5.0"
    [(method, sent)] = server.requests
    assert method == "chat.postMessage"
    assert sent == {
        "channel": "C1",
        "text": "hi",
        "blocks": [{"type": "divider"}],
        "metadata": MetadataSigner("xoxb-1").sign({"event_type": "x"}),
        "unfurl_links": False,
        "unfurl_media": False,
    }
    assert server.headers[0]["Authorization"] == "Bearer xoxb-1"
    assert server.outcomes == [("chat.postMessage", "ok")]


async def test_update_leaves_out_arguments_that_are_none() -> None:
    async with serving(json_responses({"ok": True})) as server:
        await update(server.slack)
    assert server.requests == [
        ("chat.update", {"channel": "C1", "ts": "1.0", "text": "hi", "blocks": []})
    ]


async def test_auth_test_returns_the_identity_with_its_scopes() -> None:
    who = {"team_id": "T1", "team": "Otters", "user_id": "U9", "bot_id": "B9", "user": "bot"}
    answer = json_responses({"ok": True, **who}, **{"X-OAuth-Scopes": "chat:write,im:history"})
    async with serving(answer) as server:
        identity = await server.slack.auth_test()
    assert identity == Identity(**who, scopes=frozenset({"chat:write", "im:history"}))


@pytest.mark.parametrize(
    ("said", "home"),
    [
        ({"enterprise_id": "E1"}, {"T1", "E1"}),
        ({"enterprise_id": None}, {"T1"}),
        ({}, {"T1"}),
    ],
)
async def test_tenant_ids_are_the_team_and_its_organisation(
    said: dict[str, Any], home: set[str]
) -> None:
    async with serving(json_responses({"ok": True, "team_id": "T1", **said})) as server:
        assert (await server.slack.auth_test()).tenant_ids == home


async def test_auth_test_without_a_scopes_header_returns_no_scopes() -> None:
    async with serving(json_responses({"ok": True, "user_id": "U9"})) as server:
        assert (await server.slack.auth_test()).scopes == frozenset()


async def test_replies_reads_a_thread_page_by_page_and_counts_its_root_once() -> None:
    pages = [
        {"messages": [{"ts": "1"}, {"ts": "2"}], "response_metadata": {"next_cursor": "more"}},
        {"messages": [{"ts": "1"}, {"ts": "3"}], "response_metadata": {"next_cursor": ""}},
    ]
    async with serving(json_responses(*({"ok": True, **page} for page in pages))) as server:
        messages = await server.slack.replies("C1", "1", include_metadata=True)
    assert [message["ts"] for message in messages] == ["1", "2", "3"]
    first, second = (given for _, given in server.requests)
    assert (first["ts"], first["limit"], first["include_all_metadata"]) == ("1", "200", "1")
    assert "cursor" not in first
    assert second["cursor"] == "more"


async def test_replies_and_history_read_no_more_than_the_limit() -> None:
    page = {"ok": True, "messages": [{"ts": str(n)} for n in range(15)]}
    page["response_metadata"] = {"next_cursor": "more"}
    async with serving(json_responses(page)) as server:
        assert len(await server.slack.history("C1", limit=10)) == 10
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("person", "name"),
    [
        ({"profile": {"display_name": "ann", "real_name": "Ann B."}}, "ann"),
        ({"profile": {"display_name": "", "real_name": "Ann B."}}, "Ann B."),
        ({"real_name": "Ann"}, "Ann"),
        ({"name": "ann.b"}, "ann.b"),
        ({}, "U1"),
    ],
)
async def test_user_name_is_the_name_that_others_see(person: dict[str, Any], name: str) -> None:
    async with serving(json_responses({"ok": True, "user": person})) as server:
        assert await server.slack.user_name("U1") == name


@pytest.mark.parametrize(
    ("person", "locale"), [({"locale": "zh-CN"}, "zh-CN"), ({}, ""), ({"locale": None}, "")]
)
async def test_user_locale_is_asked_for(person: dict[str, Any], locale: str) -> None:
    async with serving(json_responses({"ok": True, "user": person})) as server:
        assert await server.slack.user_locale("U1") == locale
    [(_, arguments)] = server.requests
    assert arguments == {"user": "U1", "include_locale": "true"}


async def test_other_methods_send_the_arguments_that_slack_expects() -> None:
    answer = json_responses({"ok": True, "channel": {"id": "D1"}, "url": "wss://x"})
    async with serving(answer) as server:
        slack = server.slack
        assert await slack.open_dm("U1") == "D1"
        assert await slack.connections_open("xapp-1") == "wss://x"
        await slack.delete("C1", "1.0")
        await slack.post_ephemeral("C1", "U1", text="psst")
        await slack.publish_home("U1", {"type": "home"})
    sent = dict(server.requests)
    assert sent["conversations.open"] == {"users": "U1"}
    assert sent["chat.delete"] == {"channel": "C1", "ts": "1.0"}
    assert sent["chat.postEphemeral"] == {"channel": "C1", "user": "U1", "text": "psst"}
    assert sent["views.publish"] == {"user_id": "U1", "view": {"type": "home"}}
    assert "token" not in sent["apps.connections.open"]
    assert server.headers[1]["Authorization"] == "Bearer xapp-1"


async def test_proxy_is_not_used_for_a_slack_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    async with http_session() as session:
        here = Slack("xoxb-1", base_url="http://127.0.0.1:8000/api/", session=session)
        there = Slack("xoxb-1", base_url="https://slack.com/api/", session=session)
    assert here.web.proxy is None
    assert there.web.proxy == "http://proxy.example:3128"


async def test_call_that_timed_out_sends_no_more_bytes() -> None:
    """A connection that is reset takes with it what the network has held up."""
    arrived, ended = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"chat.update")
        arrived.set()
        try:
            ended.set_result(await reader.read())
        except ConnectionResetError as error:
            ended.set_result(error)
        writer.close()

    async with (
        await asyncio.start_server(hear, "127.0.0.1", 0) as server,
        http_session() as session,
    ):
        port = server.sockets[0].getsockname()[1]
        slack = Slack("xoxb-1", base_url=f"http://127.0.0.1:{port}/api/", session=session)
        editing = asyncio.create_task(update(slack))
        await arrived.wait()
        editing.cancel()
        assert isinstance(await ended, ConnectionResetError)


def test_slack_sdk_client_has_no_retry_handlers() -> None:
    async def make() -> AsyncWebClient:
        async with http_session() as session:
            return Slack("xoxb-1", base_url="https://slack.com/api/", session=session).web

    assert asyncio.run(make()).retry_handlers == []


def test_scopes_by_method_are_scopes_that_slack_has() -> None:
    scopes = {scope for needed in SCOPES_BY_METHOD.values() for scope in needed.split(",") if scope}
    assert all(":" in scope for scope in scopes)
    assert json.dumps(dict(SCOPES_BY_METHOD))


async def test_concurrent_calls_share_a_bounded_number_of_connections() -> None:
    under_way, all_taken, go_on = 0, asyncio.Event(), asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        nonlocal under_way
        under_way += 1
        assert under_way <= MAX_CONCURRENT_CALLS
        if under_way == MAX_CONCURRENT_CALLS:
            all_taken.set()
        await go_on.wait()
        under_way -= 1
        return web.json_response({"ok": True})

    async with serving(answer) as server, asyncio.TaskGroup() as calls:
        for _ in range(3 * MAX_CONCURRENT_CALLS):
            calls.create_task(update(server.slack))
        await all_taken.wait()
        go_on.set()
    assert server.outcomes == [("chat.update", "ok")] * 3 * MAX_CONCURRENT_CALLS
