"""A fake of a model's server: its responses are scripted, its requests are recorded.

`FakeModelServer` decides and does no I/O. `serving` puts it on a real loopback socket, where
connections can be reset, cut inside a chunk, closed politely, or left silent. `transport` puts it
behind a transport of httpx, where cuts are exact to the byte and cost no time.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.unit.upstream.wire import chat_blocks, response, responses_blocks

# eof: the body ends politely; chunk: the connection closes inside a chunk; rst: it is reset;
# silence: it stays open and nothing comes.
CutKind = Literal["eof", "chunk", "rst", "silence"]
CUT_KINDS: tuple[CutKind, ...] = ("eof", "chunk", "rst", "silence")
PATIENCE = 5.0  # seconds a test waits for the server's side to have seen something


@dataclass(frozen=True)
class Cut:
    """Break off the body after `at` bytes."""

    at: int
    kind: CutKind = "eof"


@dataclass(frozen=True)
class ScriptedResponse:
    """The response to one request. `status` 0: the connection closes before any answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: Cut | None = None

    @property
    def sent(self) -> bytes:
        """The bytes that really leave."""
        return self.body if self.cut is None else self.body[: self.cut.at]


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def refusal(status: int, message: str = "no", **error: Any) -> ScriptedResponse:
    """Return an error in the usual shape; `headers` is taken as headers."""
    headers = error.pop("headers", {})
    body = json.dumps({"error": {"message": message, **error}}).encode()
    return ScriptedResponse(status, body, {"content-type": "application/json", **headers})


class FakeModelServer:
    """A careful server of both formats that can resume, poll and cancel, and be told to fail.

    `faults` are given out first, one a request. After that every stream takes the next of `cuts`.
    """

    def __init__(
        self,
        pieces: Sequence[str],
        *,
        background: bool = True,
        faults: Sequence[ScriptedResponse] = (),
        cuts: Sequence[Cut] = (),
    ) -> None:
        self.pieces = pieces
        self.background = background
        self.faults = deque(faults)
        self.cuts = deque(cuts)
        self.requests: list[RecordedRequest] = []
        self.resume_refusal: ScriptedResponse | None = None
        self.poll_refusal: ScriptedResponse | None = None
        self.uncut_body = b""  # sent for a stream that is not cut, where a test has set it
        self.cancel_refusal: ScriptedResponse | None = None
        self.polls_before_done = 0
        self.model: dict[str, Any] | None = None
        self.model_cut: Cut | None = None
        self.closed: asyncio.Queue[RecordedRequest] = (
            asyncio.Queue()
        )  # requests whose client went away
        self.silent = asyncio.Event()  # on a socket: a reply has gone silent
        self.chat = b"".join(chat_blocks(pieces))
        self.foreground = responses_blocks(pieces, background=False)
        self.resumable = responses_blocks(pieces, background=True)
        self._blocks = self.foreground  # of the last response, to be resumed

    @property
    def text(self) -> str:
        """The text of the complete answer."""
        return "".join(self.pieces)

    @property
    def paths(self) -> list[str]:
        """Every request so far, as `POST /responses`, without looking up the model."""
        return [str(asked) for asked in self.requests if not asked.path.startswith("/models")]

    def handle(self, request: RecordedRequest) -> ScriptedResponse:
        """Answer one request."""
        self.requests.append(request)
        if request.path.startswith("/models/"):
            model = refusal(404) if self.model is None else _json(self.model)
            return replace(model, cut=self.model_cut)
        if request.path.endswith("/cancel"):
            return self.cancel_refusal or _json(response("cancelled"))
        if self.faults:
            return self.faults.popleft()
        if request.path == "/chat/completions":
            return self._stream(self.chat)
        if request.method == "GET":
            return self._resume_or_poll(request)
        in_background = self.background and request.body.get("background")
        self._blocks = self.resumable if in_background else self.foreground
        return self._stream(b"".join(self._blocks))

    def _resume_or_poll(self, asked: RecordedRequest) -> ScriptedResponse:
        if asked.query.get("stream") == "true":
            after = int(asked.query["starting_after"])
            return self.resume_refusal or self._stream(b"".join(self._blocks[after + 1 :]))
        if self.polls_before_done:
            self.polls_before_done -= 1
            return _json(response("in_progress", background=True))
        done = _json(response("completed", text=self.text, background=True))
        return self.poll_refusal or done

    def _stream(self, body: bytes) -> ScriptedResponse:
        cut = self.cuts.popleft() if self.cuts else None
        body = self.uncut_body if self.uncut_body and cut is None else body
        return ScriptedResponse(200, body, {"content-type": "text/event-stream"}, cut)


