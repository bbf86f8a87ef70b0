"""Sends the page the whole state once, then every change as it happens.

Each browser tab has a WebSocket. A change is rendered once for each person, however many tabs they
have. A tab that can't keep up is disconnected: it reconnects and gets the whole state again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import WSCloseCode, web

from bot.playground.board import Board
from bot.playground.page import present
from bot.playground.page.names import Names
from bot.playground.process import BotProcess
from bot.playground.slack.workspace import Workspace

BACKLOG = 2000  # changes a slow tab may be behind
LOG_SHOWN = 400  # lines of the log a new tab is given
TICK_SECONDS = 1.0  # how often used budgets are told anew as the minute rolls on
PERSONAL = frozenset({"ephemeral", "ephemeral_deleted", "home", "modal"})

Json = dict[str, Any]


@dataclass(eq=False)
class _Tab:
    user: str
    waiting: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(BACKLOG))

    def tell(self, change: str | None) -> None:
        """Queue a change; a full queue ends the tab instead."""
        try:
            self.waiting.put_nowait(change)
        except asyncio.QueueFull:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(None)


class Feed:
    """Sends the board's announcements to the page."""

    def __init__(
        self, workspace: Workspace, bot: BotProcess, board: Board, about: Mapping[str, Any]
    ) -> None:
        """`about` is what the page says of the playground: `model`, `demo`, `commands`,
        `shortcuts`."""
        self._workspace, self._bot, self._board, self._about = workspace, bot, board, dict(about)
        self._tabs: set[_Tab] = set()
        self._budgets: list[Any] = []

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One tab, until it leaves."""
        user = request.query.get("as") or self._workspace.me.id
        if user not in self._workspace.users:
            raise web.HTTPNotFound
        socket = web.WebSocketResponse(heartbeat=20, compress=False, max_msg_size=1024)
        await socket.prepare(request)
        tab = _Tab(user)
        tab.tell(_line("snapshot", self._everything(user)))
        self._tabs.add(tab)
        sending = asyncio.create_task(_send(tab, socket))
        try:
            async for _ in socket:
                pass  # the page has nothing to say here; reading notices when it goes
        finally:
            self._tabs.discard(tab)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
        return socket

    def end(self) -> None:
        """Disconnect all tabs, because the playground is closing."""
        for tab in self._tabs:
            tab.tell(None)

    async def run(self) -> None:
        """Pass on the board's announcements until cancelled."""
        stop = self._board.listen(self._hear)
        try:
            while True:
                await asyncio.sleep(TICK_SECONDS)
                self._tell_budgets()
        finally:
            stop()

    def _hear(self, kind: str, payload: Json) -> None:
        if not self._tabs:
            return
        ready: dict[str, str] = {}
        for tab in tuple(self._tabs):
            if not self._concerns(tab.user, kind, payload):
                continue
            if tab.user not in ready:
                who = present.names(self._workspace, tab.user)
                ready[tab.user] = _line(kind, change(payload, who))
            tab.tell(ready[tab.user])

    def _concerns(self, user: str, kind: str, payload: Json) -> bool:
        """Whether `user` may see it: meant for them, or in a channel they are in."""
        if kind in PERSONAL:
            return bool(payload.get("user") == user)
        channel = self._workspace.channels.get(str(payload.get("channel")))
        return channel is None or user in channel.members

    def _tell_budgets(self) -> None:
        budgets = self._workspace.limiter.budgets(self._board.clock())
        if budgets != self._budgets:
            self._budgets = budgets
            self._hear("budgets", {"budgets": budgets})

    def _everything(self, user: str) -> Json:
        self._workspace.direct(user)
        snapshot = self._workspace.snapshot(user)
        who = present.names(self._workspace, user)
        seen = {
            channel: [present.message(each, who) for each in messages]
            for channel, messages in snapshot["messages"].items()
        }
        return {
            **snapshot,
            "messages": seen,
            "users": [_person(each) for each in snapshot["users"]],
            "me": _person(snapshot["me"]),
            "bot": _person(snapshot["bot"]),
            "home": present.view(snapshot["home"], who),
            "modal": present.view(snapshot["modal"], who),
            "log": [asdict(entry) for entry in list(self._board.log)[-LOG_SHOWN:]],
            "faults": asdict(self._board.faults),
            "process": self._bot.as_json(),
            "about": self._about,
        }


def change(payload: Json, who: Names) -> Json:
    """An announcement of the board in the form in which the page gets it."""
    if "message" in payload:
        return {**payload, "message": present.message(payload["message"], who)}
    if "view" in payload:
        return {**payload, "view": present.view(payload["view"], who)}
    return payload


def running(feed: Feed) -> Callable[[web.Application], Any]:
    """For `app.cleanup_ctx`: the feed runs as long as the application."""

    async def context(app: web.Application) -> Any:
        task = asyncio.create_task(feed.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return context


def _person(record: Mapping[str, Any]) -> Json:
    named = {"id": record["id"], "name": record["name"], "full": record["real_name"]}
    return named | {"bot": record["is_bot"]}


async def _send(tab: _Tab, socket: web.WebSocketResponse) -> None:
    while (change := await tab.waiting.get()) is not None:
        try:
            await socket.send_str(change)
        except ConnectionError:
            return
    await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)


def _line(kind: str, payload: Json) -> str:
    return json.dumps({**payload, "type": kind}, separators=(",", ":"), default=str)
