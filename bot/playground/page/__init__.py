"""The playground's page: the workspace, and a panel that shows how the bot works.

    markup, emoji, names       safe HTML, whatever was written; Slack's ids as names
    mrkdwn, markdown, rich_text, blocks, elements      Slack's four ways of formatting
    present    messages and views as the page's script takes them
    typed      what a person types, as Slack's composer sends it
    feed       a WebSocket that tells the page everything, then every change
    routes     the page's requests           guard   who may send them
    static/    the page itself: plain HTML, CSS and JavaScript modules, no build step

Formatting is done here and not in the browser, so that it can be tested as a function. The page
decides nothing: it shows the workspace and passes on what people do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.playground.board import Board
from bot.playground.page.feed import Feed, running
from bot.playground.page.guard import HEADERS, guarded
from bot.playground.page.routes import PageActions, add_actions
from bot.playground.process import BotProcess
from bot.playground.slack.server import SHORTCUTS
from bot.playground.slack.workspace import Workspace

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class PageConfig:
    """What the page says of itself.

    `model` is the name of the model that answers, `demo` whether that is the playground's own.
    `commands` are the app's slash commands: name → what to type after it. `shortcuts` are those in
    the menu of a message: callback id → name.
    """

    model: str
    demo: bool = True
    commands: tuple[tuple[str, str], ...] = (("/ask", "[question]"),)
    shortcuts: tuple[tuple[str, str], ...] = SHORTCUTS


def add_page(
    app: web.Application,
    workspace: Workspace,
    bot: BotProcess,
    board: Board,
    config: PageConfig,
) -> None:
    """Serve the page at `/` and everything of its own under `/play`."""
    about = {
        "model": config.model,
        "demo": config.demo,
        "commands": config.commands,
        "shortcuts": config.shortcuts,
    }
    feed = Feed(workspace, bot, board, about)
    app.cleanup_ctx.append(running(feed))
    app.on_shutdown.append(_ending(feed))
    app.router.add_get("/", guarded(_file("index.html")))
    app.router.add_get("/play/feed", guarded(feed.serve))
    for path in sorted(STATIC.rglob("*.*")):
        name = path.relative_to(STATIC).as_posix()
        app.router.add_get(f"/play/static/{name}", guarded(_file(name)))
    commands, shortcuts = (frozenset(dict(each)) for each in (config.commands, config.shortcuts))
    add_actions(app, PageActions(workspace, bot, board, commands, shortcuts))


def _file(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / name, headers=HEADERS)

    return serve


def _ending(feed: Feed) -> Callable[[web.Application], Awaitable[None]]:
    async def end(app: web.Application) -> None:
        feed.end()

    return end
