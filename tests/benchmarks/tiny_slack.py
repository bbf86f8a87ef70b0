"""As much of Slack as the bot needs to answer mentions, at hardly any cost and without limits.

Socket Mode brings questions from as many workspaces as one likes, all over one connection and with
one token: what the bot does for each of them is what it would do with a token for each. Every
method of the Web API is done at once, and messages are kept as they stand.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

from aiohttp import web

from bot.render.buttons import STOP_ACTION

BOT = "UBENCHBOT"
ASKER = "UASKER"
ORGANISATION = "E0"  # of all workspaces: the bot is installed in it
IDENTITY = {
    "enterprise_id": ORGANISATION,
    "team_id": "T0",
    "team": "bench",
    "user_id": BOT,
    "bot_id": "BBENCH",
    "user": "bot",
}
SCOPES = {"x-oauth-scopes": "chat:write"}
LIVE = STOP_ACTION.encode()
ACK_SECONDS = 3.0  # as Slack's (docs/slack.md#acknowledgement)
Json = dict[str, Any]


class TinySlack:
    """All workspaces. `calls` counts by method; `weight` sums the bytes of posts and edits;
    `placeholders` are the seconds from each question to the first message of its answer."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.weight = 0
        self.placeholders: list[float] = []
        self._asked: dict[str, float] = {}
        self._messages: dict[str, dict[str, bytes]] = {}
        self._socket: web.WebSocketResponse | None = None
        self._acknowledged: dict[str, asyncio.Event] = {}
        self._deliveries: set[asyncio.Task[None]] = set()
        self._numbers = count(1)

    def add_to(self, app: web.Application) -> None:
        """Serve the Web API and Socket Mode."""
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_get("/socket", self._connect)

    async def ask(self, channels: int, workspaces: int, pause: float) -> None:
        """Mention the bot in so many channels of so many new workspaces, with so many seconds in
        between; forget what there was."""
        self._messages = {f"C{n}": {} for n in range(channels)}
        self.calls.clear()
        self.placeholders = []
        self.weight, since = 0, self._ts()
        for n, channel in enumerate(self._messages):
            self._asked[channel] = time.perf_counter()
            mention = self._mention(f"T{since}N{n % workspaces}", channel)
            task = asyncio.create_task(self._deliver(mention))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)
            await asyncio.sleep(pause)

    @property
    def connected(self) -> bool:
        """Whether the bot hears."""
        return self._socket is not None and not self._socket.closed

    @property
    def ended(self) -> int:
        """How many answers are not being written any more."""
        return sum(_is_ended(messages) for messages in self._messages.values())

    def answers(self) -> Iterator[str]:
        """The text that stands in each channel."""
        for messages in self._messages.values():
            yield "".join(map(_text, messages.values()))

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.calls[method] += 1
        body = await request.read()
        given = json.loads(body) if request.content_type == "application/json" else {}
        ts = str(given.get("ts") or self._ts())
        if method in {"chat.postMessage", "chat.update"}:
            self.weight += len(body)
            if asked := self._asked.pop(given["channel"], None):
                self.placeholders.append(time.perf_counter() - asked)
            self._messages.setdefault(given["channel"], {})[ts] = body
        if method == "chat.delete":
            self._messages[given["channel"]].pop(ts, None)
        answer: Json = {"ok": True, "ts": ts, "channel": given.get("channel")}
        if method == "auth.test":
            answer |= IDENTITY
        if method == "users.info":
            answer["user"] = {"id": ASKER, "profile": {"display_name": "asker"}}
        if method == "apps.connections.open":
            answer["url"] = f"{request.scheme.replace('http', 'ws')}://{request.host}/socket"
        return web.json_response(answer, headers=SCOPES)

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._socket = socket
        await socket.send_json({"type": "hello", "num_connections": 1})
        async for message in socket:
            answer = json.loads(message.data)
            if known := self._acknowledged.get(answer.get("envelope_id", "")):
                known.set()
        return socket

    async def _deliver(self, mention: Json) -> None:
        """Send it again until it is acknowledged, as Slack does."""
        name = mention["envelope_id"]
        known = self._acknowledged[name] = asyncio.Event()
        while not known.is_set():
            if self._socket is not None and not self._socket.closed:
                await self._socket.send_json(mention)
            with suppress(TimeoutError):
                await asyncio.wait_for(known.wait(), ACK_SECONDS)
        del self._acknowledged[name]

    def _mention(self, team: str, channel: str) -> Json:
        ts = self._ts()
        event = {"type": "app_mention", "user": ASKER, "text": f"<@{BOT}> Why?", "ts": ts}
        body = {
            "type": "event_callback",
            "team_id": team,
            "enterprise_id": ORGANISATION,
            "event_id": f"Ev{ts}",
            "event": {**event, "channel": channel, "event_ts": ts},
        }
        return {"type": "events_api", "envelope_id": ts, "payload": body}

    def _ts(self) -> str:
        return f"{1_800_000_000 + next(self._numbers)}.000100"


def _is_ended(messages: dict[str, bytes]) -> bool:
    return bool(messages) and not any(LIVE in body for body in messages.values())


def _text(body: bytes) -> str:
    """The text of a message: of its Markdown blocks, or its own if it has no blocks."""
    message = json.loads(body)
    if blocks := message.get("blocks"):
        return "".join(block["text"] for block in blocks if block["type"] == "markdown")
    return str(message.get("text") or "")
