"""What failures of a call become."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack import Slack, http_session
from tests.unit.slack.serving import (
    Answer,
    failure,
    fixed_response,
    json_responses,
    serving,
    update,
)


async def test_refused_call_raises_the_error_code_of_slack() -> None:
    body = {"ok": False, "error": "missing_scope", "needed": "chat:write"}
    error, outcomes = await failure(json_responses(body))
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
async def test_rate_limited_call_raises_its_retry_after(header: str, seconds: float) -> None:
    error, outcomes = await failure(
        fixed_response(429, '{"ok":false,"error":"ratelimited"}', headers={"Retry-After": header})
    )
    assert isinstance(error, SlackRateLimited)
    assert error.retry_after == seconds
    assert outcomes == [("chat.update", "rate_limited")]


async def test_rate_limit_in_the_body_counts_as_one() -> None:
    error, _ = await failure(json_responses({"ok": False, "error": "rate_limited"}))
    assert isinstance(error, SlackRateLimited)


JSON = {"content_type": "application/json"}
HTML = {"content_type": "text/html"}
NOT_SLACK: dict[str, Answer] = {
    "500": fixed_response(500),
    "503 with a page": fixed_response(503, "<html>try later</html>", **HTML),
    "200 with a page": fixed_response(200, "<html>log in</html>", **HTML),
    "404 with a page": fixed_response(404, "<html>nothing here</html>", **HTML),
    "plain text": fixed_response(200, "not json"),
    "broken json": fixed_response(200, "not json", **JSON),
    "empty": fixed_response(200, "", **JSON),
    "a list": fixed_response(200, "[1, 2]", **JSON),
    "a string": fixed_response(200, '"ok"', **JSON),
    "null": fixed_response(200, "null", **JSON),
    "nested too deep": fixed_response(200, "[" * 200_000, **JSON),
    "500 with a code": fixed_response(500, '{"ok":false,"error":"not_in_channel"}', **JSON),
    "internal_error": json_responses({"ok": False, "error": "internal_error"}),
    "fatal_error": json_responses({"ok": False, "error": "fatal_error"}),
    "no code": json_responses({"ok": False}),
}


@pytest.mark.parametrize("answer", NOT_SLACK.values(), ids=NOT_SLACK)
async def test_reply_that_is_not_from_slack_counts_as_unreachable(answer: Answer) -> None:
    error, outcomes = await failure(answer)
    assert isinstance(error, SlackUnreachable)
    assert outcomes == [("chat.update", "unreachable")]


async def test_reply_that_is_not_text_counts_as_unreachable() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"ok": "\xff"}', content_type="application/json")

    error, _ = await failure(answer)
    assert isinstance(error, SlackUnreachable)


async def test_broken_connection_counts_as_unreachable_and_is_not_retried() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.close()
        return web.Response()

    error, _ = await failure(answer)
    assert isinstance(error, SlackUnreachable)


async def test_refused_connection_counts_as_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/api/"
        async with http_session() as session:
            with pytest.raises(SlackUnreachable):
                await update(Slack("xoxb-1", base_url=url, session=session))


async def test_call_without_a_reply_counts_as_unreachable() -> None:
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


async def test_http_session_limits_a_call_to_fifteen_seconds() -> None:
    async with http_session() as session:
        assert session.timeout.total == 15
