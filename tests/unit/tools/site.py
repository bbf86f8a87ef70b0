"""A web site on this machine that sends exactly the bytes it is told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from bot.tools.web.fetch import WebClient

Sending: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]
Answer: TypeAlias = bytes | Sending

HERE = "127.0.0.1"


@dataclass
class Site:
    """What it answers on each path, and the requests it got."""

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/", host: str = "example.com", scheme: str = "http") -> str:
        """An address of this site."""
        return f"{scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hang up."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            given = self.answers[head.split(" ")[1]]
            if callable(given):
                await given(writer)
            else:
                writer.write(given)
            await writer.drain()
        writer.close()


def answer(
    body: bytes | str = b"",
    *,
    status: str = "200 OK",
    media_type: str = "text/plain",
    **headers: str,
) -> bytes:
    """A whole HTTP answer; `content_encoding="gzip"` becomes a header."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}"]
    lines += [f"Content-Type: {media_type}"] if media_type else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def redirect(target: str, status: str = "302 Found") -> bytes:
    """An answer that leads elsewhere."""
    return answer(status=status, location=target)


@asynccontextmanager
async def site(
    answers: Mapping[str, Answer], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    """A running site on a free port."""
    running = Site(dict(answers))
    server = await asyncio.start_server(running.serve, HERE, 0, ssl=tls)
    async with server:
        running.port = server.sockets[0].getsockname()[1]
        yield running


def resolving(names: Mapping[str, list[str]]) -> Callable[[str], Awaitable[list[str]]]:
    """A resolver that knows these names and no others."""

    async def resolve(host: str) -> list[str]:
        if host not in names:
            raise OSError("not known")
        return names[host]

    return resolve


def web_client_of(running: Site, *names: str) -> WebClient:
    """A public web that is this site, under these names."""
    return WebClient(
        resolve=resolving({name: [HERE] for name in names or ("example.com",)}),
        may_reach=lambda address: address == HERE,
        ports={running.port},
    )
