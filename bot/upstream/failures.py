"""What went wrong, read from a status, headers and a body: one error with its sentence.

Pure. Every limit and code here comes from upstream-facts §3. Whether and how to try again is
decided by `ladder`; this module only says whether another try can help (`retryable`) and how
long the server asks to wait (`retry_after`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bot.errors import (
    PromptRefused,
    StreamDropped,
    UpstreamBusy,
    UpstreamError,
    UpstreamRefused,
)
from bot.upstream.hints import seconds, wait_from_headers, wait_from_message

OPERATOR = "whoever runs this bot has to look at it"

MONEY_CODES = frozenset(
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
UNKNOWN_MODEL_CODES = frozenset({"model_not_found", "model_not_allowed"})
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
BUSY_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})

_TOO_LONG = re.compile(
    r"context.?(length|window)|prompt is too long|too many (input )?tokens|input is too long"
    r"|reduce the length|maximum (prompt|input) length",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"credit balance|insufficient (credit|balance|fund)|exceeded your current quota"
    r"|payment required|add credits",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"\bmodels?\b.{0,200}?(does not exist|do(es)? not have access|not found|unknown"
    r"|is not supported\.|identifier is invalid)|^model: \S+$|unknown model|no such model",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as the server tells it; absent fields are empty."""

    status: int | None = None
    code: str = ""
    kind: str = ""
    param: str = ""
    message: str = ""
    retryable: bool | None = None
    retry_after: float | None = None
    request_id: str = ""
    names: frozenset[str] = field(default=frozenset())  # code and type, lower case


def from_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    model: str,
) -> UpstreamError:
    """Return the error an HTTP answer means. `headers` have lower-case names.

    A date in `retry-after` is measured from the answer's own `date`.
    """
    error = error_object(body)
    hint = wait_from_headers(headers)
    should = headers.get("x-should-retry", "").strip().lower()
    problem = _problem(
        error,
        status=status,
        retry_after=hint,
        retryable={"true": True, "false": False}.get(should),
        request_id=headers.get("x-request-id") or headers.get("x-oai-request-id", ""),
    )
    return to_error(problem, model)


def from_event(error: Mapping[str, Any], model: str) -> UpstreamError:
    """Return the error an `error` object inside a stream means."""
    headers = error.get("headers")
    hint = None
    if isinstance(headers, dict):
        hint = wait_from_headers({str(k).lower(): str(v) for k, v in headers.items()})
    return to_error(_problem(error, retry_after=hint), model)


def error_object(body: bytes) -> Mapping[str, Any]:
    """Find the error in a body: JSON of any shape, an event stream, or nothing readable."""
    found = _loads(body)
    if found is None:  # some gateways answer errors as an event stream (upstream-facts §3.1)
        lines = (line[5:] for line in body.splitlines() if line.startswith(b"data:"))
        found = next((value for line in lines if isinstance(value := _loads(line), dict)), None)
    if isinstance(found, str):  # JSON inside a JSON string
        found = _loads(found.encode())
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict):
        return {}
    return _inner(found)


def patience(error: UpstreamError, most: float) -> UpstreamError:
    """Tell the reader, instead of sleeping, when the server asks to wait longer than `most` s."""
    asked = error.retry_after or 0
    if error.retryable and asked > most:
        minutes = max(2, round(asked / 60))
        when = f"{minutes} minutes" if minutes < 120 else f"{round(asked / 3600)} hours"
        error.sentence = f"The model's server asks to wait {when}. Please ask again later."
    return error


def why(error: UpstreamError) -> str:
    """Say in a few words a reader understands why another attempt is needed."""
    if error.status == 429 or error.code in {"rate_limit_exceeded", "slow_down"}:
        return "the model's server asked us to wait"
    if isinstance(error, UpstreamBusy):
        return "the model's server had a problem"
    if isinstance(error, StreamDropped):
        return "the connection broke off"
    return "the model's server can't be reached"


