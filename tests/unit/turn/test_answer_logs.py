"""The log of a failed answer has its facts and nothing that a person wrote."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from bot.errors import PromptRefused, StreamDropped, UpstreamError, UpstreamUnreachable
from bot.values import Phase
from tests.support.virtual_time import run
from tests.unit.delivery.fake_slack import FakeSlack
from tests.unit.turn.answer_setup import answer_setup, question

PROMPT = "my very private words"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        pytest.param(400, {"message": f"invalid: {PROMPT}", "code": "bad_input"}, id="message"),
        pytest.param(400, {"message": "no", "code": PROMPT}, id="code"),
        pytest.param(400, {"message": "no", "param": PROMPT, "type": PROMPT}, id="param"),
        pytest.param(422, {"detail": [{"loc": ["input"], "msg": PROMPT}]}, id="detail"),
        pytest.param(500, PROMPT, id="a bare word"),
        pytest.param(200, {"message": PROMPT, "type": "server_error"}, id="in a stream"),
    ],
)
def test_message_of_a_server_is_logged_at_debug_only(
    status: int, error: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def model(request: httpx.Request) -> httpx.Response:
        headers = {"x-request-id": "req-1"}
        return httpx.Response(status, json={"error": error}, headers=headers)

    async def scenario() -> None:
        async with answer_setup(FakeSlack(), model) as setup:
            assert await setup.answer(question()) is Phase.FAILED

    caplog.set_level(logging.DEBUG, "bot")
    run(scenario())
    shown = [r for r in caplog.records if r.levelno >= logging.INFO]
    assert not [r for r in shown if PROMPT in str(r.__dict__)]
    assert any("the model's server gave no answer" in r.getMessage() for r in shown)
    if status != 200:
        assert any(getattr(r, "status", None) == status for r in shown)
        assert any(getattr(r, "request_id", None) == "req-1" for r in shown)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UpstreamUnreachable("ConnectError('no route')"), "UpstreamUnreachable: ConnectError"),
        (
            PromptRefused("what you asked", status=400, code="bad"),
            "PromptRefused status=400 code=bad",
        ),
        (StreamDropped("what you asked"), "StreamDropped"),
        (
            PromptRefused("what", code="a b", param="input[0].text"),
            "PromptRefused param=input[0].text",
        ),
    ],
)
def test_log_fields_of_an_error_are_single_words(error: UpstreamError, words: str) -> None:
    assert error.log_summary.startswith(words)
    assert "what" not in error.log_summary
