"""Stands where a web makes its connections, and hears why a page is not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from bot.errors import ToolError
from bot.tools.web import WebClient

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


async def refused(web: WebClient, address: str) -> str:
    """Why a page is not read."""
    with pytest.raises(ToolError) as raised:
        await web.fetch(address)
    return str(raised.value)
