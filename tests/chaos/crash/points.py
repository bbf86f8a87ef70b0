"""Crash points, from outside: the lowest calls of the bot to other systems, each with a name.

A point is passed, written down, and deadly if it is the one chosen. Nothing of the bot is touched:
what is wrapped is aiohttp (Slack), httpx (the model) and SQLAlchemy (the database).

    slack:chat.update:before     nothing has left the process
    slack:chat.update:taken      Slack has done it, the bot has not read that yet
    upstream:POST responses:before, :answered;  upstream:chunk
    db:insert claims:before, :after;  db:commit claims+turns:before, :after
    socket:received, socket:ack:before, socket:ack:after (http:ack in HTTP mode)
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import httpx
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

QUIET = frozenset({"replicas", "alembic_version", "sqlite_master"})
"""Tables written as time passes, not because of a question."""

_WRITE = re.compile(
    r"\s*(?:with\b.*?\b)?(insert\s+(?:or\s+\w+\s+)?into|update|delete\s+from)\s+[\"']?(\w+)",
    re.IGNORECASE | re.DOTALL,
)
_ID = re.compile(r"/(?:resp|chatcmpl)[-_]\w+")


class Points:
    """Counts the points passed, from the first delivery on or (`at_once`) from the start.

    `die_at` is a point's name with its count, `socket:received#1`, or its number among all
    points, `17`. Every point is written to `log`, a file descriptor, as it is passed.
    """

    def __init__(self, die_at: str, log: int, *, at_once: bool = False) -> None:
        self._die_at = die_at
        self._log = log
        self._counting = at_once
        self._counts: Counter[str] = Counter()
        self._one_at_a_time = threading.Lock()

    def begin(self) -> None:
        """Something to do has arrived."""
        self._counting = True

    def reach(self, name: str) -> None:
        """Pass a point, or die there."""
        if not self._counting:
            return
        with self._one_at_a_time:  # the database is written in threads
            self._counts[name] += 1
            point = f"{name}#{self._counts[name]}"
            os.write(self._log, f"{point}\n".encode())
            if self._die_at in (point, str(self._counts.total())):
                os.kill(os.getpid(), signal.SIGKILL)


def install(points: Points) -> None:
    """Put the points into this process."""
    _into_slack(points)
    _into_deliveries(points)
    _into_upstream(points)
    _into_database(points)


def _into_slack(points: Points) -> None:
    trace = aiohttp.TraceConfig()

    async def begins(_: Any, __: Any, told: aiohttp.TraceRequestStartParams) -> None:
        points.reach(f"slack:{_method(told.url.path)}:before")

    async def is_answered(_: Any, __: Any, told: aiohttp.TraceRequestEndParams) -> None:
        points.reach(f"slack:{_method(told.url.path)}:taken")

    trace.on_request_start.append(begins)
    trace.on_request_end.append(is_answered)
    made = aiohttp.ClientSession.__init__

    def make(session: aiohttp.ClientSession, *args: Any, **options: Any) -> None:
        traces = [*(options.pop("trace_configs", None) or ()), trace]
        made(session, *args, trace_configs=traces, **options)

    _put(aiohttp.ClientSession, "__init__", make)


def _method(path: str) -> str:
    """The method in the address of a call; a `response_url` has none."""
    return "response_url" if "/respond/" in path else path.rpartition("/")[2]


def _into_deliveries(points: Points) -> None:
    receive = aiohttp.ClientWebSocketResponse.receive
    send = aiohttp.ClientWebSocketResponse.send_str
    finish = RequestHandler.finish_response

    async def received(socket: Any, *args: Any, **options: Any) -> aiohttp.WSMessage:
        message: aiohttp.WSMessage = await receive(socket, *args, **options)
        if message.type is aiohttp.WSMsgType.TEXT and '"envelope_id"' in message.data:
            points.begin()
            points.reach("socket:received")
        return message

    async def sent(socket: Any, data: str, *args: Any, **options: Any) -> None:
        is_ack = '"envelope_id"' in data
        if is_ack:
            points.reach("socket:ack:before")
        await send(socket, data, *args, **options)
        if is_ack:
            points.reach("socket:ack:after")

    async def finished(handler: Any, request: web.BaseRequest, *args: Any) -> Any:
        is_ack = request.path == "/slack/events"
        if is_ack:
            points.begin()
            points.reach("http:ack:before")
        done = await finish(handler, request, *args)
        if is_ack:
            points.reach("http:ack:after")
        return done

    _put(aiohttp.ClientWebSocketResponse, "receive", received)
    _put(aiohttp.ClientWebSocketResponse, "send_str", sent)
    _put(RequestHandler, "finish_response", finished)


def _into_upstream(points: Points) -> None:
    handle = httpx.AsyncHTTPTransport.handle_async_request

    async def handled(transport: Any, request: httpx.Request) -> httpx.Response:
        path = _ID.sub("/{id}", request.url.path).removeprefix("/v1/")
        name = f"upstream:{request.method} {path}"
        points.reach(f"{name}:before")
        response = await handle(transport, request)
        points.reach(f"{name}:answered")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Counted(response.stream, points)
        return response

    _put(httpx.AsyncHTTPTransport, "handle_async_request", handled)


class _Counted(httpx.AsyncByteStream):
    """A body whose every chunk is a point, passed before the bot has it."""

    def __init__(self, stream: httpx.AsyncByteStream, points: Points) -> None:
        self._stream = stream
        self._points = points

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._points.reach("upstream:chunk")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _into_database(points: Points) -> None:
    written: dict[int, list[str]] = {}  # tables by connection, since its last commit

    def before(connection: Any, _: Any, statement: str, *__: Any) -> None:
        if write := _written(statement):
            written.setdefault(_key(connection), []).append(write[1])
            points.reach(f"db:{write[0]} {write[1]}:before")

    def after(_: Any, __: Any, statement: str, *___: Any) -> None:
        if write := _written(statement):
            points.reach(f"db:{write[0]} {write[1]}:after")

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    commit: Callable[[Any, Any], None] = DefaultDialect.do_commit

    def committed(dialect: DefaultDialect, connection: Any) -> None:
        tables = "+".join(dict.fromkeys(written.pop(id(_driver(connection)), ())))
        if tables:
            points.reach(f"db:commit {tables}:before")
        commit(dialect, connection)
        if tables:
            points.reach(f"db:commit {tables}:after")

    _put(DefaultDialect, "do_commit", committed)


def _written(statement: str) -> tuple[str, str] | None:
    """What is done to which table, if anything is done to one that matters."""
    found = _WRITE.match(statement)
    if found is None or found[2].lower() in QUIET:
        return None
    return found[1].split()[0].lower(), found[2].lower()


def _key(connection: Any) -> int:
    return id(_driver(connection.connection))


def _driver(connection: Any) -> Any:
    """The driver's connection, whether the pool's proxy is around it or not."""
    return getattr(connection, "dbapi_connection", connection)


def _put(owner: type, name: str, replacement: Callable[..., Any]) -> None:
    """Replace a method of a library, for this process only."""
    setattr(owner, name, replacement)
