"""Fetches one page over HTTP from the public web, and never from a private network.

A model may be talked into asking for any address. So the host name is resolved here, all its
addresses are checked, and the connection goes to a checked address: it replaces the name in the
request's URL, while Host and TLS (server name and certificate) keep the name. A second, different
answer of the resolver changes nothing. Every redirect passes the same checks. Requests share no
state: no cookies, and no connections, which httpx would share between names with the same address.

No proxy is used, even if the environment names one: it would resolve the name itself, and might
reach private addresses. Where the web can only be reached through a proxy, this tool does not work.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import zlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

import httpx

from bot.errors import ToolError
from bot.tools.web.addresses import is_address, is_public_address, is_public_name
from bot.tools.web.resolver import Resolver

MAX_PAGE_BYTES = 2 * 2**20  # of a body, both compressed and decompressed
MAX_REDIRECTS = 5
MAX_URL_CHARACTERS = 2048
MAX_ADDRESSES_TRIED = 3  # of one host
FETCH_TIMEOUT_SECONDS = 12.0  # in all, including redirects
ALLOWED_PORTS = frozenset({80, 443})  # web pages only, no other services

_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_TIMEOUT = httpx.Timeout(FETCH_TIMEOUT_SECONDS, connect=4.0)
_HEADERS = {
    "user-agent": "bot",
    "accept": "text/html, text/markdown, text/plain, application/json;q=0.9, */*;q=0.1",
    "accept-encoding": "gzip",  # zlib can decompress it in bounded pieces
    "connection": "close",
}


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page as its server sent it. `is_complete`: the body was not cut at MAX_PAGE_BYTES."""

    url: str
    media_type: str
    charset: str
    body: bytes
    is_complete: bool


def make_transport() -> httpx.AsyncBaseTransport:
    """Return a transport for one request, without a proxy; httpx's variables set certificates."""
    return httpx.AsyncHTTPTransport(verify=_tls_context())


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # reads a few hundred certificates


class WebClient:
    """Fetches pages of the public web; `timeout_seconds` is for one page with its redirects."""

    def __init__(
        self,
        *,
        resolve: Callable[[str], Awaitable[Sequence[str]]] | None = None,
        connect: Callable[[], httpx.AsyncBaseTransport] = make_transport,
        may_reach: Callable[[str], bool] = is_public_address,
        ports: Collection[int] = ALLOWED_PORTS,
        timeout_seconds: float = FETCH_TIMEOUT_SECONDS,
    ) -> None:
        self._resolve = resolve or Resolver()
        self._connect = connect
        self._may_reach = may_reach
        self._ports = ports
        self._timeout_seconds = timeout_seconds

    async def fetch(self, url: str) -> WebPage:
        """Fetch a page; raises ToolError with a sentence for the model."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._follow(self._check_url(url))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ToolError("The page did not come in time.") from error
        except httpx.ConnectError as error:
            raise ToolError("The page's server can't be reached.") from error
        except (httpx.HTTPError, httpx.InvalidURL, zlib.error) as error:
            raise ToolError("The page's server broke off or sent something unreadable.") from error

    def _check_url(self, address: str | httpx.URL) -> httpx.URL:
        """Return a URL that may be fetched as far as its text shows; raises ToolError."""
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL as error:
            raise ToolError("This is not a valid address.") from error
        if len(str(url)) > MAX_URL_CHARACTERS:
            raise ToolError(f"The address is longer than {MAX_URL_CHARACTERS} characters.")
        if url.scheme not in ("http", "https") or not url.raw_host:
            raise ToolError("Only http:// and https:// addresses can be read.")
        if url.userinfo:
            raise ToolError("Addresses with a user name or password are not read.")
        if _port(url) not in self._ports:
            raise ToolError("Only pages on the usual ports, 80 and 443, can be read.")
        return url

    async def _follow(self, url: httpx.URL) -> WebPage:
        for _ in range(MAX_REDIRECTS + 1):
            found = await self._fetch_from_host(url)
            if isinstance(found, WebPage):
                return found
            url = self._check_url(found)
        raise ToolError(f"The page redirects more than {MAX_REDIRECTS} times.")

    async def _fetch_from_host(self, url: httpx.URL) -> WebPage | httpx.URL:
        """Send the request to the first address of the host that accepts a connection."""
        *others, last = (await self._resolve_public(_host(url)))[:MAX_ADDRESSES_TRIED]
        for address in others:
            try:
                return await self._request(url, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._request(url, last)

    async def _resolve_public(self, host: str) -> Sequence[str]:
        """Return the addresses of a host; raises ToolError if any of them is not public.

        A refused host gets the same error as one that does not exist, so that a model can't find
        out which names exist in the private network.
        """
        found: Sequence[str] = [host] if is_address(host) else []
        if not found and is_public_name(host):
            try:
                found = await self._resolve(host)
            except (OSError, UnicodeError):
                found = []
        if not found or not all(map(self._may_reach, found)):
            raise ToolError("There is no such host on the public web.")
        return found

    async def _request(self, url: httpx.URL, address: str) -> WebPage | httpx.URL:
        """Send the request to exactly this address; returns the page or a redirect's target."""
        async with (
            httpx.AsyncClient(transport=self._connect(), trust_env=False, timeout=_TIMEOUT) as http,
            http.stream(
                "GET",
                url.copy_with(host=address, fragment=None),
                headers={**_HEADERS, "host": url.netloc.decode("ascii")},
                extensions={"sni_hostname": _host(url)},
                follow_redirects=False,
            ) as response,
        ):
            target = response.headers.get("location")
            if response.status_code in _REDIRECT_STATUSES and target:
                return url.join(target)
            return await _read_page(url, response)


def display_host(address: str) -> str:
    """Return the host of a URL in ASCII, to be shown to readers; "" if it has none."""
    try:
        return _host(httpx.URL(address))
    except httpx.InvalidURL:
        return ""


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").rstrip(".")


def _port(url: httpx.URL) -> int:
    return (443 if url.scheme == "https" else 80) if url.port is None else url.port


async def _read_page(url: httpx.URL, response: httpx.Response) -> WebPage:
    if response.status_code != 200:
        meaning = httpx.codes.get_reason_phrase(response.status_code)
        raise ToolError(
            f"The page's server answered {response.status_code} {meaning}".rstrip() + "."
        )
    media_type, _, _ = response.headers.get("content-type", "").partition(";")
    body, whole = await _read_body(response)
    return WebPage(
        str(url.copy_with(fragment=None)),
        media_type.strip().lower(),
        response.charset_encoding or "",
        body,
        whole,
    )


async def _read_body(response: httpx.Response) -> tuple[bytes, bool]:
    """Return the first `MAX_PAGE_BYTES` of the body, and whether that is all of it."""
    unpack = _make_unpacker(response.headers.get("content-encoding", "").strip().lower())
    body, received = bytearray(), 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        body += unpack(chunk, MAX_PAGE_BYTES + 1 - len(body))
        if max(received, len(body)) > MAX_PAGE_BYTES:
            return bytes(body[:MAX_PAGE_BYTES]), False
    return bytes(body), True


def _make_unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """Return a function that decompresses a chunk to at most the given number of bytes."""
    if encoding in ("gzip", "x-gzip"):
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress
    if encoding in ("", "identity"):
        return lambda chunk, room: chunk[:room]
    raise ToolError("The page is compressed in a way that was not asked for.")
