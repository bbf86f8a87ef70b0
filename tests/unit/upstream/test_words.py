"""Errors without a code: messages that are clear, and messages that are not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PromptTooLong, UpstreamBusy, UpstreamRefused
from bot.upstream.errors.classify import error_from_event, reason_label
from bot.upstream.errors.words import status_from_message
from bot.upstream.events import Failed, Reconnecting
from tests.support.words import english
from tests.unit.upstream.fake_model_server import FakeModelServer, ScriptedResponse
from tests.unit.upstream.upstream_setup import ask, final_event
from tests.unit.upstream.wire import block

KEY = [
    "Not authenticated",
    "Unauthorized",
    "UNAUTHORIZED",
    "401 Unauthorized",
    "HTTP 401: Unauthorized",
    "Error: Unauthorized.",
    "Unauthorized (401)",
    "Unauthorized: please send an API key",
    "Unauthenticated.",
    "Invalid API key",
    "invalid_api_key",
    "invalid x-api-key",
    "Error code: 401 - Invalid API key",
    "Incorrect API key provided: abc. You can find your API key at https://a.example.",
    "API key not valid. Please pass a valid API key.",
    "Your API key has expired",
    "No API key provided",
    "Invalid authentication credentials",
    "Authentication credentials were not provided.",
    "No auth credentials found",
    "Could not validate credentials",
    "Missing Authorization header",
    "Authorization header is missing",
    "Authentication required",
    "Invalid or expired token",
]
ENTRY = [
    "Forbidden",
    "403 Forbidden",
    "Access denied",
    "Permission denied.",
    "Not authorized",
    "You do not have permission to perform this action.",
    "You are not authorized to access this resource",
    "Forbidden: your token has no permission for this",
]
MODEL = [
    "model not found",
    "model_not_found",
    "Model Not Exist",
    "The requested model was not found",
    "model 'llama' not found, try pulling it first",
    "Model gpt-9 not found",
    "The model `gpt-9` does not exist or you do not have access to it.",
    "Unknown model: gpt-9",
    "Invalid model name",
]
WAIT = [
    "Rate limit exceeded",
    "rate_limit_exceeded",
    "Rate limit exceeded: 10 per 1 minute",
    "API rate limit exceeded for 10.0.0.1",
    "429 Too Many Requests",
    "Too many requests, please slow down",
    "Request was throttled. Expected available in 5 seconds.",
    "You are being rate limited.",
]
OPEN = [
    *("", "oh", "Internal Server Error", "Not Found", "Bad Gateway", "Something went wrong"),
    "Forbidden words in the prompt",
    "Unauthorized content detected",
    "Access denied due to the content of the question",
    "API key is valid but the queue is full",
    "authentication backend timed out",
    "Invalid token '<' at position 5",
    "Invalid model response",
    "The model is loading",
    "Model server not found a free slot",
    "the model failed: file not found",
    "Failed to fetch https://a.example: 403 Forbidden",
    "Your text says: Invalid API key",
    "The rate of the limit",
]

SHAPES: dict[str, Any] = {
    "detail": lambda said: {"detail": said},
    "detail with words": lambda said: {"detail": {"message": said}},
    "error": lambda said: {"error": said},
    "error with words": lambda said: {"error": {"message": said}},
    "a number of its own": lambda said: {"error": {"message": said, "code": -1}},
    "a type for everything": lambda said: {
        "error": {"message": said, "type": "invalid_request_error", "code": None}
    },
    "message": lambda said: {"message": said},
    "msg": lambda said: {"msg": said},
    "success": lambda said: {"success": False, "message": said},
    "words": lambda said: said,
}
CLEAR = [
    *((said, "refused the bot's key") for said in KEY),
    *((said, "doesn't let this bot in") for said in ENTRY),
    *((said, "doesn't offer this bot the model “tiny”") for said in MODEL),
]


@pytest.mark.parametrize(("said", "sentence"), CLEAR)
def test_status_from_message_of_clear_words_is_final(said: str, sentence: str) -> None:
    error = error_from_event({"message": said}, "tiny")
    assert type(error) is UpstreamRefused
    assert not error.retryable
    assert sentence in english(error.user_message)


@pytest.mark.parametrize("said", WAIT)
def test_status_from_message_of_a_rate_limit_is_retryable(said: str) -> None:
    error = error_from_event({"message": said}, "tiny")
    assert type(error) is UpstreamBusy
    assert error.retryable
    assert reason_label(error) == "the model's server asked us to wait"
    assert error_from_event({"message": f"{said} Try again in 6s."}, "tiny").retry_after == 6


@pytest.mark.parametrize(
    ("code", "sentence"),
    [("insufficient_quota", "no credit left"), ("context_length_exceeded", "too long")],
)
def test_code_in_place_of_a_message_counts(code: str, sentence: str) -> None:
    for told in (error_from_event({"message": code}, "m"), error_from_event({"code": code}, "m")):
        assert sentence in english(told.user_message)


@pytest.mark.parametrize("said", OPEN)
def test_status_from_message_of_vague_words_is_unknown(said: str) -> None:
    assert status_from_message(said) is None
    assert error_from_event({"message": said}, "tiny").retryable


@pytest.mark.parametrize(
    "error",
    [
        {"code": "server_error", "message": "Unauthorized"},
        {"type": "overloaded_error", "message": "Forbidden"},
        {"status": 503, "message": "Invalid API key"},
        {"code": "cancelled", "message": "model not found"},
    ],
)
def test_code_takes_precedence_over_the_message(error: dict[str, Any]) -> None:
    wordless = error_from_event({**error, "message": "oh"}, "tiny")
    found = error_from_event(error, "tiny")
    assert (type(found), found.status) == (type(wordless), wordless.status)


def test_too_long_prompt_is_no_rate_limit() -> None:
    said = "Input is too long: too many tokens"
    assert type(error_from_event({"message": said}, "tiny")) is PromptTooLong


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("api", ["responses", "chat"])
@pytest.mark.parametrize("wrap", ["body", "event"])
async def test_refused_key_with_status_200_is_final(shape: Any, api: str, wrap: str) -> None:
    told = shape("Not authenticated")
    event = block(told, "error") if isinstance(told, str) else block(told)
    body = event if wrap == "event" else json.dumps(told).encode()
    service = FakeModelServer([], faults=[ScriptedResponse(200, body)] * 9)
    end = final_event(await ask(service, api=api))
    assert isinstance(end, Failed)
    assert "refused the bot's key" in english(end.error.user_message)
    assert len(service.paths) == 1


async def test_plain_text_body_of_a_clear_error_is_final() -> None:
    service = FakeModelServer([], faults=[ScriptedResponse(200, b"Unauthorized\n")] * 9)
    end = final_event(await ask(service))
    assert isinstance(end, Failed)
    assert "key" in english(end.error.user_message)
    assert len(service.paths) == 1


async def test_rate_limit_with_status_200_is_retried() -> None:
    body = json.dumps({"detail": "Rate limit exceeded, retry in 3 seconds"}).encode()
    events = await ask(FakeModelServer(["Otters."], faults=[ScriptedResponse(200, body)]))
    [waits] = [event for event in events if isinstance(event, Reconnecting)]
    assert (waits.wait_seconds, waits.reason) == (3, "the model's server asked us to wait")
    assert final_event(events).text == "Otters."


@given(st.text(max_size=40), st.text(max_size=40))
def test_status_from_message_ignores_phrases_inside_other_text(before: str, after: str) -> None:
    sentence = f"While reading your file {before} it said unauthorized, invalid api key {after}"
    assert status_from_message(sentence) in {None, 429}
