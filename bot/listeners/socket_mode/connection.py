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
from bot.listeners.socket_mode.backoff import ENDING_SOON_REASONS, REFUSED_REASONS
from bot.slack import WebSocket

log = logging.getLogger(__name__)


class SocketConnection:
    """Reads a connection from the moment it is made.

    `hello` is done, with Slack's greeting, once events can come. `replacement_needed` is done, with
    the reason, once another connection is needed: "warning" and "refresh_requested" (Slack will end
    this one; it goes on until then), "link_disabled" and "too_many_websockets" (Slack wants none),
    "silent" (nobody answered a ping), "closed", or "other".
    """

    def __init__(self, socket: WebSocket, app: AsyncApp) -> None:
        loop = asyncio.get_running_loop()
        self.hello: asyncio.Future[Mapping[str, Any]] = loop.create_future()
        self.replacement_needed: asyncio.Future[str] = loop.create_future()
        self._socket = socket
        self._app = app
        self._stopped = False
        self._dispatches: set[asyncio.Task[None]] = set()
        self._reader = asyncio.create_task(self._read())

    @property
    def is_open(self) -> bool:
        """Whether events can come through it now."""
        return self.hello.done() and not self._stopped and not self._reader.done()

    async def wait_ended(self, timeout_seconds: float) -> None:
        """Return when Slack has ended the connection, or after `timeout_seconds` seconds."""
        await asyncio.wait({self._reader}, timeout=timeout_seconds)

    def stop(self) -> None:
        """Take nothing more. What is not acknowledged Slack sends again, elsewhere."""
        self._stopped = True

    async def drain_and_close(self, timeout_seconds: float) -> None:
        """Stop, and close when all is acknowledged, or after `timeout_seconds` seconds."""
        self.stop()
        if self._dispatches:
            await asyncio.wait(self._dispatches, timeout=timeout_seconds)
        await self._socket.close()
        await asyncio.wait({self._reader})

    async def _read(self) -> None:
        try:
            while (message := await self._socket.receive()) is not None:
                self._on_message(message)
        finally:
            self._request_replacement("silent" if self._socket.ping_timed_out else "closed")

    def _on_message(self, message: Mapping[str, Any]) -> None:
        match message.get("type"):
            case "hello":
                if not self.hello.done():
                    self.hello.set_result(message)
            case "disconnect":
                reason = str(message.get("reason"))
                self._request_replacement(
                    reason if reason in ENDING_SOON_REASONS | REFUSED_REASONS else "other"
                )
            case _ if not self._stopped:
                handing = asyncio.create_task(self._dispatch_and_acknowledge(message))
                self._dispatches.add(handing)
                handing.add_done_callback(self._dispatches.discard)

    def _request_replacement(self, reason: str) -> None:
        if not self.replacement_needed.done():
            self.replacement_needed.set_result(reason)

    async def _dispatch_and_acknowledge(self, envelope: Mapping[str, Any]) -> None:
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
            await self._socket.send({"envelope_id": name} | _ack_payload(answer))
        except SlackUnreachable:
            log.info("an acknowledgement found its connection closed; Slack sends the event again")


def _ack_payload(answer: BoltResponse) -> dict[str, Any]:
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
