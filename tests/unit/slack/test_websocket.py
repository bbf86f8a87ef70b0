"""Messages of a Socket Mode connection that are too much."""

from __future__ import annotations

import json
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web

from bot.errors import SlackUnreachable
from bot.slack import WebSocket, http_session
from bot.slack.websocket import MAX_BYTES
from tests.support.local_server import serve_app

Talk = Callable[[web.WebSocketResponse, web.Request], Awaitable[None]]


async def first_received(talk: Talk) -> Mapping[str, Any] | None:
    """Return the first object that is received from a server that talks so."""

    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await talk(socket, request)
        return socket

    app = web.Application()
    app.router.add_get("/socket", handle)
    async with serve_app(app) as origin, http_session() as session:
        url = f"{origin}/socket"
        socket = await WebSocket.connect(session, url, proxy=None, ping_seconds=10)
        received = await socket.receive()
        await socket.close()
        return received


def padded(size: int) -> str:
    return json.dumps({"type": "x", "pad": "y" * size})[: size - 2] + '"}'


@pytest.mark.parametrize(
    ("size", "heard"), [(MAX_BYTES - 1, True), (MAX_BYTES + 1, False), (4 * MAX_BYTES, False)]
)
async def test_websocket_message_that_is_too_long_ends_the_connection(
    size: int, heard: bool
) -> None:
    async def talk(socket: web.WebSocketResponse, _: web.Request) -> None:
        await socket.send_str(padded(size))
        await socket.receive()

    assert (await first_received(talk) is not None) is heard


async def test_websocket_message_that_is_nested_too_deeply_is_skipped() -> None:
    async def talk(socket: web.WebSocketResponse, _: web.Request) -> None:
        await socket.send_str("[" * 200_000)
        await socket.send_str('{"type":"hello"}')
        await socket.receive()

    assert await first_received(talk) == {"type": "hello"}


async def test_websocket_message_that_is_compressed_ends_the_connection() -> None:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packing.compress(b'{"type":"hello"}') + packing.flush(zlib.Z_SYNC_FLUSH)[:-4]

    async def talk(socket: web.WebSocketResponse, request: web.Request) -> None:
        assert "Sec-WebSocket-Extensions" not in request.headers
        assert request.transport is not None
        request.transport.write(bytes([0xC1, len(packed)]) + packed)
        await socket.receive()

    assert await first_received(talk) is None


async def test_websocket_handshake_with_an_endless_body_fails_at_its_status() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    app = web.Application()
    app.router.add_get("/socket", handle)
    async with serve_app(app) as origin, http_session() as session:
        with pytest.raises(SlackUnreachable, match="HTTP 200"):
            await WebSocket.connect(session, f"{origin}/socket", proxy=None, ping_seconds=10)
