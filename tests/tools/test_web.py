"""Pages come from the public web and from nowhere else, in bounded time and size."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from shutil import which

import httpx
import pytest

from bot.errors import ToolError
from bot.tools.web import MAX_ADDRESS, MAX_BYTES, MAX_REDIRECTS, SECONDS, Web
from tests.delivery import virtual
from tests.tools.site import HERE, answer, redirect, resolving, site, web_of

PUBLIC = "93.184.215.14"


class Wire(httpx.AsyncBaseTransport):
    """Stands where connections are made; keeps the requests and answers them all alike."""

    def __init__(self, response: httpx.Response | None = None, *, refusing: Sequence[str] = ()):
        self.response = response or httpx.Response(200, text="hello")
        self.refusing = refusing
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.host in self.refusing:
            raise httpx.ConnectError("refused")
        return httpx.Response(
            self.response.status_code,
            headers=self.response.headers,
            stream=httpx.ByteStream(self.response.content),
        )


async def refused(web: Web, address: str) -> str:
    """Why a page is not read."""
    with pytest.raises(ToolError) as raised:
        await web.get(address)
    return str(raised.value)


async def test_a_page_is_read() -> None:
    found = answer("héllo", media_type="text/plain; charset=UTF-8")
    async with site({"/a?b=c": found}) as there:
        page = await web_of(there).get(there.url("/a?b=c#d"))

    assert (page.body.decode(), page.media_type, page.charset) == ("héllo", "text/plain", "utf-8")
    assert page.whole
    assert page.url == there.url("/a?b=c")


async def test_the_request_says_little_and_names_the_host() -> None:
    async with site({"/": answer()}) as there:
        await web_of(there).get(there.url())

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


NO_HOST = "There is no such host on the public web."
NAMES = {
    "example.com": [PUBLIC],
    "inside.com": ["10.0.0.5"],
    "loop.com": ["127.0.0.1"],
    "loop6.com": ["::1"],
    "mapped.com": ["::ffff:127.0.0.1"],
    "mixed.com": [PUBLIC, "192.168.0.1"],
    "metadata.com": ["169.254.169.254"],
    "any.com": ["0.0.0.0"],
    "empty.com": [],
}
REFUSED = {
    "http://127.0.0.1/": NO_HOST,
    "http://127.1/": NO_HOST,
    "http://2130706433/": NO_HOST,
    "http://0x7f000001/": NO_HOST,
    "http://0x7f.0.0.1/": NO_HOST,
    "http://0177.0.0.1/": "This is not a valid address.",
    "http://017700000001/": NO_HOST,
    "http://0/": NO_HOST,
    "http://0.0.0.0/": NO_HOST,
    "http://127.0.0.1./": NO_HOST,
    "http://\uff11\uff12\uff17.0.0.1/": "This is not a valid address.",
    "http://169.254.169.254/latest/meta-data/": NO_HOST,
    "http://metadata.google.internal/": NO_HOST,
    "http://168.63.129.16/": NO_HOST,
    "http://10.0.0.1/": NO_HOST,
    "http://[::1]/": NO_HOST,
    "http://[::]/": NO_HOST,
    "http://[::ffff:127.0.0.1]/": NO_HOST,
    "http://[::ffff:7f00:1]/": NO_HOST,
    "http://[64:ff9b::7f00:1]/": NO_HOST,
    "http://[2002:7f00:1::]/": NO_HOST,
    "http://[fe80::1]/": NO_HOST,
    "http://[fe80::1%25eth0]/": NO_HOST,
    "http://[fd00:ec2::254]/": NO_HOST,
    "http://localhost/": NO_HOST,
    "http://localhost./": NO_HOST,
    "http://LOCALHOST:80/": NO_HOST,
    "http://printer.local/": NO_HOST,
    "http://intranet/": NO_HOST,
    "http://inside.com/": NO_HOST,
    "http://loop.com/": NO_HOST,
    "http://loop6.com/": NO_HOST,
    "http://mapped.com/": NO_HOST,
    "http://mixed.com/": NO_HOST,
    "http://metadata.com/": NO_HOST,
    "http://any.com/": NO_HOST,
    "http://empty.com/": NO_HOST,
    "http://unknown.com/": NO_HOST,
    "http://127。0。0。1/": NO_HOST,
    "http://ex%41mple.com/": NO_HOST,
    "http://example.com:8080/": "Only pages on the usual ports",
    "http://example.com:22/": "Only pages on the usual ports",
    "http://example.com:0/": "Only pages on the usual ports",
    "http://example.com:99999/": "Only pages on the usual ports",
    "http://user@example.com/": "user name or password",
    "http://user:secret@example.com/": "user name or password",
    "http://example.com@127.0.0.1/": "user name or password",
    "http://127.0.0.1\\@example.com/": "user name or password",
    "file:///etc/passwd": "Only http:// and https://",
    "ftp://example.com/": "Only http:// and https://",
    "gopher://example.com/": "Only http:// and https://",
    "javascript:alert(1)": "Only http:// and https://",
    "example.com": "Only http:// and https://",
    "//example.com/": "Only http:// and https://",
    "http:///path": "Only http:// and https://",
    "": "Only http:// and https://",
    "http://example.com/\r\nX: y": "This is not a valid address.",
    "http://[::1": "This is not a valid address.",
    "http://example.com/" + "a" * MAX_ADDRESS: "longer than",
}


@pytest.mark.parametrize(("address", "said"), REFUSED.items())
async def test_what_is_not_the_public_web_is_never_connected_to(address: str, said: str) -> None:
    wire = Wire()
    web = Web(resolve=resolving(NAMES), connect=lambda: wire)

    assert said in await refused(web, address)
    assert wire.requests == []


@pytest.mark.parametrize(
    "address", [a for a in REFUSED if ":" in a and "\r" not in a and ":///p" not in a]
)
async def test_a_redirect_leads_nowhere_that_could_not_be_asked_for(address: str) -> None:
    wire = Wire(httpx.Response(302, headers={b"location": address.encode()}))
    web = Web(resolve=resolving(NAMES), connect=lambda: wire)
    said = await refused(web, "https://example.com/")

    assert [request.url.host for request in wire.requests] == [PUBLIC]
    assert "redirects" not in said


async def test_an_address_in_place_of_a_name_is_asked_without_looking_it_up() -> None:
    wire = Wire()
    web = Web(resolve=resolving({}), connect=lambda: wire)
    await web.get("http://[2606:4700::1111]/a")

    assert str(wire.requests[0].url) == "http://[2606:4700::1111]/a"
    assert wire.requests[0].headers["host"] == "[2606:4700::1111]"


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    answers = iter([[PUBLIC], [HERE]])  # a name that changes its mind

    async def resolve(host: str) -> Sequence[str]:
        return next(answers)

    wire = Wire()
    web = Web(resolve=resolve, connect=lambda: wire)
    page = await web.get("https://rebinding.com/x?y")

    request = wire.requests[0]
    assert str(request.url) == f"https://{PUBLIC}/x?y"
    assert request.headers["host"] == "rebinding.com"
    assert request.extensions["sni_hostname"] == "rebinding.com"
    assert page.url == "https://rebinding.com/x?y"
    assert await refused(web, "https://rebinding.com/x?y") == NO_HOST
    assert len(wire.requests) == 1


async def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    six = "2606:4700::1111"
    wire = Wire(refusing=[six])
    web = Web(resolve=resolving({"example.com": [six, PUBLIC]}), connect=lambda: wire)
    page = await web.get("http://example.com/")

    assert [str(request.url) for request in wire.requests] == [
        f"http://[{six}]/",
        f"http://{PUBLIC}/",
    ]
    assert page.body == b"hello"


async def test_a_server_that_does_not_answer_is_said_to_be_out_of_reach() -> None:
    addresses = [f"1.1.1.{n}" for n in range(9)]
    wire = Wire(refusing=addresses)
    web = Web(resolve=resolving({"example.com": addresses}), connect=lambda: wire)

    assert await refused(web, "http://example.com/") == "The page's server can't be reached."
    assert len(wire.requests) == 3


async def test_redirects_are_followed_without_cookies_or_referrer() -> None:
    async with site({}) as there:
        there.answers = {
            "/a/": answer(status="301 Moved", location="b", set_cookie="id=1"),
            "/a/b": redirect("/c#d", "307 Temporary Redirect"),
            "/c": redirect(there.url("/end", host="other.org"), "308 Permanent Redirect"),
            "/end": answer("there"),
        }
        page = await web_of(there, "example.com", "other.org").get(there.url("/a/"))

    assert page.body == b"there"
    assert page.url == there.url("/end", host="other.org")
    assert len(there.requests) == 4
    assert f"host: other.org:{there.port}" in there.requests[-1].lower()
    assert "cookie" not in "".join(there.requests).lower()


async def test_redirects_come_to_an_end() -> None:
    async with site({"/": redirect("/")}) as there:
        said = await refused(web_of(there), there.url())

    assert said == "The page redirects more than 5 times."
    assert len(there.requests) == MAX_REDIRECTS + 1


async def test_a_redirect_to_nonsense_is_told() -> None:
    async with site({"/": redirect("http://[::1")}) as there:
        assert "something unreadable" in await refused(web_of(there), there.url())


async def test_an_answer_that_is_not_the_page_is_told() -> None:
    async with site({"/": answer("secret detail", status="404 Ask my boss")}) as there:
        assert await refused(web_of(there), there.url()) == (
            "The page's server answered 404 Not Found."
        )


async def test_a_page_that_is_too_long_is_read_in_part() -> None:
    async with site({"/": answer(b"x" * (MAX_BYTES + 1)), "/fits": answer(b"x" * MAX_BYTES)}) as s:
        long = await web_of(s).get(s.url())
        fits = await web_of(s).get(s.url("/fits"))

    assert (len(long.body), long.whole) == (MAX_BYTES, False)
    assert (len(fits.body), fits.whole) == (MAX_BYTES, True)


async def test_a_page_without_end_is_read_in_part() -> None:
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
        page = await web_of(there).get(there.url())
        async with asyncio.timeout(5):
            await gone.wait()

    assert (len(page.body), page.whole) == (MAX_BYTES, False)


async def test_a_compressed_page_is_unpacked() -> None:
    packed = gzip.compress("héllo".encode() * 1000)
    async with site({"/": answer(packed, content_encoding="gzip")}) as there:
        page = await web_of(there).get(there.url())

    assert page.body.decode() == "héllo" * 1000
    assert page.whole


async def test_a_page_that_unpacks_to_too_much_is_never_unpacked_whole() -> None:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packing.compress(bytes(2**20)) for _ in range(60)) + packing.flush()
    async with site({"/": answer(bomb, content_encoding="gzip")}) as there:
        tracemalloc.start()
        page = await web_of(there).get(there.url())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert (len(page.body), page.whole) == (MAX_BYTES, False)
    assert peak < 8 * MAX_BYTES


async def test_a_compressed_page_that_unpacks_to_nothing_is_bounded_too() -> None:
    nothing = b"\x1f\x8b\x08" + bytes(7) + b"\x00\x00\x00\xff\xff" * (MAX_BYTES // 4)
    async with site({"/": answer(nothing, content_encoding="gzip")}) as there:
        page = await web_of(there).get(there.url())

    assert (page.body, page.whole) == (b"", False)


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
async def test_what_is_no_page_is_told(sent: bytes, said: str) -> None:
    async with site({"/": sent}) as there:
        assert said in await refused(web_of(there), there.url())


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with site({"/": answer("direct")}) as there:
        assert (await web_of(there).get(there.url())).body == b"direct"


class Slow(httpx.AsyncBaseTransport, httpx.AsyncByteStream):
    """A server that is always just about to go on; `seconds` between two bytes."""

    def __init__(self, seconds: float, *, headers_after: float = 0) -> None:
        self.seconds = seconds
        self.headers_after = headers_after
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.headers_after)
        return httpx.Response(200, stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self.seconds)
            yield b"x"

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("slow", [Slow(0.5), Slow(0, headers_after=1000)], ids=["drips", "waits"])
def test_a_slow_page_is_given_up_in_time(slow: Slow) -> None:
    async def scenario() -> tuple[str, float]:
        web = Web(resolve=resolving({"example.com": [PUBLIC]}), connect=lambda: slow)
        return await refused(web, "http://example.com/"), virtual.now()

    said, at = virtual.run(scenario())

    assert said == "The page did not come in time."
    assert at == pytest.approx(SECONDS, abs=0.1)
    assert slow.closed


def test_a_slow_resolver_is_given_up_in_time() -> None:
    async def resolve(host: str) -> Sequence[str]:
        await asyncio.sleep(1000)
        return [PUBLIC]

    async def scenario() -> tuple[str, float]:
        return await refused(Web(resolve=resolve), "http://example.com/"), virtual.now()

    assert virtual.run(scenario()) == ("The page did not come in time.", SECONDS)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of example.com with its key."""
    if not which("openssl"):
        pytest.skip("there is no openssl to make a certificate with")
    file = tmp_path_factory.mktemp("tls") / "example.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = "-subj /CN=example.com -addext subjectAltName=DNS:example.com"
    files = ["-keyout", str(file), "-out", str(file.with_suffix(".crt"))]
    subprocess.run(
        ["openssl", *made.split(), *names.split(), *files], check=True, capture_output=True
    )
    with file.open("a") as both:
        both.write(file.with_suffix(".crt").read_text())
    return file


async def test_the_certificate_must_be_that_of_the_name(certificate: Path) -> None:
    asked: list[str | None] = []
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    server.sni_callback = lambda connection, name, context: asked.append(name)
    trusting = ssl.create_default_context(cafile=certificate)
    async with site({"/": answer("safe")}, tls=server) as there:
        web = Web(
            resolve=resolving({"example.com": [HERE], "other.org": [HERE]}),
            connect=lambda: httpx.AsyncHTTPTransport(verify=trusting),
            may_reach=lambda address: address == HERE,
            ports={there.port},
        )
        page = await web.get(there.url(scheme="https"))
        said = await refused(web, there.url(scheme="https", host="other.org"))
        untrusted = await refused(web_of(there), there.url(scheme="https"))

    assert page.body == b"safe"
    assert said == untrusted == "The page's server can't be reached."
    assert asked == ["example.com", "other.org", "example.com"]
    assert len(there.requests) == 1
