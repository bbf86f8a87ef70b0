"""Connections that say nothing, too little, or too slowly. Real sockets; only their times are
short."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.server.connections import ConnectionLimits
from tests.unit.server.server_setup import (
    MentionRecorder,
    SlackCaller,
    mention,
    running_server,
    signature,
)

SHORT = ConnectionLimits(max_connections=4, head_seconds=0.3, body_seconds=0.3, total_seconds=1.0)
PATIENT = ConnectionLimits(max_connections=4, head_seconds=30, body_seconds=30, total_seconds=30)
WAIT = 5.0  # seconds in which a cut must have come


@asynccontextmanager
async def socket(
    caller: SlackCaller,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(caller.base.rsplit(":", 1)[1]))
    try:
        yield reader, writer
    finally:
        writer.close()


async def all_that_comes(reader: asyncio.StreamReader) -> bytes:
    """What is read until the other end closes. Raises TimeoutError if it does not."""
    async with asyncio.timeout(WAIT):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


HEAD = b"POST /slack/events HTTP/1.1\r\nHost: x\r\n"


def head_of(body: bytes) -> bytes:
    signed = "".join(f"{name}: {value}\r\n" for name, value in signature(body).items())
    return HEAD + signed.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode()


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="silent"),
        pytest.param(b"G", id="one byte"),
        pytest.param(HEAD, id="half a head"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", id="idle after an answer"),
        pytest.param(head_of(mention())[:-2], id="a head without its end"),
    ],
)
async def test_connection_without_a_request_is_closed(begun: bytes) -> None:
    async with (
        running_server(MentionRecorder(), {}, SHORT) as caller,
        socket(caller) as (reader, writer),
    ):
        writer.write(begun)
        await all_that_comes(reader)


async def test_connection_with_a_slow_head_is_closed() -> None:
    async with (
        running_server(MentionRecorder(), {}, SHORT) as caller,
        socket(caller) as (reader, writer),
    ):
        writer.write(HEAD)
        reading = asyncio.create_task(all_that_comes(reader))
        while not reading.done():
            writer.write(b"X-A: b\r\n")
            await asyncio.wait({reading}, timeout=0.05)
        await reading


@pytest.mark.parametrize("trickles", [False, True])
async def test_request_with_a_slow_body_is_refused(trickles: bool) -> None:
    recorder = MentionRecorder()
    async with running_server(recorder, {}, SHORT) as caller, socket(caller) as (reader, writer):
        writer.write(head_of(mention()))
        reading = asyncio.create_task(all_that_comes(reader))
        while not reading.done():
            if trickles:
                writer.write(b"{")
            await asyncio.wait({reading}, timeout=0.05)
        assert (await reading).startswith(b"HTTP/1.1 408 ")
    assert recorder.mentions == []


async def test_connection_that_never_reads_its_response_is_aborted() -> None:
    async with (
        running_server(MentionRecorder(), {}, SHORT) as caller,
        socket(caller) as (reader, writer),
    ):
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 5000)
        async with asyncio.timeout(WAIT):
            try:
                await writer.drain()
                while not writer.is_closing() and not reader.at_eof():
                    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                    await writer.drain()
                    await asyncio.sleep(0)
            except ConnectionError:
                pass


async def test_connection_replaces_a_silent_one_at_the_limit() -> None:
    async with running_server(MentionRecorder(), {}, PATIENT) as caller:
        silent = [await asyncio.open_connection("127.0.0.1", _port(caller)) for _ in range(12)]
        assert (await caller.get("/healthz"))[0] == 200
        ends = [asyncio.create_task(all_that_comes(reader)) for reader, _ in silent[:8]]
        await asyncio.gather(*ends)  # the oldest are closed
        assert not silent[-1][0].at_eof()
        for _, writer in silent:
            writer.close()


@pytest.mark.parametrize("stamped", [True, False])
async def test_connection_replaces_one_with_a_missing_body_at_the_limit(stamped: bool) -> None:
    recorder = MentionRecorder()
    begun = head_of(mention()) if stamped else HEAD + b"Content-Length: 9\r\n\r\n"
    async with running_server(recorder, {}, PATIENT) as caller:
        slow = [await asyncio.open_connection("127.0.0.1", _port(caller)) for _ in range(12)]
        for _, writer in slow:
            writer.write(begun)
        await asyncio.gather(*(all_that_comes(reader) for reader, _ in slow[:8]))
        assert (await caller.post(mention("quick")))[0] == 200
        for _, writer in slow:
            writer.close()
    assert recorder.mentions == ["quick"]


async def test_connection_above_the_limit_is_closed_if_all_others_are_busy() -> None:
    recorder = MentionRecorder()
    recorder.may_finish.clear()
    async with running_server(recorder, {}, PATIENT) as caller:
        body = mention("slow")
        at_work = [await asyncio.open_connection("127.0.0.1", _port(caller)) for _ in range(4)]
        for _, writer in at_work:
            writer.write(head_of(body) + body)
        for _ in at_work:
            await recorder.received.get()
        async with socket(caller) as (reader, _):
            assert await all_that_comes(reader) == b""
        recorder.may_finish.set()
        for reader, writer in at_work:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            writer.close()
    assert recorder.mentions == ["slow"] * 4


async def test_connection_with_a_slow_health_check_counts_as_busy() -> None:
    asked, well = asyncio.Queue[None](), asyncio.Event()

    async def slow() -> bool:
        asked.put_nowait(None)
        return await well.wait()

    async with running_server(MentionRecorder(), {"slow": slow}, PATIENT) as caller:
        asking = [await asyncio.open_connection("127.0.0.1", _port(caller)) for _ in range(4)]
        for _, writer in asking:
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            await asked.get()
        async with socket(caller) as (reader, _):
            assert await all_that_comes(reader) == b""
        well.set()
        for reader, writer in asking:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            writer.close()


async def test_connection_that_starts_a_request_is_the_last_to_be_replaced() -> None:
    recorder = MentionRecorder()
    async with running_server(recorder, {}, PATIENT) as caller, socket(caller) as (reader, writer):
        others = [await asyncio.open_connection("127.0.0.1", _port(caller)) for _ in range(3)]
        body = mention()
        writer.write(head_of(body).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        late = [await asyncio.open_connection("127.0.0.1", _port(caller)) for _ in range(3)]
        await asyncio.gather(*(all_that_comes(reader) for reader, _ in others))
        writer.write(body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        for _, other in [*others, *late]:
            other.close()
    assert recorder.mentions == ["hello"]


def chunked(body: bytes, size: int) -> bytes:
    head = head_of(body).replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked")
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    return head + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [64, 1000, 100_000])
async def test_request_with_a_chunked_body_is_accepted(size: int) -> None:
    recorder = MentionRecorder()
    async with running_server(recorder, {}, PATIENT) as caller, socket(caller) as (reader, writer):
        writer.write(chunked(mention("a" * 300_000), size))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    assert recorder.mentions == ["a" * 300_000]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"1\r\na\r\n" * 500_000 + b"0\r\n\r\n", id="tiny chunks"),
        pytest.param(b"1;" + b"a" * 3_000_000 + b"\r\na\r\n0\r\n\r\n", id="a long extension"),
        pytest.param(b"1;a=b\r\na\r\n" * 200_000 + b"0\r\n\r\n", id="many extensions"),
    ],
)
@pytest.mark.parametrize("stamp", [b"", b"X-Slack-Request-Timestamp: %d\r\n"])
async def test_request_with_too_much_chunk_overhead_is_aborted(
    body: bytes, stamp: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    now = signature(b"")["X-Slack-Request-Timestamp"].encode()
    head = HEAD + stamp.replace(b"%d", now) + b"Transfer-Encoding: chunked\r\n\r\n"
    async with (
        running_server(MentionRecorder(), {}, PATIENT) as caller,
        socket(caller) as (reader, writer),
    ):
        caplog.clear()  # of what Bolt says when it is made
        writer.write(head + body)
        await all_that_comes(reader)
        with pytest.raises(ConnectionError):
            await writer.drain()
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []


@pytest.mark.parametrize("sent", [0, 1, 7])
@pytest.mark.parametrize("chunks", [False, True])
async def test_connection_reset_by_the_client_logs_no_error(
    sent: int, chunks: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = mention("a" * 1000)
    whole = chunked(body, 10) if chunks else head_of(body) + body
    recorder = MentionRecorder()
    async with running_server(recorder, {}, PATIENT) as caller:
        caplog.clear()  # of what Bolt says when it is made
        for cut in range(whole.index(b"\r\n\r\n") + 4, len(whole), 97):
            async with socket(caller) as (_, writer):
                writer.write(whole[: cut - sent])
                await asyncio.sleep(0)
                writer.write(whole[cut - sent : cut])
                writer.transport.abort()
        assert (await caller.get("/healthz"))[0] == 200
    assert recorder.mentions == []
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []


async def test_connection_serves_several_requests() -> None:
    recorder = MentionRecorder()
    async with running_server(recorder, {}, PATIENT) as caller, socket(caller) as (reader, writer):
        for n in range(3):
            body = mention(str(n))
            writer.write(head_of(body) + body)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    assert recorder.mentions == ["0", "1", "2"]


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\r\n\r\n", id="TLS"),
        pytest.param(b"hello\r\n\r\n", id="no HTTP"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", id="another version"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nbad header\r\n\r\n", id="a bad header"),
        pytest.param(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", id="a long address"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="a bad chunk before the stamp"
        ),
        pytest.param(
            HEAD + b"X-Slack-Request-Timestamp: %d\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            id="a bad chunk",
        ),
        pytest.param(HEAD + b"Content-Length: x\r\n\r\n", id="a bad length"),
        pytest.param(
            b"GET http://xn--" + b"a" * 50 + b"/ HTTP/1.1\r\nHost: x\r\n\r\n",
            id="a host that can't be decoded",
        ),
        pytest.param(b"CONNECT xn--a:443 HTTP/1.1\r\nHost: x\r\n\r\n", id="a wish for a proxy"),
    ],
)
async def test_malformed_http_is_answered_without_versions_and_logged_at_debug(
    junk: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stamp = signature(b"")["X-Slack-Request-Timestamp"].encode()
    async with (
        running_server(MentionRecorder(), {}, SHORT) as caller,
        socket(caller) as (reader, writer),
    ):
        caplog.clear()  # of what Bolt says when it is made
        writer.write(junk.replace(b"%d", stamp))
        answer = await all_that_comes(reader)
    assert answer.partition(b" ")[2].startswith(b"4")
    assert b"aiohttp" not in answer
    assert b"Python/" not in answer
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []


def _port(caller: SlackCaller) -> int:
    return int(caller.base.rsplit(":", 1)[1])