def _loads(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _inner(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Unwrap `{"error": {…}}`, `{"error": "text"}`, `{"detail": …}`, `{"message": "text"}`."""
    error = found.get("error")
    if isinstance(error, dict):
        outer = {k: v for k, v in found.items() if k in {"request_id", "retry_after"}}
        return {**outer, **error}
    if isinstance(error, str) and error:
        return {"message": error, **{k: v for k, v in found.items() if k != "error"}}
    detail = found.get("detail")
    if detail is not None and "message" not in found:
        return {**found, "message": detail if isinstance(detail, str) else str(detail)}
    return found


def _problem(
    error: Mapping[str, Any],
    *,
    status: int | None = None,
    retry_after: float | None = None,
    retryable: bool | None = None,
    request_id: str = "",
) -> Problem:
    message, code, kind = (_text(error.get(key)) for key in ("message", "code", "type"))
    told = error.get("retry_after")
    if retry_after is None and isinstance(told, int | float | str):
        with suppress(ValueError):
            retry_after = seconds(float(told))
    if retry_after is None:
        retry_after = wait_from_message(message)
    own = error.get("retryable")
    if status is None and code.isdigit() and len(code) == 3:
        status = int(code)  # litellm and llama.cpp put the status there
    return Problem(
        status=status,
        code=code,
        kind=kind,
        param=_text(error.get("param")),
        message=message,
        retryable=own if retryable is None and isinstance(own, bool) else retryable,
        retry_after=retry_after,
        request_id=request_id or _text(error.get("request_id")),
        names=frozenset({code.lower(), kind.lower()}),
    )


def to_error(problem: Problem, model: str) -> UpstreamError:
    """Return the one error that fits, most specific first."""
    for kind, sentence, applies in _rules(problem, model):
        if applies:
            return _make(kind, problem, sentence)
    return _make(PromptRefused, problem, "")


def _rules(p: Problem, model: str) -> Iterable[tuple[type[UpstreamError], str, bool]]:
    """Each row: what it is, what the reader reads, whether it applies. The first one wins."""
    status = p.status or 0
    money = status == 402 or p.names & MONEY_CODES or _says_money(p)
    yield (
        UpstreamRefused,
        f"The bot's account at the model's server has no credit left; {OPERATOR}.",
        bool(money),
    )
    yield (
        PromptRefused,
        "The conversation is too long for the model. Ask in a new thread, or with less text.",
        status == 413 or "context_length_exceeded" in p.names or _too_long(p),
    )
    yield (
        UpstreamRefused,
        f"The model's server doesn't offer this bot the model “{model}”; {OPERATOR}.",
        bool(p.names & UNKNOWN_MODEL_CODES)
        or (status in {400, 404} and bool(_NO_MODEL.search(p.message))),
    )
    yield UpstreamRefused, f"The model's server refused the bot's key; {OPERATOR}.", status == 401
    yield UpstreamRefused, f"The model's server doesn't let this bot in; {OPERATOR}.", status == 403
    yield (
        PromptRefused,
        "The model's server declined this question by its content rules.",
        bool(p.names & POLICY_CODES),
    )
    yield (
        UpstreamBusy,
        "",
        status in BUSY_STATUSES or bool(p.names & BUSY_CODES) or p.retryable is True,
    )
    yield (
        UpstreamRefused,
        f"The model's server has nothing at the bot's address for it; {OPERATOR}.",
        status in {404, 405, 501},
    )
    yield (
        UpstreamBusy,
        "",
        status >= 500 or (status == 0 and not p.names & {"invalid_request_error"}),
    )


def _says_money(p: Problem) -> bool:
    """Words alone are money only where no wait is offered: rate limits use the same words."""
    return bool(
        p.retry_after is None and p.status in {400, 403, 429, None} and _MONEY.search(p.message)
    )


def _too_long(p: Problem) -> bool:
    return p.status in {400, 422, 500, None} and bool(_TOO_LONG.search(p.message))


def _make(kind: type[UpstreamError], p: Problem, sentence: str) -> UpstreamError:
    detail = " ".join(
        part for part in (str(p.status or ""), p.kind, p.code, p.message[:500]) if part
    )
    retryable = kind is UpstreamBusy and p.retryable is not False
    return kind(
        detail or "an error without a word",
        status=p.status,
        code=p.code or p.kind,
        param=p.param,
        request_id=p.request_id,
        retry_after=p.retry_after,
        retryable=retryable,
        sentence=sentence,
    )


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
