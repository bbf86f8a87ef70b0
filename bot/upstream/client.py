"""The only door to httpx: connections to one upstream, and the answers that come over them.

httpx's errors end here as ours. The key goes to the base URL's origin and no redirect is
followed. Proxies and certificates are taken from httpx's own environment variables.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from email.utils import formatdate

import httpx

from bot.errors import StreamDropped, UpstreamUnreachable
from bot.upstream.answer import Answer, Surroundings
from bot.upstream.attempt import Call, Reply, Sleep
from bot.upstream.capabilities import Capabilities
from bot.upstream.config import UpstreamConfig as UpstreamConfig
from bot.upstream.events import Event
from bot.upstream.prompt import Prompt

# Reading is timed by our own timers; these bound what httpx does alone.
TIMEOUT = httpx.Timeout(connect=10, read=None, write=30, pool=30)
LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=50, keepalive_expiry=60)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as its server describes it; `formats` is None where it does not say."""

    id: str
    formats: tuple[str, ...] | None = None


def open_http(config: UpstreamConfig) -> httpx.AsyncClient:
    """Return the client all answers share; close it with `async with`."""
    return httpx.AsyncClient(timeout=TIMEOUT, limits=LIMITS, follow_redirects=False)


class Upstream:
    """One model at one server."""

    def __init__(
        self,
        config: UpstreamConfig,
        http: httpx.AsyncClient,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        capabilities: Capabilities | None = None,
    ) -> None:
        self._config = config
        self._http = http
        known = capabilities or Capabilities()
        self._around = Surroundings(config, known, self._send, now, sleep, jitter)

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """Yield the answer's events; never raises for upstream trouble: `Failed` comes last.

        Closing the generator, or cancelling whoever reads it, closes the connection at once.
        """
        async with aclosing(Answer(prompt, self._around).events()) as events:
            async for event in events:
                yield event

    async def _send(self, call: Call) -> Reply:
        headers = {
            "authorization": f"Bearer {self._config.api_key}",
            "accept": "text/event-stream, application/json",
        }
        if call.body:
            headers["content-type"] = "application/json"
        url = self._config.base_url.rstrip("/") + call.path
        request = self._http.build_request(call.method, url, headers=headers, content=call.body)
        try:
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise UpstreamUnreachable(repr(error)) from error
        names = {name.lower(): value for name, value in response.headers.items()}
        names.setdefault("date", formatdate(time.time(), usegmt=True))
        return Reply(response.status_code, names, _chunks(response), response.aclose)


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except httpx.HTTPError as error:
        raise StreamDropped(repr(error)) from error
