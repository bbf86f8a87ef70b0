"""Receives Slack's events, over HTTP or Socket Mode, and serves health and metrics."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from slack_bolt.async_app import AsyncApp

from bot.app.connections import Connections
from bot.errors import SettingsError, SlackError, SlackRefused
from bot.listeners.socket_mode.pool import SocketConfig, SocketMode
from bot.observe import Metrics
from bot.server import ReadinessCheck, health_routes, make_application, serve, slack_routes
from bot.settings import Settings
from bot.slack import Slack

log = logging.getLogger(__name__)


@asynccontextmanager
async def receiving_events(
    settings: Settings, connections: Connections, slack_app: AsyncApp
) -> AsyncIterator[None]:
    """Serve health and metrics, and receive Slack's events over HTTP or Socket Mode."""
    slack, metrics = connections.slack, connections.metrics
    checks: dict[str, ReadinessCheck] = {"database": connections.database.is_ready}
    async with AsyncExitStack() as stack:
        over_http = settings.slack.connection_mode == "http"
        await stack.enter_async_context(
            _serving_ports(settings, metrics, checks, slack_app if over_http else None)
        )
        if not over_http:
            config = SocketConfig(
                await _app_token(settings, slack), settings.slack.socket_connections
            )
            socket = await stack.enter_async_context(SocketMode(slack_app, slack, config, metrics))
            checks["slack"] = socket.is_connected
        yield


@asynccontextmanager
async def _serving_ports(
    settings: Settings,
    metrics: Metrics,
    checks: dict[str, ReadinessCheck],
    slack_app: AsyncApp | None,
) -> AsyncIterator[None]:
    """Listen on PORT, and for health and metrics on METRICS_PORT instead if that is set."""
    health = health_routes(metrics, checks)
    secret = settings.slack.signing_secret
    events = slack_routes(slack_app, secret.get_secret_value()) if slack_app and secret else []
    server = settings.server
    host, port, metrics_port = server.host, server.port, server.metrics_port
    ports = [("PORT", port, [*health, *events])]
    if metrics_port is not None:
        ports = [("METRICS_PORT", metrics_port, health)] + (
            [("PORT", port, events)] if events else []
        )
    async with AsyncExitStack() as stack:
        for variable, wanted, routes in ports:
            bound_port = await stack.enter_async_context(
                serve(make_application(*routes), host, wanted, variable=variable)
            )
            log.info("listening", extra={"host": host, "port": bound_port, "variable": variable})
        yield


async def _app_token(settings: Settings, slack: Slack) -> str:
    """The app-level token, after Slack has accepted it.

    Raises SettingsError if Slack refuses it. If Slack can't be reached, Socket Mode retries later.
    """
    token = settings.slack.app_token
    app_token = token.get_secret_value() if token else ""
    try:
        await slack.connections_open(app_token)
    except SlackRefused as error:
        raise SettingsError(
            [
                f"SLACK_APP_TOKEN is refused by Slack ({error.code}): make an app-level token "
                "(xapp-…) with the scope connections:write on your app's page, *Basic Information*."
            ]
        ) from error
    except SlackError as error:
        log.warning("Socket Mode can't be opened yet; it is retried: %s", error)
    return app_token
