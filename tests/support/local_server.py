"""Serves an aiohttp application on a free port of this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def serve_app(app: web.Application, *, shutdown_seconds: float = 0.1) -> AsyncIterator[str]:
    """Serve `app` while the block runs; yields its origin, `http://127.0.0.1:<port>`.

    At the end, requests that are still being handled get `shutdown_seconds` to finish.
    """
    runner = web.AppRunner(app, shutdown_timeout=shutdown_seconds)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
