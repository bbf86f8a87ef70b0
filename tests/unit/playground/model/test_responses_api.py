from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientConnectionError, ClientResponse

from tests.unit.playground.model.serving import (
    JSON,
    MODEL,
    DemoModel,
    ManualSleep,
    read,
    serving,
    text_of,
)

ESSAY = "write a long essay"
STREAM: JSON = {"model": MODEL, "input": ESSAY, "stream": True}
BACKGROUND: JSON = {**STREAM, "background": True}


class Clock:
    """Seconds, moved by hand."""

    seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def manual_sleep() -> ManualSleep:
    return ManualSleep()


@pytest.fixture
async def slow(manual_sleep: ManualSleep) -> AsyncIterator[DemoModel]:
    """A demo model that writes one token a beat."""
    async with serving(manual_sleep, words_per_second=40.0) as demo:
        yield demo


async def opened(demo: DemoModel, body: JSON) -> tuple[ClientResponse, AsyncIterator[JSON], str]:
    """An open stream, its events, and the id the first of them tells."""
    response = await demo.http.post(demo.url + "/responses", json=body)
    events = read(response.content.iter_any())
    created = await anext(events)
    return response, events, created["response"]["id"]


async def whole_text(demo: DemoModel) -> str:
    """The essay, uncut."""
    _, body = await demo.create(ESSAY, background=False)
    return str(body["output"][0]["content"][0]["text"])


