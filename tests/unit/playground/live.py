"""A whole local Slack on a free port, for all tests that need Slack.

async with live.slack() as slack:
    slack.workspace.say(GENERAL, f"<@{BOT}> hello")
    await slack.until(lambda: slack.called("chat.postMessage"))
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, web

from bot.playground.board import Board, Entry
from bot.playground.slack import seed
from bot.playground.slack.deliveries.sockets import Sockets
from bot.playground.slack.limits import Limits
from bot.playground.slack.refused import Refused
from bot.playground.slack.server import SlackConfig, add_slack
from bot.playground.slack.web_api import METHODS, arguments
from bot.playground.slack.workspace import Workspace
from tests.support.local_server import serve_app

YOU, ADA, BOT = seed.YOU.id, seed.ADA.id, seed.BOT.id
GENERAL, ENGINEERING, RANDOM = seed.GENERAL.id, seed.ENGINEERING.id, seed.RANDOM.id
SECRET, DM = seed.SECRET.id, seed.DM.id

PATIENCE = 5.0  # seconds a condition may take before the test fails


@dataclass(frozen=True)
class ApiCall:
    """One call of the Web API (or `response_url`) as it arrived, and what was answered."""

    method: str
    args: dict[str, Any]
    status: int
    reply: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.status == 200 and self.reply.get("ok", True) is True


class Clock:
    """A clock moved by hand, for limits and expiries."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class LiveSlack:
    """A running workspace, its calls and announcements so far."""

    def __init__(self, workspace: Workspace, config: SlackConfig, session: ClientSession) -> None:
        self.workspace = workspace
        self.sockets: Sockets  # set by `slack`
        self.board = workspace.board
        self.config = config
        self.session = session
        self.url = ""
        self.calls: list[ApiCall] = []
        self.announcements: list[tuple[str, dict[str, Any]]] = []
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []
        self.board.listen(self._on_announcement)

    @property
    def api_url(self) -> str:
        """The base URL of the Web API."""
        return f"{self.url}/api/"

    async def api(self, method: str, *, token: str = "", **args: Any) -> dict[str, Any]:
        """Call a method, in JSON where it takes that; returns the body of the answer."""
        headers = {"Authorization": f"Bearer {token or self.config.bot_token}"}
        form = method in METHODS and not METHODS[method].reads_json
        given = {name: str(value) for name, value in args.items() if value is not None}
        how: dict[str, Any] = {"data": given} if form else {"json": args}
        async with self.session.post(self.api_url + method, headers=headers, **how) as response:
            body: dict[str, Any] = await response.json()
            return body

    async def connect(self) -> ClientWebSocketResponse:
        """A raw Socket Mode connection, its hello not yet read; closed with the session."""
        opened = await self.api("apps.connections.open", token=self.config.app_token)
        return await self.session.ws_connect(opened["url"])

    def called(self, method: str) -> list[ApiCall]:
        """The calls of one method so far, in order."""
        return [call for call in self.calls if call.method == method]

    def log(self, kind: str, what: str = "") -> list[Entry]:
        """Lines of the board's log."""
        return [e for e in self.board.log if e.kind == kind and what in ("", e.what)]

    def announced(self, kind: str) -> list[dict[str, Any]]:
        """The announcements of one kind, in order."""
        return [payload for told, payload in self.announcements if told == kind]

    async def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Return once `condition` holds; checked after every call and every announcement."""
        if condition():
            return
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((condition, done))
        try:
            async with asyncio.timeout(patience):
                await done
        except TimeoutError:
            seen = [f"{e.kind} {e.what} {dict(e.detail)}" for e in self.board.log]
            raise AssertionError("waited in vain; log:\n" + "\n".join(seen[-20:])) from None
        finally:
            self._waiting = [pair for pair in self._waiting if pair[1] is not done]

    @web.middleware
    async def record(
        self, request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        """Keep every call with its arguments."""
        response: web.StreamResponse = await handler(request)
        method = request.match_info.get("method") or "response_url"
        if request.path.startswith(("/api/", "/respond/")):
            self.calls.append(
                ApiCall(method, await _args(request), response.status, _body(response))
            )
            self._check_conditions()
        return response

    def _on_announcement(self, kind: str, payload: dict[str, Any]) -> None:
        self.announcements.append((kind, payload))
        self._check_conditions()

    def _check_conditions(self) -> None:
        for condition, done in tuple(self._waiting):
            if not done.done() and condition():
                done.set_result(None)


@asynccontextmanager
async def slack(
    config: SlackConfig | None = None,
    *,
    limits: Limits | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[LiveSlack]:
    """A local Slack on a free port of 127.0.0.1; stopped at the end.

    `clock` tells messages, limits and expiries their time, and signs HTTP events.
    """
    workspace = Workspace(Board(clock), limits=limits)
    session = ClientSession()
    live = LiveSlack(workspace, config or SlackConfig(), session)
    app = web.Application(middlewares=[live.record])
    live.sockets = add_slack(app, workspace, live.config)
    async with serve_app(app, shutdown_seconds=1) as live.url, session:
        workspace.base_url = live.url
        yield live


def free_port() -> int:
    """A port nobody listens on, for a server whose address must be known before it starts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _args(request: web.Request) -> dict[str, Any]:
    try:
        return await arguments(request)
    except Refused:
        return {}


def _body(response: web.StreamResponse) -> dict[str, Any]:
    if not isinstance(response, web.Response) or response.content_type != "application/json":
        return {}
    body = json.loads(response.text or "{}")
    return body if isinstance(body, dict) else {}
