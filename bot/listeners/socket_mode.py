"""Socket Mode: one connection, replaced when it dies without saying so.

slack_sdk's client reconnects by itself in most cases. In some it does not: it then asks the same
dead URL again for ever (a ticket is good for one connection). So a connection that has been down
for `STALE_SECONDS` is thrown away whole and made anew.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Self

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

log = logging.getLogger(__name__)

WATCH_SECONDS = 2.0
STALE_SECONDS = 15.0
PING_SECONDS = 5.0


class SocketMode:
    """Receives what Slack sends over a WebSocket and hands it to `app`."""

    def __init__(self, app: AsyncApp, app_token: str) -> None:
        self._app = app
        self._app_token = app_token
        self._handler: AsyncSocketModeHandler | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None

    async def connected(self) -> bool:
        """Whether events can reach us right now."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def __aenter__(self) -> Self:
        """Begin to connect; `connected` tells when it is done."""
        self._keeper = asyncio.create_task(self._keep_connected())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the socket; Slack sends elsewhere from now on."""
        if self._keeper is None:
            return
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        self._keeper = None

    async def _keep_connected(self) -> None:
        try:
            while True:
                self._connect()
                await self._watch()
                log.warning("the socket has been silent for too long and is made anew")
                await self._close()
        finally:
            await self._close()

    def _connect(self) -> None:
        handler = AsyncSocketModeHandler(self._app, self._app_token, ping_interval=PING_SECONDS)
        self._handler = handler
        self._connecting = asyncio.create_task(handler.connect_async())  # type: ignore[no-untyped-call]  # slack_bolt does not annotate it

    async def _watch(self) -> None:
        """Return when the connection has been down for STALE_SECONDS."""
        down = 0.0
        while down < STALE_SECONDS:
            await asyncio.sleep(WATCH_SECONDS)
            down = 0.0 if await self.connected() else down + WATCH_SECONDS

    async def _close(self) -> None:
        handler, self._handler = self._handler, None
        if handler is not None:
            await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt does not annotate it
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
