"""The demo model on a real socket of this machine, whose pace a test can control."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bot.playground.board import Board, Entry
from bot.playground.model.run import Sleep
from bot.playground.model.server import ModelConfig, add_model
from tests.support.local_server import serve_app

MODEL = "gpt-5.4"
AT_ONCE: dict[str, Any] = {"words_per_second": 1e9, "first_word_seconds": 0.0}
JSON = dict[str, Any]


class ManualSleep:
    """A sleep that ends when the test says so: each permit lets one token out."""

    def __init__(self) -> None:
        self._permits = asyncio.Semaphore(0)
        self._running = False

    async def __call__(self, _seconds: float) -> None:
        if self._running:
            await asyncio.sleep(0)
        else:
            await self._permits.acquire()

    def release(self, times: int = 1) -> None:
        for _ in range(times):
            self._permits.release()

    def release_all(self) -> None:
        """Let everything out from now on."""
        self._running = True
        self._permits.release()


@dataclass
class DemoModel:
    """A running demo model: where it is, what its board says, and a client for raw HTTP."""

    board: Board
    url: str
    http: ClientSession

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, JSON]:
        """Status and JSON answer."""
        async with self.http.request(method, self.url + path, json=body) as response:
            return response.status, await response.json()

    async def create(self, text: str, **fields: Any) -> tuple[int, JSON]:
        """`POST /responses` with the text as input."""
        return await self.call("POST", "/responses", {"model": MODEL, "input": text, **fields})

    async def events(self, method: str, path: str, body: Any = None) -> list[JSON]:
        """Every event of a stream, to its end or its cut."""
        async with self.http.request(method, self.url + path, json=body) as response:
            assert response.content_type == "text/event-stream", await response.text()
            return [event async for event in read(response.content.iter_any())]

    async def stream(self, text: str, **fields: Any) -> list[JSON]:
        """The events of a streamed response to the text."""
        body = {"model": MODEL, "input": text, "stream": True, **fields}
        return await self.events("POST", "/responses", body)

    def log(self, what: str) -> list[Entry]:
        """The board's lines of that name, about the model."""
        return [entry for entry in self.board.log if (entry.kind, entry.what) == ("upstream", what)]

    async def until(self, what: str) -> None:
        """Wait until the board has a line of that name."""
        seen = asyncio.Event()
        stop = self.board.listen(lambda _kind, _payload: seen.set() if self.log(what) else None)
        try:
            if not self.log(what):
                await asyncio.wait_for(seen.wait(), 5)
        finally:
            stop()


@asynccontextmanager
async def serving(
    sleep: Sleep = asyncio.sleep, now: Callable[[], float] = time.time, **config: Any
) -> AsyncIterator[DemoModel]:
    """A demo model; by default it answers at once."""
    board, app = Board(), web.Application()
    add_model(app, board, ModelConfig(**(AT_ONCE | config)), now=now, sleep=sleep)
    async with ClientSession(timeout=ClientTimeout(total=20)) as http, serve_app(app) as origin:
        yield DemoModel(board, f"{origin}/v1", http)


async def read(chunks: AsyncIterator[bytes]) -> AsyncIterator[JSON]:
    """Events out of bytes, whole ones only; `[DONE]` as {"done": True}; a cut ends it."""
    rest = b""
    try:
        async for chunk in chunks:
            *blocks, rest = (rest + chunk).split(b"\n\n")
            for block in blocks:
                yield _event(block.decode())
    except ClientError:
        return  # the connection was cut


def _event(block: str) -> JSON:
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    if fields["data"] == "[DONE]":
        return {"done": True}
    event: JSON = json.loads(fields["data"])
    assert fields.get("event") == event.get("type")
    return event


def text_of(events: list[JSON]) -> str:
    """The text the deltas add up to."""
    return "".join(e["delta"] for e in events if e.get("type") == "response.output_text.delta")
