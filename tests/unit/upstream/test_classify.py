"""Classification of errors: type, whether a retry can help, and the sentence for the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import (
    PromptRefused,
    PromptTooLong,
    StreamDropped,
    UpstreamBusy,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnreachable,
)
from bot.upstream.errors.classify import (
    error_from_event,
    error_from_response,
    explain_long_wait,
    reason_label,
)
from tests.support.words import english
from tests.unit.upstream import recordings


def http(status: int, error: Any = None, **headers: str) -> UpstreamError:
    """Return the error of an HTTP answer in the usual shape."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    body = b"" if error is None else json.dumps({"error": error}).encode()
    return error_from_response(status, names, body, "tiny")


# status, error object, class, a word of the sentence
FINAL: list[tuple[int, dict[str, Any], type[UpstreamError], str]] = [
    (400, {"type": "invalid_request_error", "message": "bad"}, PromptRefused, "did not accept"),
    (400, {"code": "context_length_exceeded"}, PromptTooLong, "too long"),
    (400, {"message": "prompt is too long: 9 tokens > 8 maximum"}, PromptTooLong, "too long"),
    (400, {"message": "maximum context length is 8192 tokens"}, PromptTooLong, "too long"),
    (413, {"code": "payload_too_large"}, PromptTooLong, "too long"),
    (422, {"message": "nope"}, PromptRefused, "did not accept"),
    (400, {"code": "model_not_found"}, UpstreamRefused, "“tiny”"),
    (404, {"code": "model_not_found"}, UpstreamRefused, "“tiny”"),
    (404, {"message": "The model `x` does not exist"}, UpstreamRefused, "“tiny”"),
    (403, {"code": "model_not_allowed"}, UpstreamRefused, "“tiny”"),
    (401, {"code": "invalid_api_key"}, UpstreamRefused, "key"),
    (401, {"code": "expired_api_key"}, UpstreamRefused, "key"),
    (403, {"message": "Country, region, or territory not supported"}, UpstreamRefused, "let this"),
    (402, {"code": "insufficient_balance"}, UpstreamRefused, "credit"),
    (402, {"code": "quota_exceeded"}, UpstreamRefused, "credit"),
    (429, {"code": "insufficient_quota"}, UpstreamRefused, "credit"),
    (429, {"type": "insufficient_quota", "code": None}, UpstreamRefused, "credit"),
    (429, {"code": "credit_balance_exhausted"}, UpstreamRefused, "credit"),
    (400, {"message": "Your credit balance is too low"}, UpstreamRefused, "credit"),
    (404, {"message": "no route"}, UpstreamRefused, "address"),
    (405, {"message": "method not allowed"}, UpstreamRefused, "address"),
    (501, {"message": "not implemented"}, UpstreamRefused, "address"),
    (400, {"code": "invalid_prompt"}, PromptRefused, "content rules"),
    (302, {}, UpstreamRefused, "moved"),
]

TOO_LONG = [
    "This model's maximum context length is 8192 tokens. However, your messages have 9000 tokens.",
    "Your input exceeds the context window of this model.",
    "the request exceeds the available context size, try increasing it",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Input is too long for requested model.",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 context",
    "too many tokens: total number of tokens in the prompt cannot exceed 4081",
    "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
    "Range of input length should be [1, 30720]",
    "inputs tokens + max_new_tokens must be <= 4096",
    "litellm.ContextWindowExceededError: OpenAIException - too long",
]
TOO_LONG_CODES = [
    "context_length_exceeded",
    "exceed_context_size_error",
    "request_too_large",
    "ContextWindowExceededError",
]
NOT_TOO_LONG = [
    "Rate limit reached: 30000 tokens per min exceeded. Please try again in 6s.",
    "Request too large for gpt-5.4 on tokens per min (TPM): Limit 10000, Requested 20000",
    "The model is overloaded.",
    "max_tokens is too large: 99999. This model supports at most 4096 completion tokens.",
]


