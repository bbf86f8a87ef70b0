"""Bytes over real connections: in order, whole, held back where nobody reads; every end is told."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpcore
import httpx
import pytest

from bot.errors import UpstreamRefused
from bot.upstream.client import Upstream, open_http
from bot.upstream.network import Network, Stream
from tests.upstream.asking import config

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PATIENCE = 10.0  # seconds until a test that waits in vain fails
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve every connection so; yields the port."""
    served: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    async with asyncio.timeout(PATIENCE), server:
        yield server.sockets[0].getsockname()[1]
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[httpcore.AsyncNetworkStream]:
    """Yield a connection; closed at the end."""
    stream = await Network().connect_tcp("127.0.0.1", port, timeout=PATIENCE)
    try:
        yield stream
    finally:
        await stream.aclose()


async def until_it_listens_no_more(stream: httpcore.AsyncNetworkStream) -> None:
    """Wait until nothing more is taken from the socket."""
    assert isinstance(stream, Stream)
    while stream.line.transport.is_reading():  # noqa: ASYNC110 - it has to be asked
        await asyncio.sleep(0)


async def read_all(stream: httpcore.AsyncNetworkStream) -> bytes:
    """Read to the end."""
    came = bytearray()
    while chunk := await stream.read(65_536):
        came += chunk
    return bytes(came)


def chunked(*pieces: bytes) -> bytes:
    """Return the pieces as HTTP chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


async def test_what_is_written_at_once_or_bit_by_bit_is_read_in_order() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(200):
            writer.write(b"%d " % number)
            if number % 3:
                await asyncio.sleep(0)

    async with serving(serve) as port, connected(port) as stream:
        assert await read_all(stream) == b"".join(b"%d " % number for number in range(200))
        assert await stream.read(1) == b""


async def test_a_sender_is_held_back_while_nobody_reads() -> None:
    much = bytes(range(256)) * 4096 * 32  # more than sockets hold
    drained = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(much)
        await writer.drain()
        drained.set()

    async with serving(serve) as port, connected(port) as stream:
        first = await stream.read(65_536)
        await until_it_listens_no_more(stream)
        assert not drained.is_set()
        assert first + await read_all(stream) == much


async def test_what_is_sent_arrives_whole_however_slowly_it_is_taken() -> None:
    much, came = b"0123456789" * 400_000, bytearray()
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(came) < len(much):
            came.extend(await reader.read(50_000))
        over.set()

    async with serving(serve) as port, connected(port) as stream:
        await stream.write(much, timeout=PATIENCE)
        await over.wait()
    assert came == much


async def test_waiting_too_long_is_an_error_and_loses_nothing() -> None:
    go_on = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        writer.write(b"late")

    async with serving(serve) as port, connected(port) as stream:
        with pytest.raises(httpcore.ReadTimeout):
            await stream.read(100, timeout=0.01)
        go_on.set()
        assert await read_all(stream) == b"late"


async def test_a_write_that_nobody_takes_is_an_error() -> None:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(serve) as port, connected(port) as stream:
        with pytest.raises(httpcore.WriteTimeout):
            await stream.write(bytes(64 * 1024 * 1024), timeout=0.05)


async def test_a_connection_that_was_reset_tells_so_after_all_that_came() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"so far")
        await reader.readexactly(1)
        reset = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        writer.transport.abort()

    async with serving(serve) as port, connected(port) as stream:
        assert await stream.read(100) == b"so far"
        await stream.write(b"more than is read")
        with pytest.raises(httpcore.ReadError):
            await stream.read(100)
        with pytest.raises(httpcore.WriteError):
            await stream.write(b"x")


async def test_a_port_where_nobody_listens_refuses() -> None:
    async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        """Nobody comes."""

    async with serving(serve) as port:
        pass
    with pytest.raises(httpcore.ConnectError):
        await Network().connect_tcp("127.0.0.1", port)


async def test_an_idle_connection_that_its_server_closed_is_not_used_again() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + chunked(b"one ", b"two") + END)

    async with serving(serve) as port:
        url = f"http://127.0.0.1:{port}/"
        async with open_http(config(url)) as http:
            for _ in range(3):
                assert (await http.get(url)).text == "one two"
                await until_idle_ones_have_ended(http)
    assert connections == 3


async def until_idle_ones_have_ended(http: httpx.AsyncClient) -> None:
    """Wait until every pooled connection knows that its server has left."""
    transport = http._transport
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    pool = transport._pool
    while not all(each.has_expired() for each in pool.connections):  # noqa: ASYNC110 - it has to be asked
        await asyncio.sleep(0.001)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
    files = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "own.pem"))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    made = ("openssl", "req", "-x509", *curve, *subject, *files)
    subprocess.run(made, check=True, capture_output=True)
    with (folder / "own.pem").open("a") as own:
        own.write((folder / "key.pem").read_text())
    return folder / "own.pem"


def server_side(certificate: Path) -> ssl.SSLContext:
    """What a server with that certificate speaks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def stream_words(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of a connection with a hundred words."""
    while True:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        for number in range(100):
            writer.write(chunked(b"%d " % number))
            await asyncio.sleep(0)
        writer.write(END)


async def test_a_stream_over_tls_is_whole_and_its_connection_used_again(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with serving(stream_words, server_side(certificate)) as port:
        url = f"https://127.0.0.1:{port}/"
        async with open_http(config(url)) as http:
            for _ in range(3):
                answer = await http.get(url)
                assert answer.text.split() == [str(number) for number in range(100)]
            transport = http._transport
            assert isinstance(transport, httpx.AsyncHTTPTransport)
            assert len(transport._pool.connections) == 1


async def test_a_server_with_a_certificate_nobody_vouches_for_is_refused(certificate: Path) -> None:
    async with serving(stream_words, server_side(certificate)) as port:
        settings = config(f"https://127.0.0.1:{port}/")
        async with open_http(settings) as http:
            with pytest.raises(UpstreamRefused, match="CERTIFICATE_VERIFY_FAILED"):
                await Upstream(settings, http).model()
