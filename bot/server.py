"""The process from outside: health, readiness, metrics, and in HTTP mode Slack's requests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.errors import StartError
from bot.observe import Metrics

# Slack's payloads are well below this (a view has at most 100 blocks of 3,000 characters).
MAX_BODY_BYTES = 2 * 2**20

Check = Callable[[], Awaitable[bool]]


def make_server(
    *, metrics: Metrics, checks: Mapping[str, Check], slack_app: AsyncApp | None
) -> web.Application:
    """The routes. `checks` by name must all hold for readiness; `slack_app` only in HTTP mode."""
    server = web.Application(client_max_size=MAX_BODY_BYTES)
    server.router.add_get("/healthz", _healthz)
    server.router.add_get("/readyz", _readyz(checks))
    server.router.add_get("/metrics", _metrics(metrics))
    if slack_app is not None:
        server.router.add_post("/slack/events", _slack_events(slack_app))
    return server


@asynccontextmanager
async def serve(server: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Listen while the block runs; gives the port. Raises StartError when it can't be had."""
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise StartError(
                f"PORT {port} on {host} can't be used ({error.strerror or error}); "
                "stop what uses it, or set PORT (and HOST) to another."
            ) from error
        yield _port(runner, port)
    finally:
        await runner.cleanup()


def _port(runner: web.AppRunner, wanted: int) -> int:
    address = runner.addresses[0] if runner.addresses else None
    return int(address[1]) if isinstance(address, (tuple, list)) else wanted


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


def _readyz(checks: Mapping[str, Check]) -> Callable[[web.Request], Awaitable[web.Response]]:
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


def _slack_events(slack_app: AsyncApp) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Bolt verifies the signature on the raw body; what it would stumble over is refused first."""

    async def slack_events(request: web.Request) -> web.Response:
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        if not (timestamp.isascii() and timestamp.isdigit()):
            return web.json_response({"error": "invalid request"}, status=401)
        if not _well_formed(await request.read(), request.content_type):
            return web.json_response({"error": "malformed body"}, status=400)
        bolt_request = await to_bolt_request(request)
        return await to_aiohttp_response(await slack_app.async_dispatch(bolt_request))

    return slack_events


def _well_formed(body: bytes, content_type: str) -> bool:
    """Whether it is one of the things Slack sends: a JSON event, or a form."""
    try:
        text = body.decode()
        if content_type != "application/x-www-form-urlencoded" or text.startswith("{"):
            return _is_event(json.loads(text))
        form = parse_qs(text)
        if "payload" in form:
            return isinstance(json.loads(form["payload"][0]), dict)
    except ValueError:
        return False
    return "command" in form or "ssl_check" in form


def _is_event(found: object) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        return False
    return found["type"] != "event_callback" or isinstance(found.get("event"), dict)