@pytest.mark.parametrize("said", TOO_LONG)
def test_classify_knows_too_long_prompts_by_every_servers_message(said: str) -> None:
    for status in (400, 422, 500):
        assert type(http(status, {"message": said})) is PromptTooLong
    assert type(error_from_event({"message": said}, "tiny")) is PromptTooLong
    assert (
        type(error_from_response(400, {}, json.dumps({"detail": said}).encode(), "m"))
        is PromptTooLong
    )


@pytest.mark.parametrize("code", TOO_LONG_CODES)
@pytest.mark.parametrize("name", ["code", "type"])
def test_classify_knows_too_long_prompts_by_code_or_type(code: str, name: str) -> None:
    assert type(http(400, {name: code})) is PromptTooLong
    assert type(error_from_event({name: code}, "tiny")) is PromptTooLong


@pytest.mark.parametrize("said", NOT_TOO_LONG)
def test_classify_takes_rate_and_output_limits_for_no_long_prompt(said: str) -> None:
    assert not isinstance(http(429, {"message": said}), PromptTooLong)
    assert not isinstance(http(400, {"message": said}), PromptTooLong)
    assert not isinstance(error_from_event({"message": said}, "tiny"), PromptTooLong)


AGAIN: list[tuple[int, dict[str, Any]]] = [
    (408, {}),
    (409, {"message": "conflict"}),
    (429, {"code": "rate_limit_exceeded", "type": "requests"}),
    (429, {"code": "slow_down", "type": "rate_limit_error"}),
    (429, {}),
    (500, {"type": "server_error"}),
    (502, {"code": "upstream_error"}),
    (503, {"code": "server_is_overloaded"}),
    (503, {"code": "all_channels_failed"}),
    (503, {"code": "delivery_tier_unavailable"}),
    (504, {}),
    (529, {"type": "overloaded_error"}),
    (520, {}),
    (599, {}),
    (400, {"code": "500", "type": "server_error"}),
]


@pytest.mark.parametrize(("status", "error", "kind", "said"), FINAL)
def test_classify_makes_permanent_errors_final(
    status: int,
    error: dict[str, Any],
    kind: type[UpstreamError],
    said: str,
) -> None:
    found = http(status, error)
    assert type(found) is kind
    assert not found.retryable
    assert said in english(found.user_message)


@pytest.mark.parametrize(("status", "error"), AGAIN)
def test_classify_makes_temporary_errors_retryable(status: int, error: dict[str, Any]) -> None:
    found = http(status, error)
    assert type(found) is UpstreamBusy
    assert found.retryable


def test_classify_follows_the_servers_own_retryable() -> None:
    assert not http(503, {}, x_should_retry="false").retryable
    assert http(400, {}, x_should_retry="true").retryable
    assert not http(503, {"retryable": False}).retryable
    assert http(404, {"retryable": True}).retryable
    assert http(503, {"retryable": False}, x_should_retry="true").retryable


def test_classify_never_retries_billing_errors() -> None:
    found = http(429, {"code": "insufficient_quota"}, x_should_retry="true", retry_after="1")
    assert not found.retryable


def test_classify_takes_billing_words_with_a_wait_for_a_rate_limit() -> None:
    words = "You exceeded your current quota, please check your plan and billing details."
    assert type(http(429, {"message": words})) is UpstreamRefused
    assert type(http(429, {"message": f"{words} Please retry in 34.07s."})) is UpstreamBusy


def test_retry_after_is_read_from_headers_then_body_then_message() -> None:
    words = {"message": "try again in 6.5s", "retry_after": 4}
    assert http(429, words, retry_after="2", retry_after_ms="700").retry_after == 0.7
    assert http(429, words, retry_after="2").retry_after == 2
    assert http(429, words).retry_after == 4
    assert http(429, {"message": "try again in 6.5s"}).retry_after == 6.5
    assert error_from_response(429, {}, b'{"retry_after": 3, "error": {}}', "m").retry_after == 3


