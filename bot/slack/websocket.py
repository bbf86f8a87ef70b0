"""One WebSocket connection to Slack: sends and receives JSON objects, and detects a dead line.

https://docs.slack.dev/apis/events-api/using-socket-mode. `bot/listeners/socket_mode/` interprets
the objects and replaces connections.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import WSMsgType

from bot.errors import SlackUnreachable

CLOSE_HANDSHAKE_SECONDS = 1.0
"""How long closing waits for Slack's close frame, which may never come
(https://github.com/slackapi/node-slack-sdk/issues/2752)."""

MAX_BYTES = 4 * 2**20
"""Bytes of one message; a longer one ends the connection. A question has at most 12,000 characters,
and a button press includes its message of at most 50 blocks. Compression is not negotiated, so a
compressed message ends the connection too."""

_CLOSING_TYPES = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})


class WebSocket:
    """An open connection. It answers Slack's pings, and sends one after `ping_seconds` of silence.

    A ping that stays unanswered for half of `ping_seconds` ends the connection. So a half-open TCP
    connection is detected within one and a half times `ping_seconds`.
    """

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self._wire = wire

    @classmethod
    async def connect(
        cls, session: aiohttp.ClientSession, url: str, *, proxy: str | None, ping_seconds: float
    ) -> WebSocket:
        """Connect to a URL from `apps.connections.open`. Raises SlackUnreachable."""
        timeout = aiohttp.ClientWSTimeout(ws_close=CLOSE_HANDSHAKE_SECONDS)
        try:
            wire = await session.ws_connect(
                url,
                proxy=proxy,
                heartbeat=ping_seconds,
                timeout=timeout,
                max_msg_size=MAX_BYTES,
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as e:
            # No `from`: aiohttp's messages contain the URL, which is a credential.
            raise SlackUnreachable("socket", _error_label(e)) from None
        return cls(wire)

    @property
    def ping_timed_out(self) -> bool:
        """Whether the connection ended because Slack did not answer a ping."""
        return isinstance(self._wire.exception(), aiohttp.ServerTimeoutError)

    async def receive(self) -> Mapping[str, Any] | None:
        """The next JSON object; None once the connection has ended. Other messages are skipped."""
        while True:
            message = await self._wire.receive()
            if message.type in _CLOSING_TYPES:
                return None
            if message.type is WSMsgType.TEXT and (found := _object(message.data)) is not None:
                return found

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send an object. Raises SlackUnreachable, though the object may have been received."""
        try:
            await self._wire.send_str(json.dumps(message))
        except (aiohttp.ClientError, OSError) as e:
            raise SlackUnreachable("socket", type(e).__name__) from None

    async def close(self) -> None:
        """Close the connection, within CLOSE_HANDSHAKE_SECONDS."""
        await self._wire.close()


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # not JSON, or nested too deeply
        return None
    return found if isinstance(found, dict) else None


def _error_label(error: Exception) -> str:
    status = getattr(error, "status", None)  # the reply to a refused handshake
    return f"HTTP {status}" if status else type(error).__name__
