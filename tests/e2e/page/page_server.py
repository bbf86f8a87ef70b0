"""The page over a local Slack on a free port, and a bot that the test acts as.

async with page_server.serve_page() as server:
    await server.request_ok("say", channel=GENERAL, text="@bot hello")
    answer = await server.bot("chat.postMessage", channel=GENERAL, text="Thinking…")
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from bot.playground.board import Board
from bot.playground.page import PageConfig, add_page
from bot.playground.process import BotProcess
from bot.playground.slack import seed
from bot.playground.slack.server import SlackConfig, add_slack
from bot.playground.slack.workspace import Workspace
from tests.support.local_server import serve_app

YOU, ADA, BOT = seed.YOU.id, seed.ADA.id, seed.BOT.id
GENERAL, RANDOM, DM = seed.GENERAL.id, seed.RANDOM.id, seed.DM.id

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")

Json = dict[str, Any]


@dataclass
class PageServer:
    """A running page, the workspace behind it, and requests of the bot and of the page."""

    url: str
    workspace: Workspace
    process: BotProcess
    http: aiohttp.ClientSession

    @property
    def board(self) -> Board:
        """The board on which Slack announces every event."""
        return self.workspace.board

    async def bot(self, method: str, **args: Any) -> Json:
        """A call of the Web API, as the bot makes it."""
        headers = {"Authorization": "Bearer xoxb-playground"}
        async with self.http.post(f"{self.url}/api/{method}", json=args, headers=headers) as answer:
            body: Json = await answer.json()
        assert body["ok"], body
        return body

    async def request(self, name: str, body: object = None, **headers: str) -> tuple[int, Json]:
        """A request of the page: its status and body."""
        sent = {} if body is None else body
        async with self.http.post(f"{self.url}/play/{name}", json=sent, headers=headers) as answer:
            return answer.status, await answer.json()

    async def request_ok(self, name: str, **body: Any) -> None:
        """A request of the page that must succeed."""
        status, answer = await self.request(name, body)
        assert (status, answer) == (200, {"ok": True}), answer


@asynccontextmanager
async def serve_page(
    command: Sequence[str] = SLEEPER,
    *,
    env: Mapping[str, str] | None = None,
    slack: SlackConfig | None = None,
) -> AsyncIterator[PageServer]:
    """The page on a free port of 127.0.0.1; the bot's process is there but not started."""
    workspace = Workspace(Board())
    process = BotProcess(command, env or {}, workspace.board)
    app = web.Application()
    add_slack(app, workspace, slack or SlackConfig())
    add_page(app, workspace, process, workspace.board, PageConfig("demo"))
    async with serve_app(app, shutdown_seconds=0.3) as url:
        workspace.base_url = url
        try:
            async with aiohttp.ClientSession() as http:
                yield PageServer(url, workspace, process, http)
        finally:
            await process.stop()
