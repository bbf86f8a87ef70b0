"""The client: fetching the model, and failures before the first byte."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import AsyncIterator, Callable
from inspect import isfunction

import httpx
import pytest

from bot.errors import UpstreamError, UpstreamRefused, UpstreamUnreachable
from bot.upstream.client import ModelInfo, Upstream, open_http
from bot.upstream.events import Failed
from tests.support.words import english
from tests.unit.upstream.clock import Clock
from tests.unit.upstream.fake_model_server import Cut, FakeModelServer, serving
from tests.unit.upstream.upstream_setup import PROMPT, ask, config, final_event, upstream


async def test_fetch_model_returns_the_formats_of_the_model() -> None:
    service = FakeModelServer([])
    service.model = {"id": "tiny-2", "tokenlab": {"accepted_request_formats": ["a", "b"]}}
    async with upstream(service) as asked:
        assert await asked.fetch_model() == ModelInfo("tiny-2", ("a", "b"))
        service.model = {"object": "model"}
        assert await asked.fetch_model() == ModelInfo("tiny", None)


async def test_fetch_model_error_names_the_unknown_model() -> None:
    async with upstream(FakeModelServer([])) as asked:
        with pytest.raises(UpstreamRefused) as caught:
            await asked.fetch_model()
    assert caught.value.status == 404


async def test_fetch_model_gives_up_on_a_silent_server() -> None:
    service, clock = FakeModelServer([]), Clock()
    service.model, service.model_cut = {}, Cut(0, "silence")
    async with upstream(service, clock) as asked:
        with pytest.raises(UpstreamError):
            await asked.fetch_model()
    assert 10 <= clock.time - 1000 <= 11


async def test_fetch_model_escapes_a_slash_in_the_name() -> None:
    service = FakeModelServer([])
    service.model = {}
    async with upstream(service, model="house/tiny") as asked:
        assert await asked.fetch_model() == ModelInfo("house/tiny")
    assert service.requests[0].path == "/models/house%2Ftiny"


def answering(statuses: dict[str, int]) -> httpx.MockTransport:
    """Return a transport that answers by path."""
    return httpx.MockTransport(
        lambda request: httpx.Response(statuses[request.url.path], json={"error": {"message": "?"}})
    )


@pytest.mark.parametrize(
    ("responses", "chat", "has"),
    [
        (400, 400, ("openai_responses", "openai_chat_completions")),
        (404, 422, ("openai_chat_completions",)),
        (400, 405, ("openai_responses",)),
        (501, 404, ()),
    ],
)
async def test_probe_endpoints_finds_the_formats_of_a_server(
    responses: int, chat: int, has: tuple[str, ...]
) -> None:
    transport = answering({"/v1/responses": responses, "/v1/chat/completions": chat})
    settings = config(base_url="http://model.test/v1")
    async with httpx.AsyncClient(transport=transport) as http:
        assert await Upstream(settings, http).probe_endpoints() == has


async def test_probe_endpoints_raises_for_a_refused_key() -> None:
    transport = answering({"/v1/responses": 401})
    settings = config(base_url="http://model.test/v1")
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(UpstreamRefused, match=r"\?"):
            await Upstream(settings, http).probe_endpoints()


def failing(error: Callable[[], Exception]) -> httpx.MockTransport:
    """Return a transport that never answers."""

    def handle(_request: httpx.Request) -> httpx.Response:
        raise error()

    return httpx.MockTransport(handle)


def untrusted() -> Exception:
    """Return what httpx raises for a certificate nobody vouches for."""
    error = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    return error


@pytest.mark.parametrize(
    ("error", "kind", "attempts"),
    [
        (lambda: httpx.ConnectError("All connection attempts failed"), UpstreamUnreachable, 2),
        (lambda: httpx.ConnectError("[Errno -2] Name not known"), UpstreamUnreachable, 2),
        (lambda: httpx.ConnectTimeout(""), UpstreamUnreachable, 2),
        (lambda: httpx.PoolTimeout(""), UpstreamUnreachable, 2),
        (lambda: httpx.RemoteProtocolError("Server disconnected"), UpstreamUnreachable, 2),
        (lambda: httpx.ReadError(""), UpstreamUnreachable, 2),
        (lambda: httpx.WriteError(""), UpstreamUnreachable, 2),
        (lambda: httpx.ProxyError("407"), UpstreamUnreachable, 2),
        (untrusted, UpstreamRefused, 0),
        (lambda: httpx.UnsupportedProtocol("no scheme"), UpstreamRefused, 0),
        (lambda: httpx.LocalProtocolError("Illegal header value"), UpstreamRefused, 0),
        (lambda: httpx.InvalidURL("no"), UpstreamRefused, 0),
    ],
    ids=lambda value: repr(value()) if isfunction(value) else str(value),
)
async def test_upstream_translates_failures_before_the_first_byte(
    error: Callable[[], Exception],
    kind: type[UpstreamError],
    attempts: int,
) -> None:
    clock = Clock()
    async with httpx.AsyncClient(transport=failing(error)) as http:
        asked = Upstream(config(attempts=2), http, now=clock.now, sleep=clock.sleep)
        events = [event async for event in asked.answer(PROMPT)]
    end = final_event(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, kind)
    assert len(events) == attempts + 1


BOMB = gzip.compress(b"data: {}\n\n" * 5_000_000)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP ", "deflate", "br", "zstd", "gzip, gzip"])
async def test_upstream_refuses_a_compressed_answer_unread(encoding: str) -> None:
    class Packed(httpx.AsyncByteStream):
        read = 0

        async def __aiter__(self) -> AsyncIterator[bytes]:
            self.read += 1
            yield BOMB

    packed, clock = Packed(), Clock()
    headers = {"content-encoding": encoding, "content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=packed))
    async with httpx.AsyncClient(transport=transport) as http:
        asked = Upstream(config(attempts=2), http, now=clock.now, sleep=clock.sleep)
        end = final_event([event async for event in asked.answer(PROMPT)])
        with pytest.raises(UpstreamRefused, match="content-encoding"):
            await asked.fetch_model()
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamRefused)
    assert "compresses its answers" in english(end.error.user_message)
    assert packed.read == 0


async def test_upstream_classifies_a_compressed_error_by_its_status() -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, headers={"content-encoding": "gzip"}, stream=_Bytes(BOMB))

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        with pytest.raises(UpstreamRefused) as error:
            await Upstream(config(), http).fetch_model()
    assert error.value.status == 401


async def test_upstream_reads_a_body_with_encoding_identity() -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "identity"}, json={"id": "tiny"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        assert await Upstream(config(), http).fetch_model() == ModelInfo("tiny")


class _Bytes(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body


async def refused(url: str, **settings: str) -> None:
    """Ask, and be told by us, not by the server, that the operator has to mend it."""
    made, clock = config(url, **settings), Clock()
    async with open_http(made) as http:
        asked = Upstream(made, http, now=clock.now, sleep=clock.sleep)
        events = [event async for event in asked.answer(PROMPT)]
    end = final_event(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamRefused)
    assert "address or the key" in english(end.error.user_message)
    assert len(events) == 1


@pytest.mark.parametrize(
    "url",
    ["model.test/v1", "http://", "://x", "ftp://x", "http://127.0.0.1:99999/v1", ""],
)
async def test_upstream_reports_an_invalid_address(url: str) -> None:
    await refused(url)


@pytest.mark.parametrize("key", ["sk-1\nx", "sk-é", "sk-\x00"], ids=ascii)
async def test_upstream_reports_a_key_that_cannot_be_sent(key: str) -> None:
    async with serving(FakeModelServer([])) as url:
        await refused(url, api_key=key)


async def test_config_repr_hides_the_key() -> None:
    assert "sk-secret" not in repr(config())


async def test_upstream_sends_no_key_without_one() -> None:
    service = FakeModelServer(["Yes."])
    await ask(service, api_key="")
    assert "authorization" not in service.requests[0].headers
