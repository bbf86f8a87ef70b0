"""Transports in place of connections to the web, and the reasons for not reading a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from bot.errors import ToolError
from bot.tools.web.fetch import WebClient

PUBLIC = "93.184.215.14"


class RecordingTransport(httpx.AsyncBaseTransport):
    """Records requests, and answers them all alike."""

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


class SlowTransport(httpx.AsyncBaseTransport, httpx.AsyncByteStream):
    """A server that sends a byte every so many seconds, without an end."""

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


async def refusal_reason(web: WebClient, address: str) -> str:
    """Why a page is not read."""
    with pytest.raises(ToolError) as raised:
        await web.fetch(address)
    return str(raised.value)
