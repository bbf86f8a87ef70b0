"""The session restarts what cannot be resumed, within bounds."""

from __future__ import annotations

import pytest

from bot.upstream.events import (
    Activity,
    Failed,
    Finished,
    Reconnecting,
    Restarted,
    Started,
    TextDelta,
)
from bot.words import Phrase, sentence
from tests.unit.upstream.fake_model_server import (
    CUT_KINDS,
    Cut,
    CutKind,
    FakeModelServer,
    ScriptedResponse,
)
from tests.unit.upstream.sample_stream import (
    ASK,
    PIECES,
    TEXT,
    bytes_of_events,
    resumable_server,
)
from tests.unit.upstream.upstream_setup import announced_waits, ask, final_event, shown_text
from tests.unit.upstream.wire import block, numbered, response, responses_payloads


@pytest.mark.parametrize("how", CUT_KINDS)
async def test_session_restart_replaces_the_shown_text(how: CutKind) -> None:
    service = resumable_server(how)
    events = await ask(service)
    assert service.paths == [ASK, ASK]
    order = [type(event) for event in events if not isinstance(event, TextDelta | Activity)]
    assert order == [Started, Reconnecting, Restarted, Started, Finished]
    assert final_event(events).text == shown_text(events) == TEXT


async def test_session_failure_keeps_the_longest_text() -> None:
    service = FakeModelServer(PIECES)
    service.cuts.extend(Cut(bytes_of_events(service, count)) for count in (7, 5, 4, 4, 4, 4, 4))
    events = await ask(service)
    end = final_event(events)
    assert isinstance(end, Failed)
    assert end.text == shown_text(events) == "Otters hold hands while "


async def test_session_restarts_are_bounded_despite_progress() -> None:
    pieces = [f"{number} " for number in range(40)]
    service = FakeModelServer(pieces)
    service.cuts.extend(Cut(bytes_of_events(service, 5 + count)) for count in range(30))
    events = await ask(service)
    assert service.paths == [ASK] * 6
    assert {e.attempt for e in events if isinstance(e, Reconnecting)} == {1}
    end = final_event(events)
    assert isinstance(end, Failed)
    assert end.text == shown_text(events)


async def test_session_never_restarts_after_an_irreversible_tool() -> None:
    call = {"type": "mcp_call", "id": "mcp_1", "name": "delete_all", "server_label": "house"}
    item = {"type": "response.output_item.added", "output_index": 0, "item": call}
    payloads = responses_payloads(PIECES)
    service = FakeModelServer(PIECES)
    service.foreground = numbered([*payloads[:2], item, *payloads[2:]])
    service.cuts.append(Cut(sum(map(len, service.foreground[:6]))))
    events = await ask(service)
    assert service.paths == [ASK]
    end = final_event(events)
    assert isinstance(end, Failed)
    assert end.error.user_message == Phrase.NOT_RESTARTED
    assert end.text == shown_text(events) == "Otters hold "
    assert Activity(sentence(Phrase.USING_TOOL, tool="delete_all")) in events


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
async def test_session_ends_the_response_at_a_failure_inside_the_stream(
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
    service = FakeModelServer(
        PIECES, faults=[ScriptedResponse(200, body, cut=Cut(len(body), "silence"))]
    )
    events = await ask(service, background=background)
    assert announced_waits(events) == ([] if again is None else [again])
    end = final_event(events)
    if again is None:
        assert isinstance(end, Failed)
        assert not end.error.retryable
        assert end.text == shown_text(events) == "Otters hold "
        assert service.paths == [ASK]
    else:
        assert end.text == shown_text(events) == TEXT
        assert service.paths == [ASK, ASK]
