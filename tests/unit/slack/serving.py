"""A Slack on this machine, behind real HTTP, that answers as a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bot.errors import SlackError
from bot.slack import Slack, http_session
from tests.support.local_server import serve_app

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """A client of Slack, its requests so far, and the outcomes it counted."""

    slack: Slack
    origin: str
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def json_responses(*answers: Any, **headers: str) -> Answer:
    """Give these JSON answers in turn, the last one again and again."""
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        body = left.pop(0) if len(left) > 1 else left[0]
        return web.json_response(body, headers=headers)

    return answer


def fixed_response(status: int, body: str = "", **more: Any) -> Answer:
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
    outcomes: list[tuple[str, str]] = []
    async with serve_app(app, shutdown_seconds=0) as origin, http_session() as session:
        slack = Slack(
            "xoxb-1",
            base_url=f"{origin}/api/",
            session=session,
            on_call=lambda method, outcome: outcomes.append((method, outcome)),
        )
        server = Server(slack, origin, outcomes=outcomes)
        yield server


async def update(slack: Slack) -> None:
    await slack.update("C1", "1.0", text="hi", blocks="[]")


async def failure(answer: Answer) -> tuple[SlackError, list[tuple[str, str]]]:
    """What one call becomes when it is answered so."""
    async with serving(answer) as server:
        with pytest.raises(SlackError) as error:
            await update(server.slack)
        assert len(server.requests) == 1, "nothing is retried here"
        return error.value, server.outcomes
