"""One connection's life: greeted, hands envelopes to Bolt, acknowledges, asks to be replaced, ends.

When it is opened and by what it is replaced is decided in socket_mode.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.errors import SlackUnreachable
from bot.listeners.socket_mode.backoff import REFUSED, WARNED
from bot.slack import WebSocket

log = logging.getLogger(__name__)


class Link:
    """Reads a connection from the moment it is made.

    `hello` is done, with Slack's greeting, once events can come. `worn` is done, with the reason,
    once another connection is needed: "warning" and "refresh_requested" (Slack will end this one;
    it goes on until then), "link_disabled" and "too_many_websockets" (Slack wants none),
    "silent" (nobody answered a ping), "closed", or "other".
    """

    def __init__(self, socket: WebSocket, app: AsyncApp) -> None:
        loop = asyncio.get_running_loop()
        self.hello: asyncio.Future[Mapping[str, Any]] = loop.create_future()
        self.worn: asyncio.Future[str] = loop.create_future()
        self._socket = socket
        self._app = app
        self._leaving = False
        self._handing: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read())

    @property
    def open(self) -> bool:
        """Whether events can come through it now."""
        return self.hello.done() and not self._leaving and not self._reading.done()

    async def ended(self, patience: float) -> None:
        """Return when Slack has ended the connection, or after `patience` seconds."""
        await asyncio.wait({self._reading}, timeout=patience)

    def stop(self) -> None:
        """Take nothing more. What is not acknowledged Slack sends again, elsewhere."""
        self._leaving = True

    async def leave(self, patience: float) -> None:
        """Stop, and close when all is acknowledged, or after `patience` seconds."""
        self.stop()
        if self._handing:
            await asyncio.wait(self._handing, timeout=patience)
        await self._socket.close()
        await asyncio.wait({self._reading})

    async def _read(self) -> None:
        try:
            while (message := await self._socket.receive()) is not None:
                self._heard(message)
        finally:
            self._wear("silent" if self._socket.silent else "closed")

    def _heard(self, message: Mapping[str, Any]) -> None:
        match message.get("type"):
            case "hello":
                if not self.hello.done():
                    self.hello.set_result(message)
            case "disconnect":
                reason = str(message.get("reason"))
                self._wear(reason if reason in WARNED | REFUSED else "other")
            case _ if not self._leaving:
                handing = asyncio.create_task(self._hand_over(message))
                self._handing.add(handing)
                handing.add_done_callback(self._handing.discard)

    def _wear(self, reason: str) -> None:
        if not self.worn.done():
            self.worn.set_result(reason)

    async def _hand_over(self, envelope: Mapping[str, Any]) -> None:
        """Have an envelope handled, then acknowledge it."""
        name, payload = envelope.get("envelope_id"), envelope.get("payload")
        request = _request(payload) if isinstance(payload, dict) else None
        if not isinstance(name, str) or request is None:
            log.warning("Slack sent an envelope that can't be read")
            return
        answer = await self._app.async_dispatch(request)
        if answer.status != 200:
            return
        try:
            await self._socket.send({"envelope_id": name} | _reply(answer))
        except SlackUnreachable:
            log.info("an acknowledgement found its connection closed; Slack sends the event again")


def _reply(answer: BoltResponse) -> dict[str, Any]:
    """What an acknowledgement carries: for a command, what the asker reads."""
    if not answer.body:
        return {}
    kinds = answer.headers.get("content-type") or [""]
    is_json = str(kinds[0]).startswith("application/json")
    return {"payload": json.loads(answer.body) if is_json else {"text": answer.body}}


def _request(payload: dict[str, Any]) -> AsyncBoltRequest | None:
    try:
        return AsyncBoltRequest(mode="socket_mode", body=payload)
    except Exception:  # noqa: BLE001  # Bolt takes the shape of a payload for granted
        return None
