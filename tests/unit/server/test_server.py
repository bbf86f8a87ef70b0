from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.errors import StartError
from bot.server import make_application, serve
from tests.unit.server.server_setup import MentionRecorder, SlackCaller, mention, running_server


@pytest.fixture
def recorder() -> MentionRecorder:
    return MentionRecorder()


@pytest.fixture
async def well() -> dict[str, bool]:
    return {"slack": True}


@pytest.fixture
async def caller(recorder: MentionRecorder, well: dict[str, bool]) -> AsyncIterator[SlackCaller]:
    async def slack() -> bool:
        return well["slack"]

    async with running_server(recorder, {"slack": slack}) as caller:
        yield caller


async def test_health_needs_nothing_and_readiness_needs_everything(
    caller: SlackCaller, well: dict[str, bool]
) -> None:
    assert (await caller.get("/healthz"))[0] == 200
    assert await caller.get("/readyz") == (200, '{"slack": true}')
    well["slack"] = False
    assert (await caller.get("/healthz"))[0] == 200
    assert await caller.get("/readyz") == (503, '{"slack": false}')


async def test_metrics_are_exposed_for_prometheus(caller: SlackCaller) -> None:
    status, text = await caller.get("/metrics")
    assert status == 200
    assert "# TYPE bot_answers_total counter" in text


async def test_signed_event_reaches_its_listener(
    caller: SlackCaller, recorder: MentionRecorder
) -> None:
    assert (await caller.post(mention("signed")))[0] == 200
    assert recorder.mentions == ["signed"]


async def test_url_verification_of_slack_is_answered(caller: SlackCaller) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    status, text = await caller.post(body)
    assert status == 200
    assert "abc" in text


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"secret": "somebody else's"}, id="forged"),
        pytest.param({"later": -6 * 60}, id="stale"),
        pytest.param({"later": 6 * 60}, id="from the future"),
        pytest.param({"timestamp": "soon"}, id="no timestamp"),
        pytest.param({"timestamp": ""}, id="empty timestamp"),
        pytest.param({"timestamp": "²"}, id="a digit that is no number"),
    ],
)
async def test_unsigned_or_old_request_is_refused(
    caller: SlackCaller, recorder: MentionRecorder, how: dict[str, Any]
) -> None:
    status, _ = await caller.post(mention(), **how)
    assert status == 401
    assert recorder.mentions == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half an object"),
        pytest.param(b"[1, 2]", id="a list"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"type": "event_callback", "event": []}', id="an event that is a list"),
        pytest.param(b'{"type": "event_callback"}', id="no event"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"payload=%7B", id="half a form"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
async def test_signed_request_with_a_malformed_body_is_refused(
    caller: SlackCaller, recorder: MentionRecorder, body: bytes, content_type: str
) -> None:
    status, _ = await caller.post(body, content_type=content_type)
    assert 400 <= status < 500
    assert recorder.mentions == []


async def test_signed_event_without_a_listener_is_acknowledged(caller: SlackCaller) -> None:
    event = {"type": "event_callback", "team_id": "T1", "event": {"type": "pin_added"}}
    assert (await caller.post(json.dumps(event).encode()))[0] == 200
    form = {"command": "/other", "team_id": "T1", "user_id": "U1", "channel_id": "C1", "text": ""}
    status, _ = await caller.post(
        urlencode(form).encode(), content_type="application/x-www-form-urlencoded"
    )
    assert status == 200


async def test_port_in_use_is_a_start_error_of_one_sentence(caller: SlackCaller) -> None:
    port = int(caller.base.rsplit(":", 1)[1])
    with pytest.raises(StartError, match=rf"METRICS_PORT {port} on 127.0.0.1 can't be used"):
        async with serve(make_application(), "127.0.0.1", port, variable="METRICS_PORT"):
            pass


async def test_responses_contain_no_versions(caller: SlackCaller) -> None:
    for path in ("/healthz", "/metrics", "/nowhere", "/slack/events"):
        async with caller.session.get(caller.base + path) as answer:
            assert answer.headers["Server"] == "bot"
