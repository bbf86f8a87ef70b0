"""The web client connects to the public web only."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import httpx
import pytest

from bot.tools.web.fetch import MAX_URL_CHARACTERS, WebClient
from tests.unit.tools.fake_transports import PUBLIC, RecordingTransport, refusal_reason
from tests.unit.tools.site import HERE, answer, resolving, site, web_client_of

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
    "http://example.com/" + "a" * MAX_URL_CHARACTERS: "longer than",
}


@pytest.mark.parametrize(("address", "said"), REFUSED.items())
async def test_web_client_never_connects_outside_the_public_web(address: str, said: str) -> None:
    transport = RecordingTransport()
    web = WebClient(resolve=resolving(NAMES), connect=lambda: transport)

    assert said in await refusal_reason(web, address)
    assert transport.requests == []


@pytest.mark.parametrize(
    "address", [a for a in REFUSED if ":" in a and "\r" not in a and ":///p" not in a]
)
async def test_web_client_checks_the_target_of_a_redirect(address: str) -> None:
    transport = RecordingTransport(httpx.Response(302, headers={b"location": address.encode()}))
    web = WebClient(resolve=resolving(NAMES), connect=lambda: transport)
    said = await refusal_reason(web, "https://example.com/")

    assert [request.url.host for request in transport.requests] == [PUBLIC]
    assert "redirects" not in said


async def test_web_client_does_not_resolve_an_address() -> None:
    transport = RecordingTransport()
    web = WebClient(resolve=resolving({}), connect=lambda: transport)
    await web.fetch("http://[2606:4700::1111]/a")

    assert str(transport.requests[0].url) == "http://[2606:4700::1111]/a"
    assert transport.requests[0].headers["host"] == "[2606:4700::1111]"


async def test_web_client_connects_to_the_checked_address() -> None:
    answers = iter([[PUBLIC], [HERE]])  # a name that changes its mind

    async def resolve(host: str) -> Sequence[str]:
        return next(answers)

    transport = RecordingTransport()
    web = WebClient(resolve=resolve, connect=lambda: transport)
    page = await web.fetch("https://rebinding.com/x?y")

    request = transport.requests[0]
    assert str(request.url) == f"https://{PUBLIC}/x?y"
    assert request.headers["host"] == "rebinding.com"
    assert request.extensions["sni_hostname"] == "rebinding.com"
    assert page.url == "https://rebinding.com/x?y"
    assert await refusal_reason(web, "https://rebinding.com/x?y") == NO_HOST
    assert len(transport.requests) == 1


async def test_web_client_tries_the_next_address() -> None:
    six = "2606:4700::1111"
    transport = RecordingTransport(refusing=[six])
    web = WebClient(resolve=resolving({"example.com": [six, PUBLIC]}), connect=lambda: transport)
    page = await web.fetch("http://example.com/")

    assert [str(request.url) for request in transport.requests] == [
        f"http://[{six}]/",
        f"http://{PUBLIC}/",
    ]
    assert page.body == b"hello"


async def test_web_client_reports_an_unreachable_server() -> None:
    addresses = [f"1.1.1.{n}" for n in range(9)]
    transport = RecordingTransport(refusing=addresses)
    web = WebClient(resolve=resolving({"example.com": addresses}), connect=lambda: transport)

    assert await refusal_reason(web, "http://example.com/") == "The page's server can't be reached."
    assert len(transport.requests) == 3


async def test_web_client_ignores_proxies_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with site({"/": answer("direct")}) as there:
        assert (await web_client_of(there).fetch(there.url())).body == b"direct"


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


async def test_web_client_requires_the_certificate_of_the_name(certificate: Path) -> None:
    asked: list[str | None] = []
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    server.sni_callback = lambda connection, name, context: asked.append(name)
    trusting = ssl.create_default_context(cafile=certificate)
    async with site({"/": answer("safe")}, tls=server) as there:
        web = WebClient(
            resolve=resolving({"example.com": [HERE], "other.org": [HERE]}),
            connect=lambda: httpx.AsyncHTTPTransport(verify=trusting),
            may_reach=lambda address: address == HERE,
            ports={there.port},
        )
        page = await web.fetch(there.url(scheme="https"))
        said = await refusal_reason(web, there.url(scheme="https", host="other.org"))
        untrusted = await refusal_reason(web_client_of(there), there.url(scheme="https"))

    assert page.body == b"safe"
    assert said == untrusted == "The page's server can't be reached."
    assert asked == ["example.com", "other.org", "example.com"]
    assert len(there.requests) == 1
