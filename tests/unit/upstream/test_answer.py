"""The session: attempts before the first event, the end of an answer, closing and detaching."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from bot.errors import UpstreamBusy, UpstreamRefused, UpstreamUnreachable
from bot.upstream.events import (
    Event,
    Failed,
    Finished,
    Reconnecting,
    Restarted,
    Started,
    TextDelta,
)
from bot.upstream.resume_point import ResumePoint
from tests.support.words import english
from tests.unit.upstream.clock import Clock
from tests.unit.upstream.fake_model_server import Cut, FakeModelServer, ScriptedResponse, refusal
from tests.unit.upstream.sample_stream import (
    ASK,
    ASKED_TO_WAIT,
    BROKE_OFF,
    CANCEL,
    HAD_A_PROBLEM,
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


async def test_session_yields_started_deltas_and_finished() -> None:
    service = FakeModelServer(PIECES)
    events = await ask(service)
    assert events[0] == Started("resp_1", "tiny", resumable=False)
    assert [e.text for e in events if isinstance(e, TextDelta)] == PIECES
    end = final_event(events)
    assert isinstance(end, Finished)
    assert (end.text, end.usage.input_tokens, end.usage.output_tokens) == (TEXT, 3, 7)
    assert service.paths == [ASK]


@pytest.mark.parametrize(
    ("fault", "wait", "why"),
    [
        (ScriptedResponse(0), 0.5, "the model's server can't be reached"),
        (refusal(500), 0.5, HAD_A_PROBLEM),
        (refusal(503, code="server_is_overloaded"), 0.5, HAD_A_PROBLEM),
        (refusal(529), 0.5, HAD_A_PROBLEM),
        (refusal(408), 0.5, HAD_A_PROBLEM),
        (refusal(409), 0.5, HAD_A_PROBLEM),
        (refusal(429), 0.5, ASKED_TO_WAIT),
        (refusal(429, headers={"retry-after": "7"}), 7, ASKED_TO_WAIT),
        (
            refusal(429, headers={"retry-after-ms": "700"}),
            0.7,
            ASKED_TO_WAIT,
        ),
        (refusal(429, "try again in 6.5s"), 6.5, ASKED_TO_WAIT),
        (refusal(429, retry_after=4), 4, ASKED_TO_WAIT),
        (refusal(400, headers={"x-should-retry": "true"}), 0.5, HAD_A_PROBLEM),
        (ScriptedResponse(502, b"<html>Bad gateway</html>"), 0.5, HAD_A_PROBLEM),
        (ScriptedResponse(500, b""), 0.5, HAD_A_PROBLEM),
        (ScriptedResponse(200, b'{"id": '), 0.5, HAD_A_PROBLEM),
        (ScriptedResponse(200, b""), 0.5, BROKE_OFF),
        (ScriptedResponse(200, b": ping\n\n"), 0.5, BROKE_OFF),
        (ScriptedResponse(200, b"data: [DONE]\n\n"), 0.5, BROKE_OFF),
        (ScriptedResponse(200, b"data: 7\n\ndata: {\n\n"), 0.5, BROKE_OFF),
    ],
)
async def test_session_retries_a_failure_before_the_first_event(
    fault: ScriptedResponse,
    wait: float,
    why: str,
) -> None:
    service = FakeModelServer(PIECES, faults=[fault])
    events = await ask(service)
    assert reconnects(events) == [(1, 5, wait, why)]
    assert not any(isinstance(event, Restarted) for event in events)
    assert final_event(events).text == TEXT
    assert service.paths == [ASK, ASK]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (refusal(401, code="invalid_api_key"), "key"),
        (refusal(402), "credit"),
        (refusal(429, code="insufficient_quota", headers={"retry-after": "1"}), "credit"),
        (refusal(403), "let this bot in"),
        (refusal(400, code="context_length_exceeded"), "too long"),
        (refusal(400, code="model_not_found"), "“tiny”"),
        (refusal(503, headers={"x-should-retry": "false"}), "overloaded"),
        (refusal(429, headers={"retry-after": "600"}), "asks to wait 10 minutes"),
        (ScriptedResponse(200, b"<!doctype html><p>Welcome"), "web page"),
        (ScriptedResponse(307, b"", {"location": "http://elsewhere.test/"}), "moved"),
    ],
)
async def test_session_reports_a_permanent_refusal_at_once(
    fault: ScriptedResponse, said: str
) -> None:
    service = FakeModelServer(PIECES, faults=[fault])
    events = await ask(service)
    assert len(events) == 1
    end = final_event(events)
    assert isinstance(end, Failed)
    assert said in english(end.error.user_message)
    assert service.paths == [ASK]


async def test_session_fails_after_five_attempts() -> None:
    service = FakeModelServer(PIECES, faults=[refusal(503)] * 9)
    events = await ask(service)
    assert announced_waits(events) == [0.5, 1, 2, 4, 8]
    assert [e.attempt for e in events if isinstance(e, Reconnecting)] == [1, 2, 3, 4, 5]
    end = final_event(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamBusy)
    assert service.paths == [ASK] * 6


async def test_session_reports_an_unreachable_server() -> None:
    events = await ask(FakeModelServer(PIECES, faults=[ScriptedResponse(0)] * 9))
    end = final_event(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamUnreachable)


async def test_session_starts_no_attempt_after_the_deadline() -> None:
    clock = Clock()
    service = FakeModelServer(PIECES, faults=[refusal(503, headers={"retry-after": "50"})] * 9)
    async with upstream(service, clock, total_seconds=120) as asked:
        events = [event async for event in asked.answer(PROMPT)]
    assert announced_waits(events) == [50, 50]
    assert clock.time - 1000 == 100


async def test_session_finishes_at_once_though_the_connection_stays_open() -> None:
    service, clock = FakeModelServer(PIECES), Clock()
    service.cuts.append(Cut(sum(map(len, service.foreground)), "silence"))
    async with upstream(service, clock) as asked:
        async for event in asked.answer(PROMPT):
            last, at = event, clock.time
    assert isinstance(last, Finished)
    assert last.text == TEXT
    assert at == 1000
    assert clock.time < 1000.3


async def test_session_chat_waits_briefly_for_token_counts() -> None:
    service, clock = FakeModelServer(PIECES), Clock()
    counts = service.chat.index(b'"usage"')
    service.cuts.append(Cut(service.chat.rindex(b"data: ", 0, counts), "silence"))
    async with upstream(service, clock, step=50, api="chat") as asked:
        events = [event async for event in asked.answer(PROMPT)]
    assert final_event(events).text == TEXT
    assert 1 <= clock.time - 1000 <= 1.2


async def test_session_closed_early_closes_the_connection_and_cancels() -> None:
    service = FakeModelServer(PIECES)
    service.cuts.append(Cut(bytes_of_events(service, 5), "silence"))
    async with upstream(service, background="on") as asked:
        async with aclosing(asked.answer(PROMPT)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        assert str(service.closed.get_nowait()) == ASK
    assert service.paths == [ASK, CANCEL]


async def test_session_cancels_no_response_that_is_not_background() -> None:
    service = FakeModelServer(PIECES)
    async with upstream(service) as asked, aclosing(asked.answer(PROMPT)) as events:
        await anext(events)
    assert service.paths == [ASK]


async def test_detach_response_leaves_responses_running() -> None:
    service = resumable_server("silence")
    async with (
        upstream(service, background="on") as asked,
        aclosing(asked.answer(PROMPT)) as events,
    ):
        await anext(events)
        asked.detach_response()
    assert service.paths == [ASK]


async def test_detach_response_of_one_cancels_the_others() -> None:
    service = FakeModelServer(PIECES)
    async with upstream(service, background="on") as asked:
        for left in ("resp_1", "another"):
            service.cuts.append(Cut(bytes_of_events(service, 5), "silence"))
            async with aclosing(asked.answer(PROMPT)) as events:
                await anext(events)
                asked.detach_response(left)
    assert service.paths == [ASK, ASK, CANCEL]


async def test_session_resumes_a_response_of_another_process_from_its_start() -> None:
    service = resumable_server("silence")
    async with upstream(service, background="on") as asked:
        async with aclosing(asked.answer(PROMPT)) as events:
            await anext(events)
            asked.detach_response()
        taken = [event async for event in asked.answer(PROMPT, ResumePoint("resp_1"))]
    assert service.paths == [ASK, RESUME]
    assert service.requests[1].query["starting_after"] == "0"
    assert taken[0] == Restarted()
    assert final_event(taken).text == shown_text(taken) == TEXT


async def test_session_restarts_a_response_that_cannot_be_resumed() -> None:
    service = FakeModelServer(PIECES)
    service.resume_refusal = service.poll_refusal = refusal(404)
    async with upstream(service) as asked:
        events = [event async for event in asked.answer(PROMPT, ResumePoint("resp_1"))]
    assert service.paths == [RESUME, POLL, ASK]
    assert final_event(events).text == shown_text(events) == TEXT


async def test_upstream_remembers_a_server_without_cancel() -> None:
    service = FakeModelServer(PIECES)
    service.cancel_refusal = refusal(404)
    async with upstream(service, background="on") as asked:
        for _ in range(2):
            service.cuts.append(Cut(bytes_of_events(service, 5), "silence"))
            async with aclosing(asked.answer(PROMPT)) as events:
                await anext(events)
            await asked.aclose()
    assert service.paths.count(CANCEL) == 1


async def collect(events: AsyncIterator[Event]) -> list[Event]:
    """Return them all."""
    return [event async for event in events]


async def test_session_leaves_out_refused_hosted_tools() -> None:
    service = FakeModelServer(
        PIECES, faults=[refusal(400, "web_search is not supported", param="tools")]
    )
    prompt = type(PROMPT)("", PROMPT.messages, hosted_tools=({"type": "web_search"},))
    async with upstream(service) as asked:
        events = await collect(asked.answer(prompt))
        assert final_event(events).text == TEXT
        assert reconnects(events) == []
        await collect(asked.answer(prompt))
    assert [request.body.get("tools") for request in service.requests] == [
        [{"type": "web_search"}],
        None,
        None,
    ]


async def test_session_takes_a_refusal_of_nothing_optional_for_final() -> None:
    fault = refusal(400, "Invalid 'temperature'", param="temperature")
    events = await ask(FakeModelServer(PIECES, faults=[fault]), api="auto")
    end = final_event(events)
    assert isinstance(end, Failed)
    assert not isinstance(end.error, UpstreamRefused)
