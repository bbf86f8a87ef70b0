"""A Slack that says what it should not, or nothing: connections as raw as they come."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.support.local_server import serve_app
from tests.unit.listeners.socket_bot import ME, SocketBot, config, socket_bot
from tests.unit.playground.live import LiveSlack

HELLO: dict[str, Any] = {"type": "hello", "num_connections": 1, "debug_info": {"host": "applink"}}

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


class MisbehavingSlack:
    """Opens connections like Slack, and talks in them as it likes."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.url = ""
        self.tickets: list[str] = []

    async def open(self, _: web.Request) -> web.Response:
        ticket = str(len(self.tickets))
        self.tickets.append(ticket)
        return web.json_response({"ok": True, "url": f"{self.url}/socket?ticket={ticket}"})

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await self.talk(socket)
        return socket


@asynccontextmanager
async def misbehaving_slack(talk: Talk) -> AsyncIterator[MisbehavingSlack]:
    slack = MisbehavingSlack(talk)
    app = web.Application()
    app.router.add_post("/api/apps.connections.open", slack.open)
    app.router.add_get("/socket", slack.socket)
    async with serve_app(app) as slack.url:
        yield slack


@asynccontextmanager
async def bot_of_misbehaving_slack(
    slack: LiveSlack, talk: Talk, **changed: Any
) -> AsyncIterator[SocketBot]:
    """One connection to a strange Slack; `slack` is only there for the log."""
    settings = config(connections=1, **changed)
    async with (
        misbehaving_slack(talk) as other,
        socket_bot(slack, settings, api_url=f"{other.url}/api/") as bot,
        bot.socket,
    ):
        yield bot


TEAM = ME.team_id


def envelope(name: str, text: str) -> dict[str, Any]:
    event = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "text": text}
    return {
        "type": "events_api",
        "envelope_id": name,
        "accepts_response_payload": False,
        "payload": {"type": "event_callback", "team_id": TEAM, "event_id": name, "event": event},
    }


async def test_socket_connection_without_a_hello_is_opened_again_with_a_new_url(
    slack: LiveSlack,
) -> None:
    silent = 0

    async def talk(socket: web.WebSocketResponse) -> None:
        nonlocal silent
        if silent < 2:
            silent += 1
        else:
            await socket.send_json(HELLO)
        await socket.receive()

    async with bot_of_misbehaving_slack(slack, talk, hello_timeout_seconds=0.05) as bot:
        await bot.connected(1)
    assert bot.open_outcomes == ["ok"] * 3
    assert bot.waiter.log_messages(logging.WARNING) == [
        "could not connect to Slack, retrying until it succeeds: socket: no hello"
    ]


async def test_socket_handshake_failure_is_logged_by_its_status_without_the_url(
    slack: LiveSlack,
) -> None:
    async def talk(_: web.WebSocketResponse) -> None:
        """Never reached."""

    async with misbehaving_slack(talk) as other:
        other.url = other.url + "/nowhere"
        api_url = other.url.removesuffix("/nowhere") + "/api/"
        async with socket_bot(slack, config(connections=1), api_url=api_url) as bot, bot.socket:
            await bot.until(lambda: len(bot.open_outcomes) == 3)
            assert not await bot.socket.is_connected()
    assert bot.waiter.log_messages(logging.WARNING) == [
        "could not connect to Slack, retrying until it succeeds: socket: HTTP 404"
    ]
    assert not any("ticket" in line for line in bot.waiter.log_messages(0))


async def test_socket_connection_skips_malformed_envelopes(slack: LiveSlack) -> None:
    acknowledged: list[Any] = []
    noise = [
        "Ping from applink",
        "[1, 2]",
        "{}",
        json.dumps({"type": "disconnect_soon", "reason": ["x"]}),
        json.dumps({"type": "events_api", "envelope_id": "E1"}),
        json.dumps({"type": "events_api", "envelope_id": "E2", "payload": "text"}),
        json.dumps({"type": "events_api", "envelope_id": 3, "payload": {}}),
        json.dumps(
            {"type": "events_api", "envelope_id": "E4", "payload": {"authorizations": {"": ""}}}
        ),
        json.dumps({"type": "hello", "debug_info": "none", "num_connections": "many"}),
    ]

    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(HELLO)
        for line in noise:
            await socket.send_str(line)
        await socket.send_bytes(b"\x00\xff")
        await socket.send_json(envelope("E9", "heard"))
        acknowledged.append(await socket.receive_json())
        await socket.receive()

    async with bot_of_misbehaving_slack(slack, talk) as bot:
        await bot.until(lambda: bot.handled == ["heard"])
        assert bot.socket.open_connections == 1
        assert not bot.waiter.log_messages(logging.ERROR)
    assert acknowledged == [{"envelope_id": "E9"}]


async def test_socket_disconnect_for_an_unknown_reason_replaces_the_connection(
    slack: LiveSlack,
) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(HELLO)
        if bot.reconnects():
            await socket.receive()
        await socket.send_json({"type": "disconnect", "reason": {"new": True}})
        await socket.receive()

    settings = config(connections=1)
    async with (
        misbehaving_slack(lambda socket: talk(socket)) as other,
        socket_bot(slack, settings, api_url=f"{other.url}/api/") as bot,
        bot.socket,
    ):
        await bot.until(lambda: len(bot.open_outcomes) == 2 and bot.socket.open_connections)
    assert bot.reconnects() == {"other": 1}


async def test_socket_acknowledgement_on_a_closed_connection_raises_nothing(
    slack: LiveSlack,
) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(HELLO)
        if not bot.received:
            await socket.send_json(envelope("E1", "late"))
            await bot.until(lambda: bot.received)
            await socket.close()
        await socket.receive()

    settings = config(connections=1)
    async with (
        misbehaving_slack(lambda socket: talk(socket)) as other,
        socket_bot(slack, settings, api_url=f"{other.url}/api/") as bot,
        bot.socket,
    ):
        bot.may_handle.clear()
        await bot.until(lambda: bot.reconnects() == {"closed": 1} and bot.socket.open_connections)
        bot.may_handle.set()
        message = "could not acknowledge an envelope"
        await bot.until(lambda: any(message in line for line in bot.waiter.log_messages(0)))
        assert await bot.socket.is_connected()
    assert bot.handled == ["late"]


async def test_socket_connection_is_closed_after_its_events_are_dispatched(
    slack: LiveSlack,
) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json(HELLO)
        await socket.send_json(envelope("E1", "kept"))
        await bot.until(lambda: bot.received)

    settings = config(connections=1)
    async with (
        misbehaving_slack(lambda socket: talk(socket)) as other,
        socket_bot(slack, settings, api_url=f"{other.url}/api/") as bot,
    ):
        async with bot.socket:
            bot.may_handle.clear()
            await bot.until(lambda: bot.reconnects())
            asyncio.get_running_loop().call_later(0.05, bot.may_handle.set)
        assert bot.handled
        assert bot.handled == bot.received
