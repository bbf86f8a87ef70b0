"""A server on a real socket with Bolt behind it, and a client that signs as Slack does."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.bolt import bolt_app
from bot.observe import Metrics
from bot.server import health_routes, make_application, serve, slack_routes
from bot.server.connections import DEFAULT_CONNECTION_LIMITS, ConnectionLimits
from bot.slack import Identity

SECRET = "signing-secret"


ME = Identity("T1", "Team", "UBOT", "BBOT", "bot", frozenset())


class MentionRecorder:
    """A Bolt app that records its mentions, and finishes with them when it `may_finish`."""

    def __init__(self) -> None:
        self.mentions: list[str] = []
        self.received = asyncio.Queue[str]()
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self.app = bolt_app(AsyncWebClient("xoxb-1"), ME, SECRET)
        self.app.event("app_mention")(self.on_mention)

    async def on_mention(self, event: dict[str, Any]) -> None:
        self.mentions.append(event["text"])
        self.received.put_nowait(event["text"])
        await self.may_finish.wait()


class SlackCaller:
    """Calls the server as Slack does, or as somebody else."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.base + path) as answer:
            return answer.status, await answer.text()

    async def post(
        self,
        body: bytes,
        *,
        secret: str = SECRET,
        timestamp: str | None = None,
        later: int = 0,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        signed = signature(body, secret=secret, timestamp=timestamp, later=later)
        given = {"Content-Type": content_type, **signed, **(headers or {})}
        url = self.base + "/slack/events"
        async with self.session.post(url, data=io.BytesIO(body), headers=given) as answer:
            return answer.status, await answer.text()


def signature(
    body: bytes, *, secret: str = SECRET, timestamp: str | None = None, later: int = 0
) -> dict[str, str]:
    stamp = str(int(time.time()) + later) if timestamp is None else timestamp
    base = b"v0:" + stamp.encode() + b":" + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def mention(text: str = "hello") -> bytes:
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.2", "text": text}
    return json.dumps(
        {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}
    ).encode()


@asynccontextmanager
async def running_server(
    recorder: MentionRecorder,
    checks: dict[str, Callable[[], Awaitable[bool]]],
    limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS,
) -> AsyncIterator[SlackCaller]:
    events = slack_routes(recorder.app, SECRET, limits.body_seconds)
    server = make_application(*health_routes(Metrics(), checks), *events)
    async with (
        serve(server, "127.0.0.1", 0, limits=limits) as port,
        aiohttp.ClientSession() as session,
    ):
        yield SlackCaller(session, f"http://127.0.0.1:{port}")
