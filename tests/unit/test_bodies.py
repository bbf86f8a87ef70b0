"""Every reply that the bot reads is bounded, and compressed only where the bot asked for it."""

from __future__ import annotations

import ast
import asyncio
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache

import pytest

from bot.errors import ResponseTooLarge, SlackUnreachable, ToolError, UpstreamError
from bot.slack import Slack, bodies, http_session
from bot.tools.web import fetch
from bot.tools.web.fetch import WebClient
from bot.upstream.client import Upstream, open_http
from bot.upstream.events import Failed
from bot.upstream.session import stream_reader
from tests.support.layout_rules import read
from tests.support.project import ROOT
from tests.unit.upstream.upstream_setup import PROMPT, config, final_event

MOST = 2**20
"""Bytes that each client may read in these tests."""

ON_THE_WAY = 12 * 2**20
"""Bytes that the buffers of both ends and of the system hold beside."""

BOMB = 2**26
"""Bytes that a bomb of 64 KiB becomes."""


@dataclass
class Server:
    """A server that answers all requests alike: a head, and a piece of body again and again."""

    head: bytes
    piece: bytes
    times: int = 2**30
    origin: str = ""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    sent: int = 0
    ended: list[asyncio.Event] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request until the client has had enough; without a piece wait for that."""
        ended = asyncio.Event()
        self.ended.append(ended)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
            writer.write(self.head)
            for _ in range(self.times):
                writer.write(self.piece)
                await writer.drain()
                self.sent += len(self.piece)
            if not self.times:
                await reader.read()
        writer.close()
        ended.set()


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    async with listening:
        server.port = listening.sockets[0].getsockname()[1]
        server.origin = f"http://127.0.0.1:{server.port}"
        yield server
        for ended in server.ended:
            await ended.wait()


def head(status: int = 200, encoding: str = "", kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status} So", f"Content-Type: {kind}", "Connection: close"]
    lines += [f"Content-Encoding: {encoding}"] if encoding else []
    return "\r\n".join([*lines, "", ""]).encode()


async def call(server: Server) -> None:
    async with http_session() as session:
        slack = Slack("xoxb-1", base_url=f"{server.origin}/api/", session=session)
        with pytest.raises(SlackUnreachable):
            await slack.thread_page("C1", "1.0", oldest=None, latest="2.0", limit=15)


async def respond(server: Server) -> None:
    async with http_session() as session:
        slack = Slack("xoxb-1", base_url=f"{server.origin}/api/", session=session)
        with pytest.raises(SlackUnreachable):
            await slack.respond(f"{server.origin}/hook", {"text": "hi"})


async def answer(server: Server) -> None:
    made = config(f"{server.origin}/v1", attempts=1, max_event_bytes=MOST)
    async with open_http(made) as http:
        end = final_event([event async for event in Upstream(made, http).answer(PROMPT)])
    assert isinstance(end, Failed)


async def model(server: Server) -> None:
    made = config(f"{server.origin}/v1")
    async with open_http(made) as http:
        with suppress(UpstreamError):  # what was read may be a description without a name
            await Upstream(made, http).fetch_model()


async def page(server: Server) -> None:
    async def resolve(host: str) -> list[str]:
        return ["127.0.0.1"]

    public = WebClient(resolve=resolve, may_reach=lambda _: True, ports={server.port})
    with suppress(ToolError):  # the beginning of a long page is a page
        found = await public.fetch(f"http://example.com:{server.port}/")
        assert len(found.body) <= MOST


Client = Callable[[Server], Awaitable[None]]
CLIENTS: tuple[Client, ...] = (call, respond, answer, model, page)


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BYTES", MOST)
    monkeypatch.setattr(fetch, "MAX_PAGE_BYTES", MOST)
    monkeypatch.setattr(stream_reader, "MAX_STREAM_BYTES", MOST)


@cache
def bomb(*, gzip: bool) -> bytes:
    """Return 64 KiB that become BOMB bytes."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31 if gzip else 15)
    return b"".join(packing.compress(bytes(2**20)) for _ in range(BOMB >> 20)) + packing.flush()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "piece",
    [b"x" * 2**16, b" " * 2**16, b"\n" * 2**16, b'{"a":"' * 2**13, b"data: {}\n\n" * 2**12],
    ids=["words", "blanks", "lines", "json", "events"],
)
async def test_endless_body_is_read_up_to_a_limit(
    client: Client, status: int, piece: bytes
) -> None:
    async with serving(Server(head(status), piece)) as server, asyncio.timeout(20):
        await client(server)
        assert server.asked
        assert server.sent < MOST + ON_THE_WAY


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "encoding", ["gzip", "x-gzip", "deflate", "GZIP", "br", "zstd", "compress"]
)
async def test_body_that_decompresses_to_too_much_takes_no_memory(
    client: Client, status: int, encoding: str
) -> None:
    packed = bomb(gzip=encoding.lower().endswith("gzip"))
    async with serving(Server(head(status, encoding), packed, times=1)) as server:
        tracemalloc.start()
        await client(server)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < MOST + ON_THE_WAY


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "compress", "gzip, gzip", "x-new"])
async def test_encoding_that_was_not_accepted_is_refused_by_its_name(
    client: Client, encoding: str
) -> None:
    async with serving(Server(head(encoding=encoding), b"", times=0)) as server:
        async with asyncio.timeout(5):
            await client(server)  # though no body ever comes
        [asked] = server.asked
        assert encoding not in asked


async def test_slack_call_reads_a_reply_compressed_as_it_asked() -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = packed.compress(b'{"ok":true,"messages":[]}') + packed.flush()
    answered = Server(head(encoding="gzip"), body, times=1)
    async with serving(answered) as server, http_session() as session:
        slack = Slack("xoxb-1", base_url=f"{server.origin}/api/", session=session)
        assert await slack.replies("C1", "1.0") == []
    assert "accept-encoding: gzip\r\n" in server.asked[0]


async def test_stream_of_too_many_bytes_ends_with_an_error() -> None:
    events = b": waiting\n\n" * 2**12
    async with serving(Server(head(kind="text/event-stream"), events)) as server:
        made = config(f"{server.origin}/v1", attempts=1)
        async with open_http(made) as http:
            end = final_event([event async for event in Upstream(made, http).answer(PROMPT)])
    assert isinstance(end, Failed)
    assert isinstance(end.error, ResponseTooLarge)


CONNECTING = {
    ("bot.slack.client", "ClientSession"),  # Web API, response_url, Socket Mode
    ("bot.upstream.client", "AsyncClient"),
    ("bot.tools.web.fetch", "AsyncClient"),
    # The playground asks its own bot only.
    ("bot.playground.slack.deliveries.webhooks", "ClientSession"),
    ("bot.playground.play", "ClientSession"),
}
CLIENT_NAMES = frozenset(
    {"ClientSession", "AsyncClient", "Client", "urlopen", "HTTPConnection", "HTTPSConnection"}
    | {"open_connection", "create_connection", "AsyncWebClient", "WebClient", "AsyncApp"}
)


def test_http_clients_are_only_made_by_the_modules_above() -> None:
    found = {
        (module.name, name)
        for module in read(ROOT).values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and (name := getattr(node.func, "attr", getattr(node.func, "id", ""))) in CLIENT_NAMES
    }
    slack_sdk = {("bot.slack.calls", "AsyncWebClient"), ("bot.listeners.bolt", "AsyncApp")}
    tools = {("bot.tools.builtin", "WebClient")}  # our own class, on the client of tools.web.fetch
    assert found - slack_sdk - tools == CONNECTING
