"""The door to the Web API, against a real HTTP server: what is sent, and what failures become."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack import SCOPES, Identity, Slack, http_session
from bot.slack.response_url import is_trusted

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """What was asked, and the Slack that asked it."""

    slack: Slack
    origin: str
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def answering(*answers: Any, **headers: str) -> Answer:
    """Give these JSON answers in turn, the last one for ever."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        body = left.pop(0) if len(left) > 1 else left[0]
        return web.json_response(body, headers=headers)

    return answer


def saying(status: int, body: str = "", **more: Any) -> Answer:
    """Give this answer, whatever is asked."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, **more)

    return answer


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Server]:
    """A Slack on this machine that answers so."""

    async def handle(request: web.Request) -> web.StreamResponse:
        given = dict(request.query)
        if request.can_read_body:
            given |= await request.json()
        server.requests.append((request.match_info["method"], given))
        server.headers.append(dict(request.headers))
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/api/{method}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    outcomes: list[tuple[str, str]] = []
    try:
        async with http_session() as session:
            slack = Slack(
                "xoxb-1",
                base_url=f"{origin}/api/",
                session=session,
                on_call=lambda method, outcome: outcomes.append((method, outcome)),
            )
            server = Server(slack, origin, outcomes=outcomes)
            yield server
    finally:
        await runner.cleanup()


async def update(slack: Slack) -> None:
    await slack.update("C1", "1.0", text="hi", blocks="[]")


async def failure(answer: Answer) -> tuple[SlackError, list[tuple[str, str]]]:
    """What one call becomes when it is answered so."""
    async with serving(answer) as server:
        with pytest.raises(SlackError) as error:
            await update(server.slack)
        assert len(server.requests) == 1, "nothing is retried here"
        return error.value, server.outcomes


async def test_a_post_sends_blocks_as_objects_and_never_unfurls() -> None:
    async with serving(answering({"ok": True, "ts": "5.0"})) as server:
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
        "metadata": {"event_type": "x"},
        "unfurl_links": False,
        "unfurl_media": False,
    }
    assert server.headers[0]["Authorization"] == "Bearer xoxb-1"
    assert server.outcomes == [("chat.postMessage", "ok")]


async def test_an_edit_leaves_out_what_was_not_given() -> None:
    async with serving(answering({"ok": True})) as server:
        await update(server.slack)
    assert server.requests == [
        ("chat.update", {"channel": "C1", "ts": "1.0", "text": "hi", "blocks": []})
    ]


async def test_who_we_are_comes_with_our_scopes() -> None:
    who = {"team_id": "T1", "team": "Otters", "user_id": "U9", "bot_id": "B9", "user": "bot"}
    answer = answering({"ok": True, **who}, **{"X-OAuth-Scopes": "chat:write,im:history"})
    async with serving(answer) as server:
        identity = await server.slack.auth_test()
    assert identity == Identity(**who, scopes=frozenset({"chat:write", "im:history"}))


async def test_without_the_header_the_scopes_are_unknown() -> None:
    async with serving(answering({"ok": True, "user_id": "U9"})) as server:
        assert (await server.slack.auth_test()).scopes == frozenset()


async def test_a_thread_is_read_page_by_page_and_its_root_counts_once() -> None:
    pages = [
        {"messages": [{"ts": "1"}, {"ts": "2"}], "response_metadata": {"next_cursor": "more"}},
        {"messages": [{"ts": "1"}, {"ts": "3"}], "response_metadata": {"next_cursor": ""}},
    ]
    async with serving(answering(*({"ok": True, **page} for page in pages))) as server:
        messages = await server.slack.replies("C1", "1", include_metadata=True)
    assert [message["ts"] for message in messages] == ["1", "2", "3"]
    first, second = (given for _, given in server.requests)
    assert (first["ts"], first["limit"], first["include_all_metadata"]) == ("1", "200", "1")
    assert "cursor" not in first
    assert second["cursor"] == "more"


async def test_no_more_messages_are_read_than_asked_for() -> None:
    page = {"ok": True, "messages": [{"ts": str(n)} for n in range(15)]}
    page["response_metadata"] = {"next_cursor": "more"}
    async with serving(answering(page)) as server:
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
async def test_a_person_has_the_name_others_see(person: dict[str, Any], name: str) -> None:
    async with serving(answering({"ok": True, "user": person})) as server:
        assert await server.slack.user_name("U1") == name


async def test_the_smaller_methods_send_what_slack_expects() -> None:
    answer = answering({"ok": True, "channel": {"id": "D1"}, "url": "wss://x"})
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


async def test_a_refusal_is_slacks_own_word() -> None:
    body = {"ok": False, "error": "missing_scope", "needed": "chat:write"}
    error, outcomes = await failure(answering(body))
    assert isinstance(error, SlackRefused)
    assert (error.method, error.code, error.needed) == (
        "chat.update",
        "missing_scope",
        "chat:write",
    )
    assert outcomes == [("chat.update", "missing_scope")]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("", 5.0), ("soon", 5.0), ("-3", 0.0), ("999999", 300.0)],
)
async def test_a_429_says_when_to_come_back(header: str, seconds: float) -> None:
    error, outcomes = await failure(
        saying(429, '{"ok":false,"error":"ratelimited"}', headers={"Retry-After": header})
    )
    assert isinstance(error, SlackRateLimited)
    assert error.retry_after == seconds
    assert outcomes == [("chat.update", "rate_limited")]


async def test_a_limit_told_in_the_body_is_one_too() -> None:
    error, _ = await failure(answering({"ok": False, "error": "rate_limited"}))
    assert isinstance(error, SlackRateLimited)


JSON = {"content_type": "application/json"}
HTML = {"content_type": "text/html"}
NOT_SLACK: dict[str, Answer] = {
    "500": saying(500),
    "503 with a page": saying(503, "<html>try later</html>", **HTML),
    "200 with a page": saying(200, "<html>log in</html>", **HTML),
    "404 with a page": saying(404, "<html>nothing here</html>", **HTML),
    "plain text": saying(200, "not json"),
    "broken json": saying(200, "not json", **JSON),
    "empty": saying(200, "", **JSON),
    "a list": saying(200, "[1, 2]", **JSON),
    "a string": saying(200, '"ok"', **JSON),
    "null": saying(200, "null", **JSON),
    "500 with a code": saying(500, '{"ok":false,"error":"not_in_channel"}', **JSON),
    "internal_error": answering({"ok": False, "error": "internal_error"}),
    "fatal_error": answering({"ok": False, "error": "fatal_error"}),
    "no code": answering({"ok": False}),
}


@pytest.mark.parametrize("answer", NOT_SLACK.values(), ids=NOT_SLACK)
async def test_an_answer_not_in_slacks_own_words_leaves_it_open(answer: Answer) -> None:
    error, outcomes = await failure(answer)
    assert isinstance(error, SlackUnreachable)
    assert outcomes == [("chat.update", "unreachable")]


async def test_bytes_that_are_no_text_leave_it_open() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"ok": "\xff"}', content_type="application/json")

    error, _ = await failure(answer)
    assert isinstance(error, SlackUnreachable)


async def test_a_connection_that_breaks_off_leaves_it_open_and_is_not_retried() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.close()
        return web.Response()

    error, _ = await failure(answer)
    assert isinstance(error, SlackUnreachable)


async def test_nobody_there_leaves_it_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/api/"
        async with http_session() as session:
            with pytest.raises(SlackUnreachable):
                await update(Slack("xoxb-1", base_url=url, session=session))


async def test_an_answer_that_never_comes_leaves_it_open() -> None:
    heard, given_up = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        heard.set()
        await given_up.wait()
        return web.Response()

    async with serving(answer) as server:
        patient = aiohttp.ClientTimeout(total=0.05)
        async with aiohttp.ClientSession(timeout=patient) as session:
            slack = Slack("xoxb-1", base_url=f"{server.origin}/api/", session=session)
            with pytest.raises(SlackUnreachable):
                await update(slack)
        assert heard.is_set()
        given_up.set()


async def test_no_call_may_take_longer_than_fifteen_seconds() -> None:
    async with http_session() as session:
        assert session.timeout.total == 15


async def test_a_response_url_takes_a_message() -> None:
    async with serving(saying(200, "ok")) as server:
        await server.slack.respond(f"{server.origin}/api/hook", {"text": "hi"})
    assert server.requests == [("hook", {"text": "hi"})]
    assert "Authorization" not in server.headers[0]
    assert server.outcomes == [("response_url", "ok")]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, "used_url", "used_url"),
        (404, '{"ok":false,"error":"expired_url"}', "expired_url"),
        (200, '{"ok":false,"error":"used_url"}', "used_url"),
        (404, "<html>", "http_404"),
        (302, "", ""),
    ],
)
async def test_a_used_up_response_url_is_a_refusal(status: int, body: str, code: str) -> None:
    async with serving(saying(status, body)) as server:
        url = f"{server.origin}/api/secret-part"
        with pytest.raises(SlackError) as error:
            await server.slack.respond(url, {"text": "hi"})
    assert getattr(error.value, "code", "") == code
    assert "secret-part" not in str(error.value)


@pytest.mark.parametrize("status", [429, 500])
async def test_a_response_url_can_be_limited_or_out_of_reach(status: int) -> None:
    async with serving(saying(status, headers={"Retry-After": "2"})) as server:
        with pytest.raises(SlackError) as error:
            await server.slack.respond(f"{server.origin}/api/hook", {"text": "hi"})
    assert isinstance(error.value, SlackRateLimited if status == 429 else SlackUnreachable)


async def test_a_response_url_is_in_no_error_however_it_fails() -> None:
    async with http_session() as session:
        slack = Slack("xoxb-1", base_url="http://127.0.0.1:9/api/", session=session)
        with pytest.raises(SlackUnreachable) as error:
            await slack.respond("http://127.0.0.1:9/secret-part", {"text": "hi"})
    assert "secret-part" not in repr(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


async def test_nothing_is_sent_to_a_host_that_is_not_slacks() -> None:
    async with serving(saying(200, "ok")) as server, http_session() as session:
        slack = Slack("xoxb-1", base_url="https://slack.com/api/", session=session)
        with pytest.raises(SlackRefused, match="untrusted_host"):
            await slack.respond(f"{server.origin}/api/hook", {"text": "hi"})
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "base_url", "trusted"),
    [
        ("https://hooks.slack.com/commands/T/1/x", "https://slack.com/api/", True),
        ("https://hooks.slack.com/commands/T/1/x", "https://www.slack.com/api/", True),
        ("http://hooks.slack.com/commands/T/1/x", "https://slack.com/api/", False),
        ("https://hooks.slack.com.evil.example/x", "https://slack.com/api/", False),
        ("https://evil.example/hooks.slack.com", "https://slack.com/api/", False),
        ("https://hooks.slack.com@evil.example/x", "https://slack.com/api/", False),
        ("https://hooks.slack-gov.com/x", "https://slack-gov.com/api/", True),
        ("http://127.0.0.1:8001/hook", "http://127.0.0.1:8000/api/", True),
        ("http://localhost:8001/hook", "http://127.0.0.1:8000/api/", True),
        ("http://10.0.0.1/hook", "http://127.0.0.1:8000/api/", False),
        ("http://127.0.0.1/hook", "https://slack.com/api/", False),
        ("file:///etc/passwd", "http://127.0.0.1:8000/api/", False),
    ],
)
def test_where_a_response_url_may_lead(url: str, base_url: str, trusted: bool) -> None:
    assert is_trusted(url, base_url) is trusted


async def test_a_slack_on_this_machine_is_not_looked_for_behind_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    async with http_session() as session:
        here = Slack("xoxb-1", base_url="http://127.0.0.1:8000/api/", session=session)
        there = Slack("xoxb-1", base_url="https://slack.com/api/", session=session)
    assert here.web.proxy is None
    assert there.web.proxy == "http://proxy.example:3128"


def test_bolt_gets_a_client_that_retries_nothing() -> None:
    async def make() -> AsyncWebClient:
        async with http_session() as session:
            return Slack("xoxb-1", base_url="https://slack.com/api/", session=session).web

    assert asyncio.run(make()).retry_handlers == []


def test_every_scope_is_one_slack_has() -> None:
    scopes = {scope for needed in SCOPES.values() for scope in needed.split(",") if scope}
    assert all(":" in scope for scope in scopes)
    assert json.dumps(dict(SCOPES))
