"""The session over real connections: how httpx reports breaks, and what it keeps open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from bot.errors import UpstreamUnreachable
from bot.upstream.client import Upstream, open_http
from bot.upstream.events import Event, Failed, Finished, Reconnecting, TextDelta
from tests.support.words import english
from tests.unit.upstream.clock import ManualClock
from tests.unit.upstream.fake_model_server import (
    CUT_KINDS,
    PATIENCE,
    Cut,
    CutKind,
    FakeModelServer,
    ScriptedResponse,
    refusal,
    serving,
)
from tests.unit.upstream.upstream_setup import PROMPT, config, final_event, shown_text

PIECES = [f"{number} " if number % 9 else "é🦦\n" for number in range(60)]
MODES: dict[str, dict[str, Any]] = {
    "resumed": {"background": "on"},
    "begun anew": {"background": "off"},
    "chat": {"api": "chat"},
}
# The timers are long, so that only `pass_time` ends them.
PATIENT = {"idle_seconds": 1000, "progress_seconds": 10_000, "total_seconds": 1e9}


@asynccontextmanager
async def upstream(
    url: str, *, long: float = 60.0, **settings: Any
) -> AsyncIterator[tuple[Upstream, ManualClock]]:
    """Yield an upstream as the bot makes it, but for its clock, which holds `long` sleeps."""
    made, clock = config(url, **{**PATIENT, **settings}), ManualClock(long)
    async with open_http(made) as http:
        asked = Upstream(made, http, now=clock.now, sleep=clock.sleep, jitter=lambda: 1.0)
        yield asked, clock
        await asked.aclose()


async def collect(events: AsyncIterator[Event]) -> list[Event]:
    """Return them all."""
    return [event async for event in events]


@pytest.mark.parametrize("how", CUT_KINDS)
@pytest.mark.parametrize("mode", MODES)
async def test_real_connection_that_breaks_loses_nothing(mode: str, how: CutKind) -> None:
    service = FakeModelServer(PIECES)
    whole = len(service.chat) if mode == "chat" else sum(map(len, service.foreground))
    service.cuts.append(Cut(whole // 2, how))
    async with (
        serving(service, step=500) as url,
        upstream(url, **MODES[mode]) as (asked, clock),
        asyncio.timeout(PATIENCE),
    ):
        answer = asyncio.create_task(collect(asked.answer(PROMPT)))
        if how == "silence":
            await service.silent.wait()
            clock.pass_time(1001)
        events = await answer
    assert isinstance(final_event(events), Finished)
    assert final_event(events).text == shown_text(events) == service.text
    assert len([event for event in events if isinstance(event, Reconnecting)]) == 1
    assert len(service.paths) == 2


async def test_real_closed_port_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        async with upstream(url) as (asked, _):
            events = await collect(asked.answer(PROMPT))
    end = final_event(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamUnreachable)
    assert [event.attempt for event in events if isinstance(event, Reconnecting)] == [1, 2, 3, 4, 5]


async def test_real_server_without_tls_is_unreachable() -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with upstream(url, attempts=1) as (asked, _clock):
            end = final_event(await collect(asked.answer(PROMPT)))
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamUnreachable)


async def test_real_connection_closed_before_its_answer_is_retried() -> None:
    service = FakeModelServer(PIECES, faults=[ScriptedResponse(0), ScriptedResponse(0)])
    async with serving(service) as url, upstream(url) as (asked, _):
        events = await collect(asked.answer(PROMPT))
    assert final_event(events).text == service.text
    assert len(service.paths) == 3


async def test_closing_an_answer_closes_its_real_connection_at_once() -> None:
    service = FakeModelServer(PIECES)
    service.cuts.append(Cut(4000, "silence"))
    # time stands still, because cancelling has a time limit of its own
    async with serving(service) as url, upstream(url, long=0, background="on") as (asked, _):
        async with aclosing(asked.answer(PROMPT)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        async with asyncio.timeout(PATIENCE):
            await service.closed.get()
    assert service.paths == ["POST /responses", "POST /responses/resp_1/cancel"]


async def test_cancelling_the_consumer_closes_its_real_connection_at_once() -> None:
    service = FakeModelServer(PIECES)
    service.cuts.append(Cut(4000, "silence"))
    async with serving(service) as url, upstream(url) as (asked, _):
        reader = asyncio.create_task(collect(asked.answer(PROMPT)))
        async with asyncio.timeout(PATIENCE):
            await service.silent.wait()
            reader.cancel()
            await service.closed.get()
        with pytest.raises(asyncio.CancelledError):
            await reader


async def test_real_connections_are_reused() -> None:
    service = FakeModelServer(PIECES)
    async with serving(service) as url, upstream(url) as (asked, _):
        for _ in range(3):
            await collect(asked.answer(PROMPT))
    ports = {request.headers["x-port"] for request in service.requests}
    assert len(ports) == 1


async def test_upstream_streams_two_hundred_answers_at_once() -> None:
    service = FakeModelServer(PIECES)
    halfway = sum(map(len, service.foreground)) // 2
    service.cuts.extend(Cut(halfway, "rst") for _ in range(20))
    async with serving(service, step=1000) as url, upstream(url) as (asked, _):
        answers = await asyncio.gather(*(collect(asked.answer(PROMPT)) for _ in range(200)))
    assert {final_event(events).text for events in answers} == {service.text}
    assert len(service.paths) == 220


async def test_key_is_sent_to_the_base_url_only() -> None:
    elsewhere, service = FakeModelServer(PIECES), FakeModelServer(PIECES)
    async with serving(elsewhere) as other, serving(service) as url:
        service.faults.append(ScriptedResponse(307, b"", {"location": f"{other}/responses"}))
        async with upstream(url) as (asked, _):
            end = final_event(await collect(asked.answer(PROMPT)))
    assert isinstance(end, Failed)
    assert "moved" in english(end.error.user_message)
    assert service.requests[0].headers["authorization"] == "Bearer sk-secret"
    assert elsewhere.requests == []


async def test_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    service = FakeModelServer(PIECES)
    async with serving(service) as url:
        monkeypatch.setenv("HTTP_PROXY", url.removesuffix("/v1"))
        async with upstream("http://model.test/v1") as (asked, _):
            assert final_event(await collect(asked.answer(PROMPT))).text == service.text
    assert service.requests[0].headers["host"] == "model.test"


async def test_endless_error_page_is_read_to_a_bound() -> None:
    service = FakeModelServer(PIECES, faults=[ScriptedResponse(400, b"x" * 5_000_000)])
    async with serving(service) as url, upstream(url) as (asked, _):
        end = final_event(await collect(asked.answer(PROMPT)))
    assert isinstance(end, Failed)
    assert len(str(end.error)) < 1000


async def test_refused_connection_is_closed_cleanly() -> None:
    service = FakeModelServer(PIECES, faults=[refusal(503)])
    async with serving(service) as url, upstream(url) as (asked, _):
        await collect(asked.answer(PROMPT))
    ports = {request.headers["x-port"] for request in service.requests}
    assert len(ports) == 1
