"""A broken stream of a background response is resumed, or its response is polled."""

from __future__ import annotations

import json

import pytest

from bot.errors import StreamDropped
from bot.upstream.events import (
    Activity,
    Failed,
    Reconnecting,
    Restarted,
    Started,
    TextDelta,
)
from bot.words import Phrase
from tests.unit.upstream.clock import Clock
from tests.unit.upstream.fake_model_server import (
    CUT_KINDS,
    Cut,
    CutKind,
    FakeModelServer,
    ScriptedResponse,
    refusal,
)
from tests.unit.upstream.sample_stream import (
    ASK,
    BROKE_OFF,
    CANCEL,
    PIECES,
    POLL,
    RESUME,
    TEXT,
    bytes_of_events,
    resumable_server,
)
from tests.unit.upstream.upstream_setup import (
    PROMPT,
    announced_waits,
    ask,
    final_event,
    reconnects,
    shown_text,
    upstream,
)
from tests.unit.upstream.wire import block, numbered, response, responses_payloads


@pytest.mark.parametrize("how", CUT_KINDS)
async def test_session_resumes_a_dropped_stream_where_it_broke(how: CutKind) -> None:
    service = resumable_server(how)
    events = await ask(service, background="on")
    assert final_event(events).text == shown_text(events) == TEXT
    why = "the model's server went silent" if how == "silence" else BROKE_OFF
    assert reconnects(events) == [(1, 5, 0.5, why)]
    assert not any(isinstance(event, Restarted) for event in events)
    assert service.paths == [ASK, RESUME]
    assert service.requests[1].query == {"stream": "true", "starting_after": "4"}


async def test_session_background_request_stores_and_is_resumable() -> None:
    service = FakeModelServer(PIECES)
    events = await ask(service, background="on")
    assert events[0] == Started("resp_1", "tiny", resumable=True)
    assert service.requests[0].body["background"] is True
    assert service.requests[0].body["store"] is True


async def test_session_skips_events_that_a_resumed_stream_repeats() -> None:
    service = resumable_server()
    service.faults.append(
        ScriptedResponse(200, b"".join(service.resumable), cut=Cut(bytes_of_events(service, 6)))
    )
    events = await ask(service, background="on")  # cut, then resumed
    assert final_event(events).text == shown_text(events) == TEXT
    repeated = FakeModelServer(PIECES)
    repeated.cuts.append(Cut(bytes_of_events(repeated, 6)))
    repeated.resume_refusal = ScriptedResponse(
        200, b"".join(repeated.resumable)
    )  # all of it, every time
    events = await ask(repeated, background="on")
    assert final_event(events).text == shown_text(events) == TEXT
    assert [e.text for e in events if isinstance(e, TextDelta)] == PIECES


async def test_session_resumes_after_keepalives_with_numbers() -> None:
    payloads = responses_payloads(PIECES, background=True)
    service = FakeModelServer(PIECES)
    service.resumable = numbered([*payloads[:4], {"type": "keepalive"}, *payloads[4:]])
    service.cuts.append(Cut(bytes_of_events(service, 5)))
    events = await ask(service, background="on")
    assert service.requests[1].query["starting_after"] == "4"
    assert final_event(events).text == shown_text(events) == TEXT


async def test_session_polls_a_response_without_sequence_numbers() -> None:
    service = FakeModelServer(PIECES)
    payloads = responses_payloads(PIECES, background=True)
    service.resumable = [block(payload) for payload in payloads]
    service.cuts.append(Cut(bytes_of_events(service, 5)))
    events = await ask(service, background="on")
    assert service.paths == [ASK, POLL]
    assert service.requests[1].query == {}
    assert final_event(events).text == TEXT


async def test_session_drops_without_progress_exhaust_the_budget() -> None:
    service = resumable_server(times=9)
    events = await ask(service, background="on")
    assert [e.attempt for e in events if isinstance(e, Reconnecting)] == [1, 2, 3, 4, 5]
    end = final_event(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, StreamDropped)
    assert end.text == shown_text(events) == "Otters hold "
    assert service.paths == [ASK, *[RESUME] * 5, CANCEL]


async def test_session_waits_for_a_busy_server_before_resuming() -> None:
    service = resumable_server()
    async with upstream(service, background="on") as asked:
        events = []
        async for event in asked.answer(PROMPT):
            if isinstance(event, Reconnecting) and not service.faults and event.attempt == 1:
                service.faults.append(refusal(429, headers={"retry-after": "9"}))
            events.append(event)
    assert announced_waits(events) == [0.5, 9]
    assert service.paths == [ASK, RESUME, RESUME]
    assert final_event(events).text == shown_text(events) == TEXT


