"""Resuming a response of another process, at a cursor or from its start, loses no text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from bot.turn.state.answer_state import AnswerState
from bot.upstream.events import Event, Failed, Finished, Restarted, TextDelta
from bot.upstream.resume_point import Cursor, ResumePoint
from bot.upstream.wire.responses import ResponsesDecoder
from bot.words import Phrase
from tests.support.words import EN
from tests.unit.upstream.fake_model_server import FakeModelServer, ScriptedResponse, refusal
from tests.unit.upstream.sample_stream import ASK, PIECES, POLL, RESUME, TEXT, resumable_server
from tests.unit.upstream.upstream_setup import PROMPT, ask, final_event, shown_text, upstream
from tests.unit.upstream.wire import response, responses_payloads

CURSORS = [f"{n + 3} 0 0 {len(''.join(PIECES[: n + 1]))} resp_1" for n in range(len(PIECES))]


async def take_over(service: FakeModelServer, begun: ResumePoint) -> list[Event]:
    async with upstream(service, background="on") as asked:
        return [event async for event in asked.answer(PROMPT, begun)]


def decoded(payloads: Sequence[dict[str, Any]], begun: ResumePoint | None = None) -> list[Event]:
    decoder = ResponsesDecoder.resumed_from(begun, "tiny") if begun else ResponsesDecoder("tiny")
    after = decoder.sequence
    numbered = [{**payload, "sequence_number": n} for n, payload in enumerate(payloads)]
    datas = [json.dumps(one).encode() for one in numbered[after + 1 :]]
    return [event for data in datas for event in decoder.feed(data)]


def cursors(events: Sequence[Event]) -> list[str]:
    return [event.cursor for event in events if isinstance(event, TextDelta)]


async def test_cursor_comes_with_every_resumable_delta_but_the_first() -> None:
    assert cursors(await ask(FakeModelServer(PIECES), background="on")) == ["", *CURSORS[1:]]
    assert cursors(await ask(FakeModelServer(PIECES))) == [""] * len(PIECES)


@pytest.mark.parametrize("known", range(1, len(PIECES)))
async def test_resume_point_yields_only_the_text_after_it(known: int) -> None:
    service, text = FakeModelServer(PIECES), "".join(PIECES[: known + 1])
    events = await take_over(service, ResumePoint("resp_1", text, CURSORS[known]))
    assert service.paths == [RESUME]
    assert service.requests[0].query["starting_after"] == CURSORS[known].split()[0]
    assert Restarted() not in events
    assert [e.text for e in events if isinstance(e, TextDelta)] == PIECES[known + 1 :]
    assert text + shown_text(events) == TEXT
    assert isinstance(end := final_event(events), Finished)
    assert end.text == TEXT


@pytest.mark.parametrize("how", [(), (40,), (40, 200)], ids=["once", "twice", "three times"])
async def test_resume_point_response_is_resumed_again_after_a_drop(
    how: tuple[int, ...],
) -> None:
    service = resumable_server(events=3, times=1 + len(how))
    events = await take_over(service, ResumePoint("resp_1", "".join(PIECES[:2]), CURSORS[1]))
    assert final_event(events).text == TEXT
    assert Restarted() not in events


@pytest.mark.parametrize(
    "cursor",
    ["", "4 0 0 15 resp_1", "4 0 0 13 resp_0", "4 0 0 13", "four 0 0 13 resp_1"],
    ids=["none", "of another text", "of another response", "too short", "no numbers"],
)
async def test_resume_point_ignores_a_cursor_of_another_text(cursor: str) -> None:
    service = FakeModelServer(PIECES)
    events = await take_over(service, ResumePoint("resp_1", "".join(PIECES[:2]), cursor))
    assert service.requests[0].query["starting_after"] == "0"
    assert events[0] == Restarted()
    assert final_event(events).text == shown_text(events) == TEXT


async def test_resume_point_skips_what_a_server_sends_again() -> None:
    service = FakeModelServer(PIECES)
    service.resume_refusal = ScriptedResponse(200, b"".join(service.resumable))
    events = await take_over(service, ResumePoint("resp_1", "".join(PIECES[:2]), CURSORS[1]))
    assert "".join(PIECES[:2]) + shown_text(events) == TEXT
    assert final_event(events).text == TEXT


async def test_resume_point_polled_response_ends_with_all_text() -> None:
    service = FakeModelServer(PIECES)
    service.resume_refusal = refusal(404)
    events = await take_over(service, ResumePoint("resp_1", "".join(PIECES[:2]), CURSORS[1]))
    assert service.paths == [RESUME, POLL]
    assert Restarted() not in events
    assert final_event(events).text == TEXT


async def test_resume_point_of_a_lost_response_restarts_and_keeps_its_text() -> None:
    service = FakeModelServer(PIECES)
    service.resume_refusal = service.poll_refusal = refusal(404)
    events = await take_over(service, ResumePoint("resp_1", "".join(PIECES[:2]), CURSORS[1]))
    assert service.paths == [RESUME, POLL, ASK]
    assert events.count(Restarted()) == 1
    assert final_event(events).text == shown_text(events) == TEXT


@pytest.mark.parametrize("cursor", ["", CURSORS[1]], ids=["from its start", "from a cursor"])
async def test_resume_point_of_a_lost_irreversible_response_fails(
    cursor: str,
) -> None:
    service, text = FakeModelServer(PIECES), "".join(PIECES[:2])
    service.resume_refusal = service.poll_refusal = refusal(404)
    events = await take_over(service, ResumePoint("resp_1", text, cursor, irreversible=True))
    assert ASK not in service.paths
    assert isinstance(end := final_event(events), Failed)
    assert end.error.user_message == Phrase.NOT_RESTARTED
    assert end.text in ("", text)


def test_cursor_is_missing_after_several_parts() -> None:
    payloads = responses_payloads(PIECES, background=True)
    second = [{**one, "output_index": 1} for one in payloads[3:5]]
    assert cursors(decoded([*payloads[:5], *second])) == ["", CURSORS[1], "", ""]


def test_cursor_is_missing_after_a_citation_or_call() -> None:
    payloads = responses_payloads(PIECES, background=True)
    source = {"type": "url_citation", "url": "https://otters.test", "title": "Otters"}
    cited = {"type": "response.output_text.annotation.added", "annotation": source}
    call = {"type": "function_call", "call_id": "c", "name": "now", "arguments": "{}"}
    called = {"type": "response.output_item.done", "output_index": 1, "item": call}
    for more in (cited, called):
        assert cursors(decoded([*payloads[:5], more, payloads[5]])) == ["", CURSORS[1], ""]


def lean(pieces: Sequence[str]) -> list[dict[str, Any]]:
    """From a server that leaves the index out of its deltas and the text out of its end."""
    payloads = [dict(one) for one in responses_payloads(pieces, background=True)]
    for payload in payloads[3:-2]:
        del payload["output_index"], payload["content_index"]
    payloads[-1]["response"] = response("completed", background=True)
    return payloads


def halved() -> list[dict[str, Any]]:
    """From a server that counts in UTF-16: an otter is cut in two."""
    payloads = responses_payloads(["Otters ", "hold \ud83e", "\udda6", " hands."], background=True)
    return payloads[:-3]


@pytest.mark.parametrize("payloads", [lean(PIECES), halved()], ids=["no indexes", "half an emoji"])
def test_resume_point_at_any_event_ends_with_the_same_text(
    payloads: list[dict[str, Any]],
) -> None:
    whole = AnswerState("turn1", EN)
    for event in decoded(payloads):
        whole.apply(event)
    for died in range(4, len(payloads)):
        first = AnswerState("turn1", EN)
        for event in decoded(payloads[:died]):
            first.apply(event)
        begun = ResumePoint("resp_1", first.text, first.cursor)
        if begun.parsed_cursor is None:
            continue
        again = AnswerState("turn1", EN, begun.text, begun.cursor)
        for event in decoded(payloads, begun):
            again.apply(event)
            assert whole.text.startswith(again.text)
        assert again.text == whole.text


def test_cursor_is_parsed_as_it_was_written() -> None:
    cursor = Cursor(17, 2, 1, 5, "resp_1")
    assert ResumePoint("resp_1", "Otter", str(cursor)).parsed_cursor == cursor
