"""The HTTP server: health, readiness, metrics, and in HTTP mode Slack's requests.

signed_requests.py  verifies Slack's requests and passes them to Bolt
connections.py      limits the number of connections and their timeouts
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from slack_bolt.async_app import AsyncApp

from bot.errors import StartError
from bot.observe import Metrics
from bot.server.connections import (
    DEFAULT_CONNECTION_LIMITS,
    ConnectionLimits,
    ConnectionTracker,
    time_requests,
)
from bot.server.signed_requests import MAX_BODY_BYTES, slack_events_handler
from bot.version import version

ReadinessCheck = Callable[[], Awaitable[bool]]


def health_routes(metrics: Metrics, checks: Mapping[str, ReadinessCheck]) -> list[web.RouteDef]:
    """Routes of health, readiness and metrics. Readiness needs all `checks`, which have names."""
    return [
        web.get("/healthz", _healthz),
        web.get("/readyz", _readyz(checks)),
        web.get("/metrics", _metrics(metrics)),
    ]


def slack_routes(
    slack_app: AsyncApp,
    signing_secret: str,
    body_seconds: float = DEFAULT_CONNECTION_LIMITS.body_seconds,
) -> list[web.RouteDef]:
    """The route to which Slack sends events, commands and actions in HTTP mode."""
    return [
        web.post("/slack/events", slack_events_handler(slack_app, signing_secret, body_seconds))
    ]


def make_application(*routes: web.RouteDef) -> web.Application:
    """An application with these routes. Its replies don't reveal versions."""
    server = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[time_requests])
    server.router.add_routes(routes)
    server.on_response_prepare.append(_hide_server_versions)
    return server


@asynccontextmanager
async def serve(
    application: web.Application,
    host: str,
    port: int,
    *,
    variable: str = "PORT",
    limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS,
) -> AsyncIterator[int]:
    """Listen on `host` and `port` while the block runs; yields the port.

    Raises StartError if the port is not available. Its text names the setting, `variable`.
    """
    # Compressed bodies are not decompressed; signed_requests.py refuses them.
    runner = web.AppRunner(
        application, access_log=None, shutdown_timeout=1.0, auto_decompress=False
    )
    await runner.setup()
    try:
        listening = await _listen(runner, host, port, variable, limits)
        try:
            yield int(listening.sockets[0].getsockname()[1])
        finally:
            listening.close()
    finally:
        await runner.cleanup()


async def _listen(
    runner: web.AppRunner, host: str, port: int, variable: str, limits: ConnectionLimits
) -> asyncio.Server:
    if runner.server is None:
        raise RuntimeError("the runner was not set up")
    connections = ConnectionTracker(runner.server, limits)
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(
            connections.new_protocol, host, port, backlog=limits.max_connections, reuse_address=True
        )
    except OSError as error:
        raise StartError(
            f"{variable} {port} on {host} can't be used ({error.strerror or error}); "
            f"stop what uses it, or set {variable} (and HOST) to another."
        ) from error


async def _hide_server_versions(_: web.Request, response: web.StreamResponse) -> None:
    """Replace aiohttp's header, which has its own and Python's version."""
    response.headers["Server"] = "bot"


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"ok": True, "version": version()})


def _readyz(
    checks: Mapping[str, ReadinessCheck],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def readyz(_: web.Request) -> web.Response:
        results = {name: await check() for name, check in checks.items()}
        return web.json_response(results, status=200 if all(results.values()) else 503)

    return readyz


def _metrics(metrics: Metrics) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def expose(_: web.Request) -> web.Response:
        return web.Response(
            body=metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    return expose