TOO_OLD = refusal(
    400,
    "This response can no longer be streamed because it is more than 5 minutes old.",
)


@pytest.mark.parametrize("status", [404, 405, 409, 410, 501])
async def test_session_polls_where_resuming_is_refused(status: int) -> None:
    service = resumable_server()
    service.resume_refusal = refusal(status)
    service.polls_before_done = 3
    clock = Clock()
    async with upstream(service, clock, background="on") as asked:
        events = [event async for event in asked.answer(PROMPT)]
    assert final_event(events).text == TEXT
    assert service.paths == [ASK, RESUME, *[POLL] * 4]
    assert Activity(Phrase.WAITING_FOR_REST) in events
    assert clock.time - 1000 == 0.5 + 3 * 2
    assert len(reconnects(events)) == 1


async def test_session_remembers_for_a_day_that_a_server_cannot_resume() -> None:
    service = FakeModelServer(PIECES)
    service.resume_refusal = refusal(404)
    clock = Clock()
    async with upstream(service, clock, background="on") as asked:
        for _ in range(2):
            service.cuts.append(Cut(bytes_of_events(service, 5)))
            assert final_event([event async for event in asked.answer(PROMPT)]).text == TEXT
        assert service.paths == [ASK, RESUME, POLL, ASK, POLL]
        assert [request.query for request in service.requests].count({}) == 4
        clock.time += 24 * 3600
        service.requests.clear()
        service.cuts.append(Cut(bytes_of_events(service, 5)))
        assert final_event([event async for event in asked.answer(PROMPT)]).text == TEXT
        assert service.requests[1].query["stream"] == "true"


async def test_session_learns_nothing_from_a_response_too_old_to_resume() -> None:
    service = FakeModelServer(PIECES)
    service.resume_refusal = TOO_OLD
    async with upstream(service, background="on") as asked:
        for _ in range(2):
            service.cuts.append(Cut(bytes_of_events(service, 5)))
            assert final_event([event async for event in asked.answer(PROMPT)]).text == TEXT
    assert [request.query.get("stream") for request in service.requests].count("true") == 2


async def test_session_restarts_a_response_that_is_gone() -> None:
    service = resumable_server()
    service.resume_refusal = service.poll_refusal = refusal(404)
    events = await ask(service, background="on")
    assert service.paths == [ASK, RESUME, POLL, ASK]
    assert sum(isinstance(event, Restarted) for event in events) == 1
    assert final_event(events).text == shown_text(events) == TEXT


async def test_session_cancels_and_restarts_an_unfinished_response() -> None:
    service = resumable_server()
    service.resume_refusal = refusal(404)
    service.polls_before_done = 10_000
    events = await ask(service, background="on", progress_seconds=100)
    assert service.paths.count(POLL) == 1 + 50
    assert service.paths[-2:] == [CANCEL, ASK] or service.paths[-2:] == [ASK, CANCEL]
    assert final_event(events).text == shown_text(events) == TEXT


async def test_session_polls_after_a_silent_resumed_stream() -> None:
    service = resumable_server()
    service.cuts.append(Cut(0, "silence"))
    events = await ask(service, background="on")
    assert service.paths == [ASK, RESUME, POLL]
    assert final_event(events).text == TEXT


async def test_session_retries_a_failed_poll() -> None:
    service = resumable_server()
    service.resume_refusal = refusal(404)
    async with upstream(service, background="on") as asked:
        events = []
        async for event in asked.answer(PROMPT):
            if event == Activity(Phrase.WAITING_FOR_REST):
                service.faults.extend([refusal(503)] if len(service.requests) < 3 else [])
            events.append(event)
    assert service.paths == [ASK, RESUME, POLL, POLL]
    assert final_event(events).text == TEXT


async def test_session_polls_background_without_a_stream_and_stops_asking_for_it() -> None:
    queued = json.dumps(response("queued", background=True)).encode()
    service = FakeModelServer(
        PIECES, faults=[ScriptedResponse(200, queued, {"content-type": "application/json"})]
    )
    async with upstream(service, background="on") as asked:
        events = [event async for event in asked.answer(PROMPT)]
        assert final_event(events).text == TEXT
        assert service.paths == [ASK, POLL]
        assert reconnects(events) == []
        assert final_event([event async for event in asked.answer(PROMPT)]).text == TEXT
    assert "background" not in service.requests[-1].body
