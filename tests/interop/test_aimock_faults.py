"""Our upstream against aimock's faults: the text is exact, or what came is kept and explained."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import PromptRefused, StreamDropped, UpstreamBusy, UpstreamRefused
from bot.upstream.events import Failed, Finished, Reconnecting, Restarted
from bot.values import Usage
from tests.interop.aimock import JSON, Aimock, fixture
from tests.interop.asking import PATHS, TEXT, WORKS, ask, both_formats, collect, of, paths, upstream
from tests.support.words import english
from tests.unit.upstream.upstream_setup import announced_waits, final_event, shown_text

LIMITED: JSON = {"error": {"message": "Slow down", "type": "rate_limit_error"}, "status": 429}
# Without a pause between chunks aimock cuts before its headers are out.
SLOWLY = {"chunkSize": 8, "latency": 1}
MOST_CHUNKS = 30


@both_formats
async def test_stream_cut_after_any_event_is_restarted(aimock: Aimock, api: str) -> None:
    """Up to the event that ends the answer: a cut after that one is none."""
    for chunks in range(1, MOST_CHUNKS):
        await aimock.forget()
        cut = fixture(WORKS, 0, truncateAfterChunks=chunks, **SLOWLY)
        await aimock.teach(cut, fixture(WORKS, 1))
        events = await ask(aimock, api=api)
        assert final_event(events).text == shown_text(events) == TEXT
        if not of(Reconnecting, events):
            break
        assert await paths(aimock) == [PATHS[api]] * 2
        assert (await aimock.journal())[0]["response"]["interrupted"]
    assert len(TEXT) // 8 < chunks < MOST_CHUNKS - 1
    assert await paths(aimock) == [PATHS[api]]


@both_formats
async def test_stream_cut_several_times_is_completed(aimock: Aimock, api: str) -> None:
    cuts = [fixture(WORKS, n, truncateAfterChunks=6 + n, **SLOWLY) for n in range(3)]
    await aimock.teach(*cuts, fixture(WORKS, 3))
    events = await ask(aimock, api=api)
    assert final_event(events) == Finished(TEXT, Usage(3, 5))
    assert shown_text(events) == TEXT
    assert len(of(Restarted, events)) == len(of(Reconnecting, events)) == 3
    assert len(await paths(aimock)) == 4


@both_formats
async def test_stream_that_is_always_cut_keeps_its_text(aimock: Aimock, api: str) -> None:
    await aimock.teach(fixture(WORKS, truncateAfterChunks=8, **SLOWLY))
    events = await ask(aimock, api=api, attempts=2)
    end = final_event(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, StreamDropped)
    assert end.text == shown_text(events)
    assert end.text
    assert TEXT.startswith(end.text)
    assert len(await paths(aimock)) == 3


@both_formats
async def test_stream_cut_after_a_time_is_restarted(aimock: Aimock, api: str) -> None:
    dripping = fixture(WORKS, 0, disconnectAfterMs=150, latency=10, chunkSize=1)
    await aimock.teach(dripping, fixture(WORKS, 1))
    events = await ask(aimock, api=api)
    assert final_event(events).text == shown_text(events) == TEXT
    assert [event.reason for event in of(Reconnecting, events)] == ["the connection broke off"]
    assert len(await paths(aimock)) == 2


@both_formats
async def test_silent_server_is_asked_again(aimock: Aimock, api: str) -> None:
    await aimock.teach(fixture(WORKS, 0, latency=3000), fixture(WORKS, 1))
    events = await ask(aimock, api=api, idle_seconds=0.3)
    assert final_event(events).text == shown_text(events) == TEXT
    assert [event.reason for event in of(Reconnecting, events)] == [
        "the model's server went silent"
    ]
    assert len(await paths(aimock)) == 2


@both_formats
async def test_slow_server_is_waited_for(aimock: Aimock, api: str) -> None:
    await aimock.teach(fixture(WORKS, latency=100), fixture(WORKS))
    events = await ask(aimock, api=api, idle_seconds=2)
    assert final_event(events) == Finished(TEXT, Usage(3, 5))
    assert await paths(aimock) == [PATHS[api]]


@both_formats
async def test_rate_limit_is_waited_for_as_long_as_asked(aimock: Aimock, api: str) -> None:
    await aimock.teach(fixture({**LIMITED, "retryAfter": 1}, 0), fixture(WORKS, 1))
    events = await ask(aimock, api=api)
    assert final_event(events) == Finished(TEXT, Usage(3, 5))
    assert announced_waits(events) == [1.0]
    assert of(Restarted, events) == []
    first, second = (entry["timestamp"] for entry in await aimock.journal())
    assert second - first >= 1000


@both_formats
async def test_rate_limit_of_ten_minutes_is_reported_instead(aimock: Aimock, api: str) -> None:
    await aimock.teach(fixture({**LIMITED, "retryAfter": 600}))
    end = final_event(await ask(aimock, api=api))
    assert isinstance(end, Failed)
    assert "10 minutes" in english(end.error.user_message)
    assert len(await paths(aimock)) == 1


@both_formats
@pytest.mark.parametrize(
    "chaos",
    [
        pytest.param({"dropRate": 1}, id="500"),
        pytest.param({"malformedRate": 1}, id="malformed"),
        pytest.param({"disconnectRate": 1}, id="disconnected"),
    ],
)
async def test_chaos_before_an_answer_is_survived(aimock: Aimock, api: str, chaos: JSON) -> None:
    await aimock.teach(*(fixture(WORKS, n, chaos=chaos) for n in range(2)), fixture(WORKS, 2))
    events = await ask(aimock, api=api)
    assert final_event(events) == Finished(TEXT, Usage(3, 5))
    assert [event.attempt for event in of(Reconnecting, events)] == [1, 2]
    assert of(Restarted, events) == []
    assert len(await paths(aimock)) == 3


@both_formats
async def test_endless_chaos_is_given_up(aimock: Aimock, api: str) -> None:
    await aimock.teach(fixture(WORKS, chaos={"malformedRate": 1}))
    end = final_event(await ask(aimock, api=api, attempts=3))
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamBusy)
    assert end.text == ""
    assert len(await paths(aimock)) == 4


@both_formats
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        pytest.param(429, "insufficient_quota", UpstreamRefused, id="money"),
        pytest.param(401, "invalid_api_key", UpstreamRefused, id="key"),
        pytest.param(400, "context_length_exceeded", PromptRefused, id="too long"),
    ],
)
async def test_permanent_error_is_not_retried(
    aimock: Aimock, api: str, status: int, code: str, kind: type[Exception]
) -> None:
    error = {"message": "No.", "type": "invalid_request_error", "code": code}
    await aimock.teach(fixture({"error": error, "status": status}))
    end = final_event(await ask(aimock, api=api))
    assert isinstance(end, Failed)
    assert isinstance(end.error, kind)
    assert len(await paths(aimock)) == 1


@both_formats
async def test_cut_answers_among_forty_at_once_are_completed(aimock: Aimock, api: str) -> None:
    cuts = [fixture(WORKS, n, truncateAfterChunks=7, **SLOWLY) for n in range(10)]
    await aimock.teach(*cuts, fixture(WORKS, latency=1))
    asked = upstream(aimock, api=api)
    answers = await asyncio.gather(*(collect(asked) for _ in range(40)))
    assert {final_event(events) for events in answers} == {Finished(TEXT, Usage(3, 5))}
    assert {shown_text(events) for events in answers} == {TEXT}
    assert sum(len(of(Restarted, events)) for events in answers) == 10
    assert len(await paths(aimock)) == 50
