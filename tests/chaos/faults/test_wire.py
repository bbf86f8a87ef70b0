"""The wire does to connections what a network that is cut does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.faults.wire import Wire, reset, wire


class Server:
    """Remembers what each connection brought, once it has ended."""

    def __init__(self) -> None:
        self.brought: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        brought = b""
        try:
            while data := await reader.read(100):
                brought += data
                writer.write(data.upper())
        except ConnectionResetError:
            brought += b" reset"
        writer.close()
        self.brought.put_nowait(brought)


@asynccontextmanager
async def line() -> AsyncIterator[tuple[Server, Wire]]:
    server = Server()
    listening = await asyncio.start_server(server.hear, "127.0.0.1", 0)
    async with listening, wire(listening.sockets[0].getsockname()[1]) as between:
        yield server, between


@asynccontextmanager
async def client(between: Wire) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", between.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(("resets", "arrives"), [(False, b"one two"), (True, b"one reset")])
async def test_what_was_sent_and_given_up_arrives_late_unless_it_was_reset(
    resets: bool, arrives: bytes
) -> None:
    async with line() as (server, between), client(between) as (reader, writer):
        writer.write(b"one")
        assert await reader.read(100) == b"ONE"
        between.cut()
        writer.write(b" two")
        await asyncio.sleep(0.05)
        if resets:
            reset(writer)
        writer.close()
        await asyncio.sleep(0.05)
        assert server.brought.empty()
        between.heal()
        assert await server.brought.get() == arrives


async def test_a_muted_wire_brings_everything_there_and_nothing_back() -> None:
    async with line() as (_, between), client(between) as (reader, writer):
        between.at(b"two", between.mute)
        writer.write(b"one two")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(100)
        between.heal()
        assert await reader.read(100) == b"ONE TWO"


@pytest.mark.parametrize("stays", [True, False])
async def test_who_connects_meanwhile_gets_through_if_they_are_still_there(stays: bool) -> None:
    async with line() as (server, between):
        between.cut()
        async with client(between) as (reader, writer):
            writer.write(b"one")
            await asyncio.sleep(0.05)
            if not stays:
                writer.close()
                await asyncio.sleep(0.05)
            between.heal()
            if stays:
                assert await reader.read(100) == b"ONE"
            else:
                assert await reader.read(100) == b""
        assert server.brought.empty() or stays


async def test_a_reset_breaks_off_what_stands_and_takes_nothing_until_it_heals() -> None:
    async with line() as (_, between), client(between) as (reader, writer):
        writer.write(b"one")
        assert await reader.read(100) == b"ONE"
        between.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read(100)
        with pytest.raises(ConnectionResetError):
            async with client(between) as (refused, _):
                await refused.read(100)
        between.heal()
        async with client(between) as (again, more):
            more.write(b"two")
            assert await again.read(100) == b"TWO"
