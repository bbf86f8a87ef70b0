"""One Socket Mode connection: receives envelopes, dispatches them to Bolt and acknowledges them.

pool.py opens and replaces connections.
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

from bot.background import BackgroundTasks
from bot.errors import SlackUnreachable
from bot.listeners.socket_mode.backoff import ENDING_SOON_REASONS, REFUSED_REASONS
from bot.slack import WebSocket

log = logging.getLogger(__name__)


class SocketConnection:
    """Reads from a connection as soon as it is constructed.

    The future `hello` gets Slack's hello message, after which events can arrive. The future
    `replacement_needed` gets the reason why another connection is needed:

    - "warning", "refresh_requested": Slack will end this connection, and uses it until then;
    - "link_disabled", "too_many_websockets": Slack refuses connections;
    - "silent": a ping was not answered;
    - "closed", "other".
    """

    def __init__(self, socket: WebSocket, app: AsyncApp) -> None:
        loop = asyncio.get_running_loop()
        self.hello: asyncio.Future[Mapping[str, Any]] = loop.create_future()
        self.replacement_needed: asyncio.Future[str] = loop.create_future()
        self._socket = socket
        self._app = app
        self._stopped = False
        self._dispatches = BackgroundTasks()
        self._reader = asyncio.create_task(self._read())

    @property
    def is_open(self) -> bool:
        """Whether events can arrive now."""
        return self.hello.done() and not self._stopped and not self._reader.done()

    async def wait_ended(self, timeout_seconds: float) -> None:
        """Return when Slack has ended the connection, or after `timeout_seconds`."""
        await asyncio.wait({self._reader}, timeout=timeout_seconds)

    def stop(self) -> None:
        """Ignore further envelopes. Slack sends them again to another connection."""
        self._stopped = True

    async def drain_and_close(self, timeout_seconds: float) -> None:
        """Stop, and close once all envelopes are acknowledged, or after `timeout_seconds`."""
        self.stop()
        await self._dispatches.wait(timeout_seconds)
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
                self._dispatches.start(self._dispatch_and_acknowledge(message))

    def _request_replacement(self, reason: str) -> None:
        if not self.replacement_needed.done():
            self.replacement_needed.set_result(reason)

    async def _dispatch_and_acknowledge(self, envelope: Mapping[str, Any]) -> None:
        envelope_id, payload = envelope.get("envelope_id"), envelope.get("payload")
        request = _request(payload) if isinstance(payload, dict) else None
        if not isinstance(envelope_id, str) or request is None:
            log.warning("ignored a malformed envelope from Slack")
            return
        answer = await self._app.async_dispatch(request)
        if answer.status != 200:
            return
        try:
            await self._socket.send({"envelope_id": envelope_id} | _ack_payload(answer))
        except SlackUnreachable:
            log.info("could not acknowledge an envelope, its connection has closed; Slack resends")


def _ack_payload(answer: BoltResponse) -> dict[str, Any]:
    """The payload of an acknowledgement, such as the reply to a command."""
    if not answer.body:
        return {}
    kinds = answer.headers.get("content-type") or [""]
    is_json = str(kinds[0]).startswith("application/json")
    return {"payload": json.loads(answer.body) if is_json else {"text": answer.body}}


def _request(payload: dict[str, Any]) -> AsyncBoltRequest | None:
    try:
        return AsyncBoltRequest(mode="socket_mode", body=payload)
    except Exception:  # noqa: BLE001  # Bolt does not validate payloads
        return None
