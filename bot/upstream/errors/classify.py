"""Classifies a server's error: one `UpstreamError` with a sentence for the reader. Pure.

Codes and their sources: docs/upstream.md#errors. This module says whether a retry can help
(`retryable`) and how long the server asks to wait (`retry_after`); `session` decides on the retry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.errors import (
    PromptRefused,
    PromptTooLong,
    StreamDropped,
    UpstreamBusy,
    UpstreamError,
    UpstreamRefused,
)
from bot.upstream.errors.retry_after import wait_from_headers
from bot.upstream.errors.server_error import ServerError, find_error_object, read_server_error
from bot.words import Phrase, Saying, sentence

# Some servers repeat the key they refuse, which must not be logged.
_API_KEY = re.compile(r"\b(sk-|Bearer )[\w.-]{6,}")

BILLING_CODES = frozenset(
    {
        "insufficient_quota",
        "insufficient_balance",
        "insufficient_credits",
        "quota_exceeded",
        "credit_balance_exhausted",
        "billing_hard_limit_reached",
        "billing_not_active",
        "usage_not_included",
    },
)
MODEL_CODES = frozenset({"model_not_found", "model_not_allowed"})
POLICY_CODES = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "invalid_prompt",
        "bio_policy",
        "misalignment_policy_violation",
        "data_residency_mismatch",
    },
)
# The model exists, but not in this wire format (docs/upstream.md#tokenlab-errors).
WRONG_FORMAT_CODES = frozenset(
    {
        "no_contract_compatible_route",
        "upstream_contract_mismatch",
        "unsupported_endpoint",
        "endpoint_not_supported",
        "unsupported_api_for_model",
    },
)
# Codes of temporary errors, also without a status.
BUSY_CODES = frozenset(
    {
        "server_error",
        "rate_limit_exceeded",
        "vector_store_timeout",
        "slow_down",
        "server_is_overloaded",
        "overloaded_error",
        "timeout_error",
        "upstream_error",
        "all_channels_failed",
        "delivery_tier_unavailable",
        "server_shutting_down",
        "internal_server_error",
        "api_error",
        "too_many_requests",
        "model_error",
    },
)
RATE_CODES = frozenset({"rate_limit_exceeded", "slow_down", "too_many_requests"})
BUSY_STATUSES = frozenset({408, 409, 425, 429})

# Codes of OpenAI, llama.cpp, Anthropic, Mistral, Ollama, Cohere, xAI and TokenLab.
TOO_LONG_CODES = frozenset(
    {
        "context_length_exceeded",
        "context_window_exceeded",
        "contextwindowexceedederror",
        "exceed_context_size_error",
        "input_too_long",
        "prompt_too_long",
        "payload_too_large",
        "request_too_large",
        "string_above_max_length",
        "max_tokens_exceeded",
    },
)
_TOO_LONG = re.compile(
    r"context.?(length|window|size)|(prompt|input|request|conversation|messages?) (is|are|was) too"
    r" (long|large)|too many (input |prompt )?tokens|reduce the length"
    r"|(maximum|max) (prompt|input) (length|tokens)|token (count|limit).{0,60}exceed"
    r"|exceeds? .{0,60}(token|context)|tokens? .{0,40}exceeds?|too large for model"
    r"|(prompt|input) (contains|has) \d+ tokens|(prompt|input).{0,20} length .{0,40}exceeds?"
    r"|longer than the max\w* (model|context|prompt|input)|range of input length"
    r"|inputs? tokens? .{0,40}must be",
    re.IGNORECASE,
)
_RATE_LIMIT = re.compile(r"\bper (second|minute|min|hour|day)\b|rate.?limit|\btpm\b", re.IGNORECASE)
_BILLING = re.compile(
    r"credit balance|insufficient (credit|balance|fund)|exceeded your current quota"
    r"|payment required|add credits",
    re.IGNORECASE,
)
_UNKNOWN_MODEL = re.compile(
    r"\bmodels?\b.{0,200}?(not exist|do(es)? not have access|not found|is not supported\."
    r"|identifier is invalid)|^model: \S+$|(unknown|invalid|no such) model",
    re.IGNORECASE | re.DOTALL,
)


def error_from_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    model: str,
) -> UpstreamError:
    """Return the error of an HTTP response. The names in `headers` are in lower case.

    A date in `retry-after` is measured from the response's own `date`.
    """
    error = find_error_object(body)
    hint = wait_from_headers(headers)
    should = headers.get("x-should-retry", "").strip().lower()
    problem = read_server_error(
        error,
        status=status,
        retry_after=hint,
        retryable={"true": True, "false": False}.get(should),
        request_id=headers.get("x-request-id") or headers.get("x-oai-request-id", ""),
    )
    return classify(problem, model)


def error_from_event(error: Mapping[str, Any], model: str) -> UpstreamError:
    """Return the error of an `error` object inside a stream, as `flatten_error` returns it."""
    headers = error.get("headers")
    hint = None
    if isinstance(headers, dict):
        hint = wait_from_headers({str(k).lower(): str(v) for k, v in headers.items()})
    return classify(read_server_error(error, retry_after=hint), model)


def no_answer_error() -> UpstreamError:
    """Return the error of an answer that ends without text, calls, or a state that explains it."""
    detail = "an answer without text, calls or a known state"
    return UpstreamBusy(detail, code="server_error", user_message=Phrase.NO_ANSWER)


def explain_long_wait(error: UpstreamError, max_seconds: float) -> UpstreamError:
    """Return `error`, with a sentence about the wait if the server asks for over `max_seconds`."""
    asked = error.retry_after or 0
    if error.retryable and asked > max_seconds:
        minutes = max(2, round(asked / 60))
        when = (
            sentence(Phrase.MINUTES, count=minutes)
            if minutes < 120
            else sentence(Phrase.HOURS, count=round(asked / 3600))
        )
        error.user_message = sentence(Phrase.WAIT_DEMANDED, duration=when)
    return error


def reason_label(error: UpstreamError) -> str:
    """Return why another attempt is needed, as a short label for the reader."""
    if error.status == 429 or error.code in {"rate_limit_exceeded", "slow_down"}:
        return "the model's server asked us to wait"
    if isinstance(error, UpstreamBusy):
        return "the model's server had a problem"
    if error.code == "silence":
        return "the model's server went silent"
    if isinstance(error, StreamDropped):
        return "the connection broke off"
    return "the model's server can't be reached"


def classify(problem: ServerError, model: str) -> UpstreamError:
    """Return the error of the first rule that applies."""
    for applies, kind, phrase in CLASSIFICATION_RULES:
        if applies(problem):
            return _build_error(kind, problem, phrase and sentence(phrase, model=model))
    return _build_error(PromptRefused, problem, None)


def _is_billing(p: ServerError) -> bool:
    """The message alone counts only without a wait: rate limits use the same words."""
    if p.status == 402 or p.names & BILLING_CODES:
        return True
    return (
        p.retry_after is None
        and p.status in {400, 403, 429, None}
        and _message_matches(_BILLING, p)
    )


def _is_too_long(p: ServerError) -> bool:
    if p.status == 413 or p.names & TOO_LONG_CODES:
        return True
    if _message_matches(_RATE_LIMIT, p) or p.names & RATE_CODES:
        return False  # messages of rate limits mention tokens too
    return p.status in {400, 422, 500, None} and _message_matches(_TOO_LONG, p)


def _is_invalid_key(p: ServerError) -> bool:
    # litellm without a database can't check a key, and answers 400 (seen in 1.106.2)
    return p.status == 401 or "no_db_connection" in p.names


def _is_unknown_model(p: ServerError) -> bool:
    return bool(p.names & MODEL_CODES) or (
        p.status in {400, 404} and _message_matches(_UNKNOWN_MODEL, p)
    )


def _is_policy(p: ServerError) -> bool:
    return bool(p.names & POLICY_CODES)


def _is_image_refused(p: ServerError) -> bool:
    return any(name.startswith(("image_", "invalid_image")) for name in p.names)


def _is_cancelled(p: ServerError) -> bool:
    return "cancelled" in p.names


def _is_wrong_format(p: ServerError) -> bool:
    return bool(p.names & WRONG_FORMAT_CODES)


def _is_busy(p: ServerError) -> bool:
    """A temporary status or code, or inside a stream anything not known to be permanent."""
    if p.status in BUSY_STATUSES or p.names & BUSY_CODES or p.retryable:
        return True
    if p.status is None:
        return "invalid_request_error" not in p.names
    return p.status >= 500 and p.status != 501


def _has_status(*statuses: int) -> Callable[[ServerError], bool]:
    return lambda p: p.status in statuses


def _message_matches(words: re.Pattern[str], p: ServerError) -> bool:
    return bool(words.search(p.message))


# The first rule that applies decides. The phrase is for the reader; None means the class's own.
CLASSIFICATION_RULES: tuple[
    tuple[Callable[[ServerError], bool], type[UpstreamError], Phrase | None], ...
] = (
    (
        _is_billing,
        UpstreamRefused,
        Phrase.NO_CREDIT,
    ),
    (
        _is_too_long,
        PromptTooLong,
        None,
    ),
    (
        _is_unknown_model,
        UpstreamRefused,
        Phrase.MODEL_NOT_OFFERED,
    ),
    (_is_invalid_key, UpstreamRefused, Phrase.KEY_REFUSED),
    (_has_status(403), UpstreamRefused, Phrase.ACCESS_REFUSED),
    (
        _is_policy,
        PromptRefused,
        Phrase.QUESTION_DECLINED,
    ),
    (
        _is_image_refused,
        PromptRefused,
        Phrase.IMAGE_REFUSED,
    ),
    (_is_cancelled, PromptRefused, Phrase.ANSWER_CANCELLED),
    (
        _is_wrong_format,
        UpstreamRefused,
        Phrase.WRONG_FORMAT,
    ),
    (_is_busy, UpstreamBusy, None),
    (
        _has_status(301, 302, 303, 307, 308),
        UpstreamRefused,
        Phrase.SERVER_MOVED,
    ),
    (
        _has_status(404, 405, 501),
        UpstreamRefused,
        Phrase.NO_SERVER_THERE,
    ),
)


def _build_error(
    kind: type[UpstreamError], p: ServerError, message: Saying | None
) -> UpstreamError:
    said = _API_KEY.sub(r"\1…", p.message)[:500]
    detail = " ".join(part for part in (str(p.status or ""), p.kind, p.code, said) if part)
    retryable = kind is UpstreamBusy and p.retryable is not False
    return kind(
        detail or "an error without a word",
        status=p.status,
        code=p.code or p.kind,
        param=p.param,
        request_id=p.request_id,
        retry_after=p.retry_after,
        retryable=retryable,
        user_message=message,
    )
