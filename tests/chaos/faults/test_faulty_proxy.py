"""The proxy does to connections what a network that is cut does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.faults.faulty_proxy import FaultyProxy, faulty_proxy, reset


class EchoServer:
    """Answers in upper case, and records what each connection sent once it has ended."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        brought = b""
        try:
            while data := await reader.read(100):
                brought += data
                writer.write(data.upper())
        except ConnectionResetError:
            brought += b" reset"
        writer.close()
        self.received.put_nowait(brought)


@asynccontextmanager
async def proxied_server() -> AsyncIterator[tuple[EchoServer, FaultyProxy]]:
    server = EchoServer()
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    async with listening, faulty_proxy(listening.sockets[0].getsockname()[1]) as proxy:
        yield server, proxy


@asynccontextmanager
async def client(
    proxy: FaultyProxy,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(("resets", "arrives"), [(False, b"one two"), (True, b"one reset")])
async def test_bytes_sent_before_a_client_gave_up_arrive_late_unless_it_reset(
    resets: bool, arrives: bytes
) -> None:
    async with proxied_server() as (server, proxy), client(proxy) as (reader, writer):
        writer.write(b"one")
        assert await reader.read(100) == b"ONE"
        proxy.cut()
        writer.write(b" two")
        await asyncio.sleep(0.05)
        if resets:
            reset(writer)
        writer.close()
        await asyncio.sleep(0.05)
        assert server.received.empty()
        proxy.restore()
        assert await server.received.get() == arrives


async def test_muted_proxy_forwards_requests_and_holds_responses_back() -> None:
    async with proxied_server() as (_, proxy), client(proxy) as (reader, writer):
        proxy.on_sending(b"two", proxy.mute)
        writer.write(b"one two")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(100)
        proxy.restore()
        assert await reader.read(100) == b"ONE TWO"


@pytest.mark.parametrize("stays", [True, False])
async def test_client_that_connects_during_a_cut_gets_through_if_it_is_still_there(
    stays: bool,
) -> None:
    async with proxied_server() as (server, proxy):
        proxy.cut()
        async with client(proxy) as (reader, writer):
            writer.write(b"one")
            await asyncio.sleep(0.05)
            if not stays:
                writer.close()
                await asyncio.sleep(0.05)
            proxy.restore()
            if stays:
                assert await reader.read(100) == b"ONE"
            else:
                assert await reader.read(100) == b""
        assert server.received.empty() or stays


async def test_reset_closes_connections_and_accepts_none_until_restored() -> None:
    async with proxied_server() as (_, proxy), client(proxy) as (reader, writer):
        writer.write(b"one")
        assert await reader.read(100) == b"ONE"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read(100)
        with pytest.raises(ConnectionResetError):
            async with client(proxy) as (refused, _):
                await refused.read(100)
        proxy.restore()
        async with client(proxy) as (again, more):
            more.write(b"two")
            assert await again.read(100) == b"TWO"