async def test_background_response_continues_without_its_client(
    slow: DemoModel, manual_sleep: ManualSleep
) -> None:
    response, _, response_id = await opened(slow, BACKGROUND)
    response.close()
    manual_sleep.release_all()
    events = await slow.events("GET", f"/responses/{response_id}?stream=true&starting_after=0")
    assert [event["sequence_number"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == text_of(events)
    assert text_of(events).endswith("Then the next one.")


async def test_foreground_response_stops_when_its_client_disconnects(
    slow: DemoModel, manual_sleep: ManualSleep
) -> None:
    response, _, response_id = await opened(slow, STREAM)
    assert (await slow.call("GET", f"/responses/{response_id}"))[0] == 200
    response.close()
    while not slow.log("gone"):
        manual_sleep.release()
        await asyncio.sleep(0)
    assert (await slow.call("GET", f"/responses/{response_id}"))[0] == 404
    assert slow.log("gone")[0].detail["response"] == response_id


async def test_resumed_stream_continues_live(slow: DemoModel, manual_sleep: ManualSleep) -> None:
    response, events, response_id = await opened(slow, BACKGROUND)
    manual_sleep.release(5)
    seen = [event async for event, _ in _zip(events, 8)]
    response.close()
    path = f"/responses/{response_id}?stream=true&starting_after={seen[-1]['sequence_number']}"
    again = await slow.http.get(slow.url + path)
    manual_sleep.release_all()
    rest = [event async for event in read(again.content.iter_any())]
    again.close()
    assert rest[0]["sequence_number"] == seen[-1]["sequence_number"] + 1
    assert rest[-1]["response"]["output"][0]["content"][0]["text"] == text_of(seen + rest)
    assert [entry.detail["after"] for entry in slow.log("resume")] == [seen[-1]["sequence_number"]]


async def test_unfinished_response_can_be_polled_and_cancelled(
    slow: DemoModel, manual_sleep: ManualSleep
) -> None:
    response, events, response_id = await opened(slow, BACKGROUND)
    manual_sleep.release(3)
    seen = [event async for event, _ in _zip(events, 5)]
    assert text_of(seen)
    status, body = await slow.call("GET", f"/responses/{response_id}")
    assert (status, body["status"], body["output"], body["usage"]) == (200, "in_progress", [], None)
    for _ in range(2):
        status, body = await slow.call("POST", f"/responses/{response_id}/cancel")
        assert (status, body["status"]) == (200, "cancelled")
    assert [event async for event in events if event["type"].endswith("completed")] == []
    response.close()
    manual_sleep.release_all()
    assert (await slow.call("GET", f"/responses/{response_id}"))[1]["status"] == "cancelled"


async def test_deleted_response_is_forgotten_but_not_cancelled(
    slow: DemoModel, manual_sleep: ManualSleep
) -> None:
    _, events, response_id = await opened(slow, BACKGROUND)
    status, body = await slow.call("DELETE", f"/responses/{response_id}")
    assert (status, body["deleted"]) == (200, True)
    assert (await slow.call("GET", f"/responses/{response_id}"))[0] == 404
    manual_sleep.release_all()
    assert [event async for event in events][-1]["type"] == "response.completed"


async def test_server_shutdown_does_not_wait_for_its_streams() -> None:
    async with serving(ManualSleep(), words_per_second=40.0) as demo:
        _, running, _ = await opened(demo, BACKGROUND)
        demo.board.set_faults(stall_at=0.0)
        _, stalled, _ = await opened(demo, STREAM)
        await demo.until("stall")
    rest = [event["type"] for events in (running, stalled) async for event in events]
    assert "response.completed" not in rest


async def test_streaming_again_is_limited_to_recent_background_streams() -> None:
    clock = Clock()
    async with serving(now=clock, resumable_seconds=300, kept_seconds=600) as demo:
        foreground = (await demo.stream("hi"))[0]["response"]["id"]
        background = (await demo.stream("hi", background=True))[0]["response"]["id"]
        status, body = await demo.call("GET", f"/responses/{foreground}?stream=true")
        assert (status, body["error"]["message"]) == (
            400,
            "This response cannot be streamed because it was not created with background=true.",
        )
        clock.seconds += 301
        status, body = await demo.call("GET", f"/responses/{background}?stream=true")
        assert (status, body["error"]["message"]) == (
            400,
            "This response can no longer be streamed because it is more than 5 minutes old.",
        )
        assert (await demo.call("GET", f"/responses/{background}"))[1]["status"] == "completed"
        clock.seconds += 300
        assert (await demo.call("GET", f"/responses/{background}"))[0] == 404


async def test_response_that_was_not_stored_is_not_found(demo: DemoModel) -> None:
    response_id = (await demo.create("hi", store=False))[1]["id"]
    assert (await demo.call("GET", f"/responses/{response_id}"))[0] == 404


async def test_foreground_response_can_not_be_cancelled(demo: DemoModel) -> None:
    response_id = (await demo.create("hi"))[1]["id"]
    status, body = await demo.call("POST", f"/responses/{response_id}/cancel")
    assert (status, body["error"]["message"]) == (400, "Cannot cancel a synchronous response.")


@pytest.mark.parametrize(
    ("model", "fields", "code"),
    [
        ("gpt-0", {}, "model_not_found"),
        ("demo-chat-only", {}, "no_contract_compatible_route"),
        ("demo-no-background", {"background": True}, "unsupported_request_field"),
    ],
)
async def test_request_for_what_a_model_can_not_do_is_refused(
    demo: DemoModel, model: str, fields: JSON, code: str
) -> None:
    status, body = await demo.create("hi", model=model, **fields)
    assert (status, body["error"]["code"]) == (400, code)
    assert [entry.detail["code"] for entry in demo.log("refused")] == [code]


async def test_model_without_background_answers_in_the_foreground(demo: DemoModel) -> None:
    assert (await demo.create("hi", model="demo-no-background"))[0] == 200


async def test_wrong_cursor_is_refused(demo: DemoModel) -> None:
    response_id = (await demo.stream("hi", background=True))[0]["response"]["id"]
    path = f"/responses/{response_id}?stream=true&starting_after=soon"
    assert (await demo.call("GET", path))[1]["error"]["param"] == "starting_after"


async def test_large_requests_are_read_and_huge_ones_refused() -> None:
    async with serving(largest_body=2_000_000) as demo:  # aiohttp's own limit is half of it
        for size, expected in ((1_200_000, 200), (2_000_000, 413)):
            data = io.BytesIO(json.dumps({"model": MODEL, "input": "a" * size}).encode())
            async with demo.http.post(demo.url + "/responses", data=data) as response:
                assert response.status == expected


async def test_request_id_is_in_every_response(demo: DemoModel) -> None:
    for path in ("/models", "/models/none", "/responses/none"):
        async with demo.http.get(demo.url + path) as response:
            assert response.headers["x-request-id"].startswith("req_")


async def test_cut_foreground_response_is_lost_and_the_next_attempt_succeeds(
    demo: DemoModel,
) -> None:
    whole = await whole_text(demo)
    demo.board.set_faults(drop_at=0.6)
    cut = await demo.stream(ESSAY)
    assert len(text_of(cut)) == pytest.approx(0.6 * len(whole), abs=10)
    assert whole.startswith(text_of(cut))
    assert (await demo.call("GET", f"/responses/{cut[0]['response']['id']}"))[0] == 404
    assert text_of(await demo.stream(ESSAY)) == whole
    assert len(text_of(await demo.stream(ESSAY))) < len(whole)  # asked anew, cut anew
    told = [entry.what for entry in demo.board.log if entry.kind == "upstream"][2:]
    assert told == ["connect", "drop", "refused", "connect", "end", "connect", "drop"]


async def test_background_response_is_cut_as_often_as_set(demo: DemoModel) -> None:
    whole = await whole_text(demo)
    demo.board.set_faults(drop_at=0.5, drop_times=3)
    events = await demo.stream(ESSAY, background=True)
    path = f"/responses/{events[0]['response']['id']}?stream=true"
    for _ in range(2):  # nothing new comes: the cut is at the same place of the text
        after = events[-1]["sequence_number"]
        assert await demo.events("GET", f"{path}&starting_after={after}") == []
    events += await demo.events("GET", f"{path}&starting_after={after}")
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert text_of(events) == whole
    assert len(demo.log("drop")) == 3


async def test_cut_at_the_very_start_comes_after_the_response_id(demo: DemoModel) -> None:
    demo.board.set_faults(drop_at=0.0)
    assert [event["type"] for event in await demo.stream(ESSAY)] == ["response.created"]


async def test_response_without_a_stream_can_be_cut_too(demo: DemoModel) -> None:
    demo.board.set_faults(drop_at=0.5)
    with pytest.raises(ClientConnectionError):
        await demo.create(ESSAY)
    assert (await demo.create(ESSAY))[0] == 200


async def test_stalled_stream_is_silent_until_the_stall_is_lifted(demo: DemoModel) -> None:
    demo.board.set_faults(stall_at=0.5)
    reading = asyncio.create_task(demo.stream(ESSAY))
    await demo.until("stall")
    assert not reading.done()
    demo.board.set_faults(stall_at=None)
    assert text_of(await reading) == await whole_text(demo)


async def test_stalled_stream_ends_when_its_client_disconnects(demo: DemoModel) -> None:
    demo.board.set_faults(stall_at=0.5)
    response, _, response_id = await opened(demo, STREAM)
    await demo.until("stall")
    response.close()
    await demo.until("gone")
    assert demo.log("gone")[0].detail["response"] == response_id


async def test_status_fault_of_the_board_refuses_the_next_requests(demo: DemoModel) -> None:
    demo.board.set_faults(model_status=429, model_status_times=2)
    for _ in range(2):
        async with demo.http.post(demo.url + "/responses", json=STREAM) as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "2"
            assert (await response.json())["error"]["code"] == "rate_limit_exceeded"
    assert (await demo.create("hi"))[0] == 200


async def test_log_has_the_start_and_the_end_of_each_connection(demo: DemoModel) -> None:
    made = await demo.stream("hi", background=True)
    (connect,), (end,) = demo.log("connect"), demo.log("end")
    assert connect.detail == {
        "response": made[0]["response"]["id"],
        "api": "responses",
        "model": MODEL,
        "stream": True,
        "background": True,
    }
    assert end.detail == {"response": made[0]["response"]["id"], "events": len(made)}


async def _zip(events: AsyncIterator[JSON], count: int) -> AsyncIterator[tuple[JSON, int]]:
    """The next `count` events."""
    for n in range(count):
        yield await anext(events), n