def _json(payload: Any) -> ScriptedResponse:
    return ScriptedResponse(200, json.dumps(payload).encode(), {"content-type": "application/json"})


def read_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> RecordedRequest:
    """Return a request as `FakeModelServer` takes it, its path without `/v1`."""
    split = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(split.query).items()}
    names = {name.lower(): value for name, value in headers.items()}
    payload = json.loads(body) if body else {}
    return RecordedRequest(method, split.path.removeprefix("/v1"), query, names, payload)


# Behind a transport of httpx.


class Body(httpx.AsyncByteStream):
    """A body that comes in pieces and ends as its cut says."""

    def __init__(self, out: ScriptedResponse, step: int, closed: Callable[[], None]) -> None:
        self._out = out
        self._step = step
        self._closed = closed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = self._out.sent
        for start in range(0, len(sent), self._step):
            yield sent[start : start + self._step]
        kind = self._out.cut.kind if self._out.cut else "eof"
        if kind == "rst":
            raise httpx.ReadError("")
        if kind == "chunk":
            raise httpx.RemoteProtocolError("peer closed connection (incomplete chunked read)")
        if kind == "silence":
            await asyncio.Event().wait()

    async def aclose(self) -> None:
        self._closed()


def transport(service: FakeModelServer, step: int = 1 << 16) -> httpx.MockTransport:
    """Return a transport that reaches only `service`; bodies come `step` bytes at a time."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = read_request(request.method, str(request.url), request.headers, request.content)
        out = service.handle(asked)
        if not out.status:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        stream = Body(out, step, lambda: service.closed.put_nowait(asked))
        return httpx.Response(out.status, headers=dict(out.headers), stream=stream)

    return httpx.MockTransport(answer)


# On a real socket.


@asynccontextmanager
async def serving(service: FakeModelServer, step: int = 1 << 16) -> AsyncIterator[str]:
    """Serve on 127.0.0.1; yields the base URL."""
    handlers: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            while await _exchange(service, reader, writer, step):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            handlers.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        for task in tuple(handlers):
            task.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)


async def _exchange(
    service: FakeModelServer,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    step: int,
) -> bool:
    """Read one request, answer it; return whether the connection may be used again."""
    asked = await _read(reader, str(writer.get_extra_info("peername")[1]))
    if asked is None:
        return False
    out = service.handle(asked)
    if not out.status:
        return False
    head = [f"HTTP/1.1 {out.status} X", "transfer-encoding: chunked"]
    head += [f"{name}: {value}" for name, value in out.headers.items()]
    writer.write("\r\n".join([*head, "", ""]).encode())
    for start in range(0, len(out.sent), step):
        piece = out.sent[start : start + step]
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
    kind = out.cut.kind if out.cut else "eof"
    if kind == "eof":
        writer.write(b"0\r\n\r\n")
    elif kind == "chunk":
        writer.write(b"ff\r\nda")
    elif kind == "rst":
        sock = writer.get_extra_info("socket")
        await writer.drain()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        await writer.drain()
        service.silent.set()
        await reader.read()  # until the client closes
        service.closed.put_nowait(asked)
    return kind == "eof"


async def _read(reader: asyncio.StreamReader, port: str) -> RecordedRequest | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, target, _ = head[0].split(" ")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    length = {name.lower(): value for name, value in headers.items()}.get("content-length", "0")
    headers["x-port"] = port  # tells connections apart
    return read_request(method, target, headers, await reader.readexactly(int(length)))