def test_error_text_has_status_code_and_request_id() -> None:
    found = http(503, {"code": "all_channels_failed", "message": "no"}, x_request_id="req_1")
    assert (found.status, found.code, found.request_id) == (503, "all_channels_failed", "req_1")
    assert "all_channels_failed" in str(found)
    assert "no" in str(found)


def test_error_text_hides_a_repeated_api_key() -> None:
    found = http(401, {"message": "Incorrect API key: sk-abcdef123456, Bearer abcdef123456."})
    assert "abcdef" not in str(found)


@pytest.mark.parametrize("code", ["429", 429, "rate_limit_exceeded"], ids=repr)
def test_classify_accepts_numeric_codes(code: object) -> None:
    found = error_from_event({"code": code, "message": "slow"}, "m")
    assert type(found) is UpstreamBusy


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        ("server_error", True),
        ("rate_limit_exceeded", True),
        ("vector_store_timeout", True),
        ("server_shutting_down", True),
        ("unknown-error", True),
        ("", True),
        ("invalid_prompt", False),
        ("bio_policy", False),
        ("misalignment_policy_violation", False),
        ("data_residency_mismatch", False),
        ("context_length_exceeded", False),
        ("insufficient_quota", False),
        ("usage_not_included", False),
        ("image_content_policy_violation", False),
        ("invalid_image", False),
        ("invalid_image_url", False),
        ("image_too_large", False),
        ("image_parse_error", False),
    ],
)
def test_error_from_event_classifies_by_code(code: str, retryable: bool) -> None:
    assert error_from_event({"code": code, "message": "oh"}, "m").retryable is retryable


def test_error_from_event_reads_headers_of_the_error() -> None:
    error = {"code": "rate_limit_exceeded", "headers": {"Retry-After-Ms": "300"}}
    assert error_from_event(error, "m").retry_after == 0.3


@pytest.mark.parametrize("known", recordings.errors(), ids=lambda known: known["source"])
def test_recorded_errors_are_final_except_the_rate_limit(known: dict[str, Any]) -> None:
    body = known["body"]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    found = error_from_response(known["status"], {}, raw, "tiny")
    assert found.retryable is (known["status"] == 429)
    assert found.status == known["status"]
    assert "\n" not in english(found.user_message)
    message = body.get("error", body) if isinstance(body, dict) else {}
    if message.get("code") == "model_not_found" or known["status"] == 404:
        assert "“tiny”" in english(found.user_message)


@given(
    st.integers(200, 599),
    st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=3),
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["error", "message", "code", "type", "detail", "retry_after"]),
                    inner,
                    max_size=4,
                )
            ),
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_error_from_response_accepts_any_body(
    status: int,
    headers: dict[str, str],
    body: bytes,
) -> None:
    found = error_from_response(status, headers, body, "tiny")
    assert english(found.user_message)
    assert found.retry_after is None or found.retry_after >= 0


def test_explain_long_wait_names_minutes_or_hours() -> None:
    told = explain_long_wait(UpstreamBusy("x", retry_after=600), 120)
    assert (
        english(told.user_message)
        == "The model's server asks to wait 10 minutes. Please ask again later."
    )
    assert "3 hours" in english(
        explain_long_wait(UpstreamBusy("x", retry_after=10_000), 120).user_message
    )
    assert english(
        explain_long_wait(UpstreamBusy("x", retry_after=60), 120).user_message
    ) == english(UpstreamBusy.user_message)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UpstreamBusy("x", status=429), "the model's server asked us to wait"),
        (UpstreamBusy("x", status=503), "the model's server had a problem"),
        (UpstreamUnreachable("x"), "the model's server can't be reached"),
        (StreamDropped("x"), "the connection broke off"),
        (StreamDropped("x", code="silence"), "the model's server went silent"),
    ],
)
def test_reason_label_is_in_plain_words(error: UpstreamError, words: str) -> None:
    assert reason_label(error) == words
