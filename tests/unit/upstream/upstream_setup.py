"""Asks an upstream in a test and collects its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from bot.upstream.capabilities import Capabilities
from bot.upstream.client import Upstream, UpstreamConfig
from bot.upstream.events import (
    Event,
    Failed,
    Finished,
    Reconnecting,
    Restarted,
    TextDelta,
    TextDone,
)
from bot.upstream.prompt import Prompt
from bot.upstream.session.answer import SessionContext
from bot.upstream.session.transport import HttpReply, HttpRequest
from bot.values import Author, Message
from tests.unit.upstream.clock import Clock
from tests.unit.upstream.fake_model_server import (
    FakeModelServer,
    ScriptedResponse,
    read_request,
    transport,
)

BASE_URL = "http://model.test/v1"
PROMPT = Prompt("Be brief.", (Message("user", "hello", Author("U1", "Ann")),))


def config(base_url: str = BASE_URL, **more: Any) -> UpstreamConfig:
    """Return a configuration, by default for the Responses API."""
    usual = {"api_key": "sk-secret", "model": "tiny", "api": "responses"}
    return UpstreamConfig(base_url, **{**usual, **more})


class ConnectionBroken(Exception):
    """The connection broke, where no httpx is in between."""


def session_context(service: FakeModelServer, **settings: Any) -> SessionContext:
    """Return the context of sessions that reach `service` by a plain function call.

    For the tests that ask thousands of times; `upstream` has httpx in between.
    """
    clock = Clock()

    async def send(call: HttpRequest) -> HttpReply:
        out = service.handle(read_request(call.method, call.path, {}, call.body))
        return HttpReply(out.status, out.headers, _body(out), _nothing, (ConnectionBroken,))

    return SessionContext(
        config(**settings),
        Capabilities(),
        _nothing,
        send,
        lambda _response_id: None,
        clock.now,
        clock.sleep,
        lambda: 1.0,
    )


async def _body(out: ScriptedResponse) -> AsyncIterator[bytes]:
    if out.sent:
        yield out.sent
    if out.cut and out.cut.kind == "silence":
        await asyncio.Event().wait()
    if out.cut and out.cut.kind != "eof":
        raise ConnectionBroken


async def _nothing() -> None:
    """Do nothing."""


@asynccontextmanager
async def upstream(
    service: FakeModelServer,
    clock: Clock | None = None,
    step: int = 1 << 16,
    **settings: Any,
) -> AsyncIterator[Upstream]:
    """Yield an upstream that reaches `service` without a socket, in virtual time."""
    time = clock or Clock()
    async with httpx.AsyncClient(transport=transport(service, step)) as http:
        asked = Upstream(
            config(**settings),
            http,
            now=time.now,
            sleep=time.sleep,
            jitter=lambda: 1.0,
        )
        yield asked
        await asked.aclose()


async def ask(service: FakeModelServer, prompt: Prompt = PROMPT, **settings: Any) -> list[Event]:
    """Return every event of one answer."""
    async with upstream(service, **settings) as asked:
        return [event async for event in asked.answer(prompt)]


def shown_text(events: Sequence[Event]) -> str:
    """Return the text shown before the end: old text stays until the new is longer."""
    text, kept = "", ""
    for event in events:
        match event:
            case TextDelta(delta):
                text += delta
            case TextDone(whole):
                text = whole
            case Restarted():
                kept, text = max(kept, text, key=len), ""
            case _:
                pass
    return max(kept, text, key=len)


def final_event(events: Sequence[Event]) -> Finished | Failed:
    """Return the one event that ends an answer; there is exactly one, and it is the last."""
    ends = [event for event in events if isinstance(event, Finished | Failed)]
    assert len(ends) == 1
    assert ends[0] is events[-1]
    return ends[0]


def announced_waits(events: Sequence[Event]) -> list[float]:
    """Return the seconds of each announced wait."""
    return [event.wait_seconds for event in events if isinstance(event, Reconnecting)]


def reconnects(events: list[Event]) -> list[tuple[int, int, float, str]]:
    """Return the fields of each `Reconnecting`."""
    return [
        (e.attempt, e.max_attempts, e.wait_seconds, e.reason)
        for e in events
        if isinstance(e, Reconnecting)
    ]
