"""The web client reads a page in bounded time and size, or reports why not."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Sequence

import pytest

from bot.tools.web.fetch import FETCH_TIMEOUT_SECONDS, MAX_PAGE_BYTES, MAX_REDIRECTS, WebClient
from tests.support import virtual_time as virtual
from tests.unit.tools.fake_transports import PUBLIC, SlowTransport, refusal_reason
from tests.unit.tools.site import answer, redirect, resolving, site, web_client_of


async def test_web_client_reads_a_page() -> None:
    found = answer("héllo", media_type="text/plain; charset=UTF-8")
    async with site({"/a?b=c": found}) as there:
        page = await web_client_of(there).fetch(there.url("/a?b=c#d"))

    assert (page.body.decode(), page.media_type, page.charset) == ("héllo", "text/plain", "utf-8")
    assert page.is_complete
    assert page.url == there.url("/a?b=c")


async def test_web_client_request_has_few_headers_and_the_host() -> None:
    async with site({"/": answer()}) as there:
        await web_client_of(there).fetch(there.url())

    line, *headers = there.requests[0].strip().lower().split("\r\n")
    assert line == "get / http/1.1"
    assert sorted(header.partition(": ")[0] for header in headers) == [
        "accept",
        "accept-encoding",
        "connection",
        "host",
        "user-agent",
    ]
    assert f"host: example.com:{there.port}" in headers
    assert "accept-encoding: gzip" in headers


async def test_web_client_follows_redirects_without_cookies_or_referrer() -> None:
    async with site({}) as there:
        there.answers = {
            "/a/": answer(status="301 Moved", location="b", set_cookie="id=1"),
            "/a/b": redirect("/c#d", "307 Temporary Redirect"),
            "/c": redirect(there.url("/end", host="other.org"), "308 Permanent Redirect"),
            "/end": answer("there"),
        }
        page = await web_client_of(there, "example.com", "other.org").fetch(there.url("/a/"))

    assert page.body == b"there"
    assert page.url == there.url("/end", host="other.org")
    assert len(there.requests) == 4
    assert f"host: other.org:{there.port}" in there.requests[-1].lower()
    assert "cookie" not in "".join(there.requests).lower()


async def test_web_client_bounds_redirects() -> None:
    async with site({"/": redirect("/")}) as there:
        said = await refusal_reason(web_client_of(there), there.url())

    assert said == "The page redirects more than 5 times."
    assert len(there.requests) == MAX_REDIRECTS + 1


async def test_web_client_reports_a_redirect_to_an_invalid_address() -> None:
    async with site({"/": redirect("http://[::1")}) as there:
        assert "something unreadable" in await refusal_reason(web_client_of(there), there.url())


async def test_web_client_reports_other_statuses() -> None:
    async with site({"/": answer("secret detail", status="404 Ask my boss")}) as there:
        assert await refusal_reason(web_client_of(there), there.url()) == (
            "The page's server answered 404 Not Found."
        )


async def test_web_client_cuts_a_long_page() -> None:
    async with site(
        {"/": answer(b"x" * (MAX_PAGE_BYTES + 1)), "/fits": answer(b"x" * MAX_PAGE_BYTES)}
    ) as s:
        long = await web_client_of(s).fetch(s.url())
        fits = await web_client_of(s).fetch(s.url("/fits"))

    assert (len(long.body), long.is_complete) == (MAX_PAGE_BYTES, False)
    assert (len(fits.body), fits.is_complete) == (MAX_PAGE_BYTES, True)


async def test_web_client_cuts_an_endless_page() -> None:
    gone = asyncio.Event()

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            gone.set()

    async with site({"/": endless}) as there:
        page = await web_client_of(there).fetch(there.url())
        async with asyncio.timeout(5):
            await gone.wait()

    assert (len(page.body), page.is_complete) == (MAX_PAGE_BYTES, False)


async def test_web_client_decompresses_a_page() -> None:
    packed = gzip.compress("héllo".encode() * 1000)
    async with site({"/": answer(packed, content_encoding="gzip")}) as there:
        page = await web_client_of(there).fetch(there.url())

    assert page.body.decode() == "héllo" * 1000
    assert page.is_complete


async def test_web_client_never_decompresses_more_than_its_bound() -> None:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packing.compress(bytes(2**20)) for _ in range(60)) + packing.flush()
    async with site({"/": answer(bomb, content_encoding="gzip")}) as there:
        tracemalloc.start()
        page = await web_client_of(there).fetch(there.url())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert (len(page.body), page.is_complete) == (MAX_PAGE_BYTES, False)
    assert peak < 8 * MAX_PAGE_BYTES


async def test_web_client_bounds_compressed_bytes_too() -> None:
    nothing = b"\x1f\x8b\x08" + bytes(7) + b"\x00\x00\x00\xff\xff" * (MAX_PAGE_BYTES // 4)
    async with site({"/": answer(nothing, content_encoding="gzip")}) as there:
        page = await web_client_of(there).fetch(there.url())

    assert (page.body, page.is_complete) == (b"", False)


@pytest.mark.parametrize(
    ("sent", "said"),
    {
        "another compression": (answer(b"x", content_encoding="br"), "not asked for"),
        "broken compression": (answer(b"x" * 99, content_encoding="gzip"), "unreadable"),
        "cut": (answer(b"x" * 99)[:-9], "broke off"),
        "no answer": (b"", "broke off"),
        "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "broke off"),
        "endless headers": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, "broke off"),
    }.values(),
)
async def test_web_client_reports_what_is_no_page(sent: bytes, said: str) -> None:
    async with site({"/": sent}) as there:
        assert said in await refusal_reason(web_client_of(there), there.url())


@pytest.mark.parametrize(
    "slow", [SlowTransport(0.5), SlowTransport(0, headers_after=1000)], ids=["drips", "waits"]
)
def test_web_client_gives_up_on_a_slow_page(slow: SlowTransport) -> None:
    async def scenario() -> tuple[str, float]:
        web = WebClient(resolve=resolving({"example.com": [PUBLIC]}), connect=lambda: slow)
        return await refusal_reason(web, "http://example.com/"), virtual.now()

    said, at = virtual.run(scenario())

    assert said == "The page did not come in time."
    assert at == pytest.approx(FETCH_TIMEOUT_SECONDS, abs=0.1)
    assert slow.closed


def test_web_client_gives_up_on_a_slow_resolver() -> None:
    async def resolve(host: str) -> Sequence[str]:
        await asyncio.sleep(1000)
        return [PUBLIC]

    async def scenario() -> tuple[str, float]:
        return await refusal_reason(
            WebClient(resolve=resolve), "http://example.com/"
        ), virtual.now()

    assert virtual.run(scenario()) == ("The page did not come in time.", FETCH_TIMEOUT_SECONDS)
