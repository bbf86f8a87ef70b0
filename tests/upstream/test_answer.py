"""The ladder climbed: what is asked, what is waited, what the reader is told, what stands there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import accumulate

import pytest

from bot.errors import StreamDropped, UpstreamBusy, UpstreamRefused, UpstreamUnreachable
from bot.upstream.answer import NOT_TWICE
from bot.upstream.events import (
    Activity,
    Event,
    Failed,
    Finished,
    Reconnecting,
    Restarted,
    Started,
    TextDelta,
)
from tests.upstream.asking import PROMPT, ask, final, shown, upstream, waits
from tests.upstream.clock import Clock
from tests.upstream.fake import HOWS, Cut, How, Out, Service, refusal
from tests.upstream.wire import block, numbered, response, responses_payloads

PIECES = ["Otters ", "hold ", "hands ", "while ", "they ", "sleep."]
TEXT = "".join(PIECES)
ASK, RESUME, POLL = "POST /responses", "GET /responses/resp_1", "GET /responses/resp_1"
CANCEL = "POST /responses/resp_1/cancel"
ASKED_TO_WAIT = "the model's server asked us to wait"
HAD_A_PROBLEM = "the model's server had a problem"
BROKE_OFF = "the connection broke off"
CHAT = "POST /chat/completions"


def after(service: Service, events: int) -> int:
    """Return how many bytes that many events of a background stream have."""
    return list(accumulate(map(len, service.resumable)))[events - 1]


def resumable(how: How = "eof", events: int = 5, times: int = 1) -> Service:
    """Return a service whose first streams break off after so many events."""
    service = Service(PIECES)
    service.cuts.append(Cut(after(service, events), how))
    service.cuts.extend(Cut(40, how) for _ in range(times - 1))
    return service


def told(events: list[Event]) -> list[tuple[int, int, float, str]]:
    """Return what the reader is told of the line."""
    return [(e.attempt, e.of, e.wait, e.why) for e in events if isinstance(e, Reconnecting)]


async def test_an_answer_comes_as_started_deltas_and_an_end() -> None:
    service = Service(PIECES)
    events = await ask(service)
    assert events[0] == Started("resp_1", "tiny", resumable=False)
    assert [e.text for e in events if isinstance(e, TextDelta)] == PIECES
    end = final(events)
    assert isinstance(end, Finished)
    assert (end.text, end.usage.input_tokens, end.usage.output_tokens) == (TEXT, 3, 7)
    assert service.paths == [ASK]


# Before the first event.


@pytest.mark.parametrize(
    ("fault", "wait", "why"),
    [
        (Out(0), 0.5, "the model's server can't be reached"),
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
        (Out(502, b"<html>Bad gateway</html>"), 0.5, HAD_A_PROBLEM),
        (Out(500, b""), 0.5, HAD_A_PROBLEM),
        (Out(200, b'{"id": '), 0.5, HAD_A_PROBLEM),
        (Out(200, b""), 0.5, BROKE_OFF),
        (Out(200, b": ping\n\n"), 0.5, BROKE_OFF),
        (Out(200, b"data: [DONE]\n\n"), 0.5, BROKE_OFF),
        (Out(200, b"data: 7\n\ndata: {\n\n"), 0.5, BROKE_OFF),
    ],
)
async def test_a_failure_before_the_first_event_is_tried_again(
    fault: Out,
    wait: float,
    why: str,
) -> None:
    service = Service(PIECES, faults=[fault])
    events = await ask(service)
    assert told(events) == [(1, 5, wait, why)]
    assert not any(isinstance(event, Restarted) for event in events)
    assert final(events).text == TEXT
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
        (Out(200, b"<!doctype html><p>Welcome"), "web page"),
        (Out(307, b"", {"location": "http://elsewhere.test/"}), "moved"),
    ],
)
async def test_a_final_refusal_is_told_at_once(fault: Out, said: str) -> None:
    service = Service(PIECES, faults=[fault])
    events = await ask(service)
    assert len(events) == 1
    end = final(events)
    assert isinstance(end, Failed)
    assert said in end.error.sentence
    assert service.paths == [ASK]


async def test_five_attempts_then_the_sentence() -> None:
    service = Service(PIECES, faults=[refusal(503)] * 9)
    events = await ask(service)
    assert waits(events) == [0.5, 1, 2, 4, 8]
    assert [e.attempt for e in events if isinstance(e, Reconnecting)] == [1, 2, 3, 4, 5]
    end = final(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamBusy)
    assert service.paths == [ASK] * 6


async def test_a_server_nobody_reaches_is_told_so() -> None:
    events = await ask(Service(PIECES, faults=[Out(0)] * 9))
    end = final(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, UpstreamUnreachable)


async def test_no_attempt_begins_after_the_time_is_up() -> None:
    clock = Clock()
    service = Service(PIECES, faults=[refusal(503, headers={"retry-after": "50"})] * 9)
    async with upstream(service, clock, total_seconds=120) as asked:
        events = [event async for event in asked.answer(PROMPT)]
    assert waits(events) == [50, 50]
    assert clock.time - 1000 == 100


# Resuming.


@pytest.mark.parametrize("how", HOWS)
async def test_a_dropped_stream_is_resumed_where_it_broke(how: How) -> None:
    service = resumable(how)
    events = await ask(service, background="on")
    assert final(events).text == shown(events) == TEXT
    why = "the model's server went silent" if how == "silence" else BROKE_OFF
    assert told(events) == [(1, 5, 0.5, why)]
    assert not any(isinstance(event, Restarted) for event in events)
    assert service.paths == [ASK, RESUME]
    assert service.asked[1].query == {"stream": "true", "starting_after": "4"}


async def test_background_asks_to_be_kept_and_says_it_can_be_resumed() -> None:
    service = Service(PIECES)
    events = await ask(service, background="on")
    assert events[0] == Started("resp_1", "tiny", resumable=True)
    assert service.asked[0].body["background"] is True
    assert service.asked[0].body["store"] is True


async def test_a_server_that_sends_again_what_we_have_is_not_doubled() -> None:
    service = resumable()
    service.faults.append(Out(200, b"".join(service.resumable), cut=Cut(after(service, 6))))
    events = await ask(service, background="on")  # cut, then resumed
    assert final(events).text == shown(events) == TEXT
    repeated = Service(PIECES)
    repeated.cuts.append(Cut(after(repeated, 6)))
    repeated.resume_refusal = Out(200, b"".join(repeated.resumable))  # all of it, every time
    events = await ask(repeated, background="on")
    assert final(events).text == shown(events) == TEXT
    assert [e.text for e in events if isinstance(e, TextDelta)] == PIECES


async def test_a_keepalive_uses_up_a_number() -> None:
    payloads = responses_payloads(PIECES, background=True)
    service = Service(PIECES)
    service.resumable = numbered([*payloads[:4], {"type": "keepalive"}, *payloads[4:]])
    service.cuts.append(Cut(after(service, 5)))
    events = await ask(service, background="on")
    assert service.asked[1].query["starting_after"] == "4"
    assert final(events).text == shown(events) == TEXT


async def test_without_numbers_a_response_is_not_resumed_but_polled() -> None:
    service = Service(PIECES)
    payloads = responses_payloads(PIECES, background=True)
    service.resumable = [block(payload) for payload in payloads]
    service.cuts.append(Cut(after(service, 5)))
    events = await ask(service, background="on")
    assert service.paths == [ASK, POLL]
    assert service.asked[1].query == {}
    assert final(events).text == TEXT


async def test_falls_without_progress_use_up_the_attempts() -> None:
    service = resumable(times=9)
    events = await ask(service, background="on")
    assert [e.attempt for e in events if isinstance(e, Reconnecting)] == [1, 2, 3, 4, 5]
    end = final(events)
    assert isinstance(end, Failed)
    assert isinstance(end.error, StreamDropped)
    assert end.text == shown(events) == "Otters hold "
    assert service.paths == [ASK, *[RESUME] * 5, CANCEL]


async def test_a_busy_server_is_waited_for_before_it_resumes() -> None:
    service = resumable()
    async with upstream(service, background="on") as asked:
        events = []
        async for event in asked.answer(PROMPT):
            if isinstance(event, Reconnecting) and not service.faults and event.attempt == 1:
                service.faults.append(refusal(429, headers={"retry-after": "9"}))
            events.append(event)
    assert waits(events) == [0.5, 9]
    assert service.paths == [ASK, RESUME, RESUME]
    assert final(events).text == shown(events) == TEXT


# Polling.


TOO_OLD = refusal(
    400,
    "This response can no longer be streamed because it is more than 5 minutes old.",
)


@pytest.mark.parametrize("status", [404, 405, 409, 410, 501])
async def test_where_resuming_is_refused_the_response_is_polled(status: int) -> None:
    service = resumable()
    service.resume_refusal = refusal(status)
    service.polls_before_done = 3
    clock = Clock()
    async with upstream(service, clock, background="on") as asked:
        events = [event async for event in asked.answer(PROMPT)]
    assert final(events).text == TEXT
    assert service.paths == [ASK, RESUME, *[POLL] * 4]
    assert Activity("Waiting for the rest of the answer…") in events
    assert clock.time - 1000 == 0.5 + 3 * 2
    assert len(told(events)) == 1


async def test_a_server_without_resume_is_not_asked_for_it_again_for_a_day() -> None:
    service = Service(PIECES)
    service.resume_refusal = refusal(404)
    clock = Clock()
    async with upstream(service, clock, background="on") as asked:
        for _ in range(2):
            service.cuts.append(Cut(after(service, 5)))
            assert final([event async for event in asked.answer(PROMPT)]).text == TEXT
        assert service.paths == [ASK, RESUME, POLL, ASK, POLL]
        assert [request.query for request in service.asked].count({}) == 4
        clock.time += 24 * 3600
        service.asked.clear()
        service.cuts.append(Cut(after(service, 5)))
        assert final([event async for event in asked.answer(PROMPT)]).text == TEXT
        assert service.asked[1].query["stream"] == "true"


async def test_a_response_too_old_to_resume_says_nothing_of_the_server() -> None:
    service = Service(PIECES)
    service.resume_refusal = TOO_OLD
    async with upstream(service, background="on") as asked:
        for _ in range(2):
            service.cuts.append(Cut(after(service, 5)))
            assert final([event async for event in asked.answer(PROMPT)]).text == TEXT
    assert [request.query.get("stream") for request in service.asked].count("true") == 2


async def test_a_response_that_is_gone_is_asked_for_anew() -> None:
    service = resumable()
    service.resume_refusal = service.poll_refusal = refusal(404)
    events = await ask(service, background="on")
    assert service.paths == [ASK, RESUME, POLL, ASK]
    assert sum(isinstance(event, Restarted) for event in events) == 1
    assert final(events).text == shown(events) == TEXT


async def test_a_response_that_is_never_finished_is_cancelled_and_asked_for_anew() -> None:
    service = resumable()
    service.resume_refusal = refusal(404)
    service.polls_before_done = 10_000
    events = await ask(service, background="on", progress_seconds=100)
    assert service.paths.count(POLL) == 1 + 50
    assert service.paths[-2:] == [CANCEL, ASK] or service.paths[-2:] == [ASK, CANCEL]
    assert final(events).text == shown(events) == TEXT


async def test_a_resumed_stream_that_stays_silent_is_polled() -> None:
    service = resumable()
    service.cuts.append(Cut(0, "silence"))
    events = await ask(service, background="on")
    assert service.paths == [ASK, RESUME, POLL]
    assert final(events).text == TEXT


async def test_a_poll_that_fails_is_tried_again() -> None:
    service = resumable()
    service.resume_refusal = refusal(404)
    async with upstream(service, background="on") as asked:
        events = []
        async for event in asked.answer(PROMPT):
            if isinstance(event, Activity) and event.text.startswith("Waiting"):
                service.faults.extend([refusal(503)] if len(service.asked) < 3 else [])
            events.append(event)
    assert service.paths == [ASK, RESUME, POLL, POLL]
    assert final(events).text == TEXT


async def test_background_answered_without_a_stream_is_polled_and_not_asked_for_again() -> None:
    queued = json.dumps(response("queued", background=True)).encode()
    service = Service(PIECES, faults=[Out(200, queued, {"content-type": "application/json"})])
    async with upstream(service, background="on") as asked:
        events = [event async for event in asked.answer(PROMPT)]
        assert final(events).text == TEXT
        assert service.paths == [ASK, POLL]
        assert told(events) == []
        assert final([event async for event in asked.answer(PROMPT)]).text == TEXT
    assert "background" not in service.asked[-1].body


# Beginning anew.


@pytest.mark.parametrize("how", HOWS)
async def test_what_cannot_be_resumed_is_begun_anew_and_replaces(how: How) -> None:
    service = resumable(how)
    events = await ask(service)
    assert service.paths == [ASK, ASK]
    order = [type(event) for event in events if not isinstance(event, TextDelta | Activity)]
    assert order == [Started, Reconnecting, Restarted, Started, Finished]
    assert final(events).text == shown(events) == TEXT


async def test_the_longest_text_is_kept_when_nothing_helps() -> None:
    service = Service(PIECES)
    service.cuts.extend(Cut(after(service, count)) for count in (7, 5, 4, 4, 4, 4, 4))
    events = await ask(service)
    end = final(events)
    assert isinstance(end, Failed)
    assert end.text == shown(events) == "Otters hold hands while "


async def test_progress_gives_new_attempts_but_not_generations_without_end() -> None:
    pieces = [f"{number} " for number in range(40)]
    service = Service(pieces)
    service.cuts.extend(Cut(after(service, 5 + count)) for count in range(30))
    events = await ask(service)
    assert service.paths == [ASK] * 6
    assert {e.attempt for e in events if isinstance(e, Reconnecting)} == {1}
    end = final(events)
    assert isinstance(end, Failed)
    assert end.text == shown(events)


async def test_nothing_is_begun_anew_after_a_tool_that_may_have_done_something() -> None:
    call = {"type": "mcp_call", "id": "mcp_1", "name": "delete_all", "server_label": "house"}
    item = {"type": "response.output_item.added", "output_index": 0, "item": call}
    payloads = responses_payloads(PIECES)
    service = Service(PIECES)
    service.foreground = numbered([*payloads[:2], item, *payloads[2:]])
    service.cuts.append(Cut(sum(map(len, service.foreground[:6]))))
    events = await ask(service)
    assert service.paths == [ASK]
    end = final(events)
    assert isinstance(end, Failed)
    assert end.error.sentence == NOT_TWICE
    assert end.text == shown(events) == "Otters hold "
    assert Activity("Using delete_all…") in events


@pytest.mark.parametrize(
    ("error", "again"),
    [
        ({"code": "server_error", "message": "An error occurred"}, 0.5),
        ({"code": "rate_limit_exceeded", "message": "Please try again in 6.5s."}, 6.5),
        ({"code": "vector_store_timeout", "message": ""}, 0.5),
        ({"code": "invalid_prompt", "message": "no"}, None),
        ({"code": "context_length_exceeded", "message": "no"}, None),
        ({"code": "insufficient_quota", "message": "no"}, None),
    ],
)
@pytest.mark.parametrize("shape", ["failed", "flat", "nested", "untyped"])
@pytest.mark.parametrize("background", ["on", "off"])
async def test_a_failure_inside_the_stream_is_the_end_of_that_response(
    error: dict[str, str],
    again: float | None,
    shape: str,
    background: str,
) -> None:
    told_as = {
        "failed": {"type": "response.failed", "response": response("failed", error=error)},
        "flat": {"type": "error", **error},
        "nested": {"type": "error", "error": error},
        "untyped": {"error": error},
    }[shape]
    start = responses_payloads(PIECES, background=background == "on")[:5]
    body = b"".join([*map(block, start), block(told_as)])
    service = Service(PIECES, faults=[Out(200, body, cut=Cut(len(body), "silence"))])
    events = await ask(service, background=background)
    assert waits(events) == ([] if again is None else [again])
    end = final(events)
    if again is None:
        assert isinstance(end, Failed)
        assert not end.error.retryable
        assert end.text == shown(events) == "Otters hold "
        assert service.paths == [ASK]
    else:
        assert end.text == shown(events) == TEXT
        assert service.paths == [ASK, ASK]


# Ending and leaving.


async def test_the_end_is_acted_on_at_once_though_the_line_stays_open() -> None:
    service, clock = Service(PIECES), Clock()
    service.cuts.append(Cut(sum(map(len, service.foreground)), "silence"))
    async with upstream(service, clock) as asked:
        async for event in asked.answer(PROMPT):
            last, at = event, clock.time
    assert isinstance(last, Finished)
    assert last.text == TEXT
    assert at == 1000
    assert clock.time < 1000.3


async def test_a_chat_answer_waits_a_moment_for_its_token_counts() -> None:
    service, clock = Service(PIECES), Clock()
    counts = service.chat.index(b'"usage"')
    service.cuts.append(Cut(service.chat.rindex(b"data: ", 0, counts), "silence"))
    async with upstream(service, clock, step=50, api="chat") as asked:
        events = [event async for event in asked.answer(PROMPT)]
    assert final(events).text == TEXT
    assert 1 <= clock.time - 1000 <= 1.2


async def test_an_answer_let_go_closes_its_connection_and_cancels_the_response() -> None:
    service = Service(PIECES)
    service.cuts.append(Cut(after(service, 5), "silence"))
    async with upstream(service, background="on") as asked:
        async with aclosing(asked.answer(PROMPT)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
        assert str(service.closed.get_nowait()) == ASK
    assert service.paths == [ASK, CANCEL]


async def test_a_response_that_ends_with_its_connection_needs_no_cancelling() -> None:
    service = Service(PIECES)
    async with upstream(service) as asked, aclosing(asked.answer(PROMPT)) as events:
        await anext(events)
    assert service.paths == [ASK]


async def test_whoever_leaves_lets_the_response_go_on() -> None:
    service = resumable("silence")
    async with (
        upstream(service, background="on") as asked,
        aclosing(asked.answer(PROMPT)) as events,
    ):
        await anext(events)
        asked.leave()
    assert service.paths == [ASK]


async def test_a_response_begun_elsewhere_is_taken_over_from_its_beginning() -> None:
    service = resumable("silence")
    async with upstream(service, background="on") as asked:
        async with aclosing(asked.answer(PROMPT)) as events:
            await anext(events)
            asked.leave()
        taken = [event async for event in asked.answer(PROMPT, "resp_1")]
    assert service.paths == [ASK, RESUME]
    assert service.asked[1].query["starting_after"] == "0"
    assert taken[0] == Restarted()
    assert final(taken).text == shown(taken) == TEXT


async def test_a_response_that_cannot_be_taken_over_is_asked_for_anew() -> None:
    service = Service(PIECES)
    service.resume_refusal = service.poll_refusal = refusal(404)
    async with upstream(service) as asked:
        events = [event async for event in asked.answer(PROMPT, "resp_1")]
    assert service.paths == [RESUME, POLL, ASK]
    assert final(events).text == shown(events) == TEXT


async def test_a_server_without_cancel_is_not_asked_to_again() -> None:
    service = Service(PIECES)
    service.cancel_refusal = refusal(404)
    async with upstream(service, background="on") as asked:
        for _ in range(2):
            service.cuts.append(Cut(after(service, 5), "silence"))
            async with aclosing(asked.answer(PROMPT)) as events:
                await anext(events)
            await asked.aclose()
    assert service.paths.count(CANCEL) == 1


async def collect(events: AsyncIterator[Event]) -> list[Event]:
    """Return them all."""
    return [event async for event in events]


async def test_refused_hosted_tools_are_left_out() -> None:
    service = Service(PIECES, faults=[refusal(400, "web_search is not supported", param="tools")])
    prompt = type(PROMPT)("", PROMPT.messages, hosted_tools=({"type": "web_search"},))
    async with upstream(service) as asked:
        events = await collect(asked.answer(prompt))
        assert final(events).text == TEXT
        assert told(events) == []
        await collect(asked.answer(prompt))
    assert [request.body.get("tools") for request in service.asked] == [
        [{"type": "web_search"}],
        None,
        None,
    ]


async def test_a_refusal_that_names_no_way_out_is_final() -> None:
    fault = refusal(400, "Invalid 'temperature'", param="temperature")
    events = await ask(Service(PIECES, faults=[fault]), api="auto")
    end = final(events)
    assert isinstance(end, Failed)
    assert not isinstance(end.error, UpstreamRefused)
