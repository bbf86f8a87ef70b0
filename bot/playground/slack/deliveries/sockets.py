"""Socket Mode: tickets, up to ten connections, envelopes and their acknowledgements.

https://docs.slack.dev/apis/events-api/using-socket-mode; shapes as in the recorded envelopes.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Coroutine
from typing import Any

from aiohttp import ClientConnectionError, WSMsgType, web

from bot.playground.board import Board
from bot.playground.slack.deliveries.dispatch import Attempt, NotAcked
from bot.playground.slack.records import APP, Json

MOST_CONNECTIONS = 10
CONNECTION_SECONDS = 18_060  # what hello promises: about five hours
_DEBUG = {"host": "applink-playground", "build_number": 1}


class Sockets:
    """The WebSocket end of the workspace."""

    def __init__(
        self,
        board: Board,
        *,
        ack_seconds: float,
        warning_seconds: float,
        connection_seconds: float = CONNECTION_SECONDS,
    ) -> None:
        self._board = board
        self._ack_seconds = ack_seconds
        self._warning_seconds = warning_seconds
        self._connection_seconds = connection_seconds
        self._tickets: set[str] = set()
        self._open: list[web.WebSocketResponse] = []
        self._turn = 0
        self._acks: dict[str, asyncio.Future[Json]] = {}
        self._owed: dict[web.WebSocketResponse, set[asyncio.Future[Json]]] = {}
        self._arrived = asyncio.Event()
        self._refreshing: set[asyncio.Task[None]] = set()

    def ticket(self) -> str:
        """A ticket for one connection, the query of the address `apps.connections.open` gives."""
        ticket = str(uuid.uuid4())
        self._tickets.add(ticket)
        return f"ticket={ticket}&app_id={APP}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection from hello to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="invalid ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if len(self._open) >= MOST_CONNECTIONS:
            await self._disconnect(socket, "too_many_websockets")
            return socket
        self._open.append(socket)
        try:
            await self._greet(socket)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._received(message.data)
        finally:
            self._forget(socket)
            self._owed.pop(socket, None)
        return socket

    async def send(self, attempt: Attempt) -> Json:
        """Bring a delivery to one of the connections. Raises `NotAcked`.

        An event waits a while for a connection to open; a person who typed a command does not.
        """
        if not self._open and attempt.delivery.kind != "events_api":
            raise NotAcked("connection_failed")
        try:
            async with asyncio.timeout(self._ack_seconds):
                return await self._exchange(_envelope(attempt))
        except TimeoutError:
            raise NotAcked("timeout") from None

    @property
    def count(self) -> int:
        """Connections that are open."""
        return len(self._open)

    def refresh(self, which: int | None = None) -> None:
        """Ask every connection, or the one that is that old (0: oldest), to be renewed: a
        warning, then the end."""
        for socket in self._open[:] if which is None else [self._open[which]]:
            self._start(self._renew(socket))

    def disconnect(self, reason: str) -> None:
        """End every connection at once, and say why."""
        for socket in tuple(self._open):
            self._start(self._disconnect(socket, reason))

    async def close(self) -> None:
        """Close every connection, as when Slack's server goes away."""
        for task in self._refreshing:
            task.cancel()
        for socket in tuple(self._open):
            await socket.close(code=1001)

    async def _greet(self, socket: web.WebSocketResponse) -> None:
        count = len(self._open)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": count,
                "debug_info": _DEBUG | {"approximate_connection_time": self._connection_seconds},
                "connection_info": {"app_id": APP},
            },
        )
        self._board.note("event", "hello", connections=count)
        self._arrived.set()

    async def _exchange(self, envelope: Json) -> Json:
        ack = asyncio.get_running_loop().create_future()
        self._acks[envelope["envelope_id"]] = ack
        try:
            await self._put(json.dumps(envelope), ack)
            answer: Json = await ack
            return answer
        finally:
            del self._acks[envelope["envelope_id"]]

    async def _put(self, text: str, ack: asyncio.Future[Json]) -> None:
        while True:
            await self._arrived.wait()
            self._turn += 1  # each connection in turn, whatever they are
            socket = self._open[self._turn % len(self._open)]
            try:
                await socket.send_str(text)
            except (ConnectionError, ClientConnectionError):
                self._forget(socket)
            else:
                self._owed.setdefault(socket, set()).add(ack)
                ack.add_done_callback(self._owed[socket].discard)
                return

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)

    async def _renew(self, socket: web.WebSocketResponse) -> None:
        await self._say_goodbye(socket, "warning")
        await asyncio.sleep(self._warning_seconds)
        self._forget(socket)  # it gets nothing more, but may acknowledge what it has
        await self._say_goodbye(socket, "refresh_requested")
        if owed := self._owed.get(socket):
            await asyncio.wait(owed, timeout=self._ack_seconds)
        await socket.close()

    async def _disconnect(self, socket: web.WebSocketResponse, reason: str) -> None:
        await self._say_goodbye(socket, reason)
        await socket.close()

    async def _say_goodbye(self, socket: web.WebSocketResponse, reason: str) -> None:
        if socket.closed:
            return
        self._board.note("event", "disconnect", reason=reason)
        goodbye = {"type": "disconnect", "reason": reason, "debug_info": _DEBUG}
        try:
            await socket.send_json(goodbye)
        except (ConnectionError, ClientConnectionError):
            self._forget(socket)

    def _received(self, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        ack = self._acks.get(answer.get("envelope_id", "")) if isinstance(answer, dict) else None
        if ack is not None and not ack.done():
            ack.set_result(_payload(answer.get("payload")))

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)
        if not self._open:
            self._arrived.clear()


def _envelope(attempt: Attempt) -> Json:
    envelope: Json = {
        "envelope_id": str(uuid.uuid4()),
        "payload": attempt.delivery.body,
        "type": attempt.delivery.kind,
        "accepts_response_payload": attempt.delivery.kind != "events_api",
    }
    if attempt.delivery.kind == "events_api":
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return envelope


def _payload(given: Any) -> Json:
    if isinstance(given, dict):
        return given
    return {"text": given} if isinstance(given, str) and given else {}
