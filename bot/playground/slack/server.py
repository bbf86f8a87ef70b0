"""Mounts the local Slack: Web API, Socket Mode or signed HTTP events, and response URLs."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.playground.slack.deliveries.dispatch import Dispatcher
from bot.playground.slack.deliveries.sockets import CONNECTION_SECONDS, Sockets
from bot.playground.slack.deliveries.webhooks import Webhooks
from bot.playground.slack.refused import Refused
from bot.playground.slack.web_api import WebApi, hang_up, json_body
from bot.playground.slack.workspace import Workspace

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SCOPES = frozenset(
    {
        *("app_mentions:read", "assistant:write", "chat:write", "commands", "files:read"),
        *("channels:history", "groups:history", "im:history", "mpim:history", "channels:read"),
        *("groups:read", "im:read", "im:write", "reactions:write", "users:read"),
    },
)
MANIFEST_EVENTS = frozenset(
    {"app_mention", "message.im", "app_home_opened", "agent_session_stopped"}
)
ALL_MESSAGES = MANIFEST_EVENTS | {"message.channels", "message.groups", "member_joined_channel"}


SHORTCUTS = (("ask_about_message", "Ask about this"), ("summarise_thread", "Summarise thread"))
"""The shortcuts on a message in the bot's manifest: callback id → name."""


@dataclass(frozen=True)
class SlackConfig:
    """One installed app.

    `events_url` set: events, commands and presses go there over HTTP, signed; otherwise through
    Socket Mode. `shortcuts` are those on a message: callback id → name. `subscriptions` are event
    names of a manifest: with `message.channels` a mention arrives as two events in any order
    (`seed` fixes it), and the bot hears its own messages.
    Times are in seconds; `retry_after` holds the pause before each retry of an event.
    """

    bot_token: str = "xoxb-playground"
    app_token: str = "xapp-playground"
    signing_secret: str = "playground"
    events_url: str | None = None
    command: str = "/ask"
    shortcuts: tuple[tuple[str, str], ...] = SHORTCUTS
    scopes: frozenset[str] = SCOPES
    subscriptions: frozenset[str] = MANIFEST_EVENTS
    ack_seconds: float = 3.0
    retry_after: tuple[float, ...] = (0.0, 60.0, 300.0)
    warning_seconds: float = 10.0
    connection_seconds: float = CONNECTION_SECONDS
    seed: int | None = None


def add_slack(app: web.Application, workspace: Workspace, config: SlackConfig) -> Sockets:
    """Mount `/api/<method>`, `/socket`, `/respond/<id>` and files, and bring deliveries to the bot.

    What is returned ends or renews its connections on cue.
    """
    rng = random.Random(config.seed)
    sockets, webhooks = _wires(workspace, config)
    dispatcher = Dispatcher(
        workspace.board,
        webhooks.send if config.events_url else sockets.send,
        subscriptions=config.subscriptions,
        pauses=config.retry_after,
        rng=rng,
    )
    api = WebApi(
        workspace,
        bot_token=config.bot_token,
        app_token=config.app_token,
        scopes=config.scopes,
        ticket=sockets.ticket,
    )
    workspace.refresh_sockets = sockets.refresh
    app.router.add_route("*", "/api/{method}", api.handle)
    tokens = frozenset({config.bot_token} if "files:read" in config.scopes else ())
    app.router.add_get("/files-pri/{file}/{name}", _server_of_files(workspace, tokens))
    app.router.add_get("/socket", sockets.handle)
    app.router.add_post("/respond/{key}", _responder(workspace, api))
    app.on_shutdown.append(lambda _: sockets.close())
    app.cleanup_ctx.append(_delivering(workspace, dispatcher, webhooks))
    return sockets


def _wires(workspace: Workspace, config: SlackConfig) -> tuple[Sockets, Webhooks]:
    sockets = Sockets(
        workspace.board,
        ack_seconds=config.ack_seconds,
        warning_seconds=config.warning_seconds,
        connection_seconds=config.connection_seconds,
    )
    webhooks = Webhooks(
        workspace.board,
        url=config.events_url or "",
        secret=config.signing_secret,
        ack_seconds=config.ack_seconds,
    )
    return sockets, webhooks


def _delivering(
    workspace: Workspace, dispatcher: Dispatcher, webhooks: Webhooks
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def delivering(_: web.Application) -> AsyncIterator[None]:
        workspace.connect(dispatcher.deliver)
        yield
        await dispatcher.close()
        await webhooks.close()

    return delivering


def _server_of_files(workspace: Workspace, tokens: frozenset[str]) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = workspace.files.serve(request, tokens)
        workspace.board.note("slack", "url_private", status=response.status)
        return response

    return serve


def _responder(workspace: Workspace, api: WebApi) -> Handler:
    async def respond(request: web.Request) -> web.StreamResponse:
        key, error, status = request.match_info["key"], "", 200
        try:
            workspace.response_urls.use(key, await json_body(request))
        except Refused as refused:
            error = refused.code
            status = 404 if error in ("used_url", "expired_url") else 400
        workspace.board.note("slack", "response_url", status=status, error=error)
        if not error and api.count_write():
            hang_up(request)
        if error:
            return web.json_response({"ok": False, "error": error}, status=status)
        return web.Response(text="ok")

    return respond
