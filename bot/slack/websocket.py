"""One WebSocket to Slack: JSON objects in and out, and pings that notice when nobody is there.

https://docs.slack.dev/apis/events-api/using-socket-mode. What the objects mean, and when a
connection is replaced, is the listeners' business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import WSMsgType

from bot.errors import SlackUnreachable

CLOSE_HANDSHAKE_SECONDS = 1.0
"""How long the other side's half of a close is waited for. Slack may leave it out
(https://github.com/slackapi/node-slack-sdk/issues/2752)."""

MAX_BYTES = 4 * 2**20
"""Bytes of one message; a longer one ends the connection. A question has 12,000 characters, and a
press of a button brings the message with it, which has at most 50 blocks. Compression is not asked
for, and a message that is compressed all the same ends the connection too."""

_CLOSING_TYPES = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})


class WebSocket:
    """An open connection. Slack's pings are answered; ours go out when nothing has come for long.

    A ping unanswered for half of `ping_seconds` ends the connection, so a line that is dead
    without saying so (half-open TCP) is known within one and a half times `ping_seconds`.
    """

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self._wire = wire

    @classmethod
    async def connect(
        cls, session: aiohttp.ClientSession, url: str, *, proxy: str | None, ping_seconds: float
    ) -> WebSocket:
        """Connect to an address of `apps.connections.open`. Raises SlackUnreachable."""
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
            # No `from`: aiohttp's messages hold the address, which is as good as a token.
            raise SlackUnreachable("socket", _error_label(e)) from None
        return cls(wire)

    @property
    def ping_timed_out(self) -> bool:
        """It ended because Slack left a ping of ours unanswered."""
        return isinstance(self._wire.exception(), aiohttp.ServerTimeoutError)

    async def receive(self) -> Mapping[str, Any] | None:
        """The next object; None once the connection has ended. What is no object is skipped."""
        while True:
            message = await self._wire.receive()
            if message.type in _CLOSING_TYPES:
                return None
            if message.type is WSMsgType.TEXT and (found := _object(message.data)) is not None:
                return found

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send an object. Raises SlackUnreachable; it may have arrived all the same."""
        try:
            await self._wire.send_str(json.dumps(message))
        except (aiohttp.ClientError, OSError) as e:
            raise SlackUnreachable("socket", type(e).__name__) from None

    async def close(self) -> None:
        """End the connection, within CLOSE_SECONDS."""
        await self._wire.close()


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or JSON nested too deep
        return None
    return found if isinstance(found, dict) else None


def _error_label(error: Exception) -> str:
    status = getattr(error, "status", None)  # a handshake that was answered otherwise
    return f"HTTP {status}" if status else type(error).__name__
