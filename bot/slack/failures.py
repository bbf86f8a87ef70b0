"""What a failed call means: nothing reached us, come back later, or a plain no.

This is the one place where other people's exceptions and status codes become our errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable

DEFAULT_RETRY_AFTER_SECONDS = 5.0
"""Seconds to stay away after a 429 that does not say how long."""

MAX_RETRY_AFTER_SECONDS = 300.0
"""Seconds we believe a 429 at most."""

# Slack's own failures, spelled as refusals: "possible some aspect of the operation succeeded"
# (the error lists of the methods' reference pages).
_AMBIGUOUS = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable"}
    | {"team_added_to_org", "update_failed"},
)
_RATE_LIMITED = frozenset({"rate_limited", "ratelimited"})


def outcome_label(error: SlackError) -> str:
    """Return the word a failure is counted under."""
    if isinstance(error, SlackRefused):
        return error.code
    return "rate_limited" if isinstance(error, SlackRateLimited) else "unreachable"


def error_of_exception(method: str, error: Exception) -> SlackError:
    """Say what an exception of slack_sdk or aiohttp means."""
    if not isinstance(error, SlackApiError):
        return SlackUnreachable(method, type(error).__name__)
    response = error.response
    data = getattr(response, "data", None)
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    return error_of_response(
        method, int(status or 0), getattr(response, "headers", None) or {}, data
    )


def error_of_response(
    method: str, status: int, headers: Mapping[str, str], data: Any
) -> SlackError:
    """Say what an answer that is no success means; `data` is its body, if that was JSON."""
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or code in _RATE_LIMITED:
        return SlackRateLimited(method, _retry_after(headers))
    if status >= 500 or not code or code in _AMBIGUOUS:
        return SlackUnreachable(method, f"HTTP {status} {code}".rstrip())
    assert isinstance(data, dict)
    return SlackRefused(method, code, str(data.get("needed") or ""))


def _retry_after(headers: Mapping[str, str]) -> float:
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        return min(max(0.0, float(given)), MAX_RETRY_AFTER_SECONDS)
    except ValueError:
        return DEFAULT_RETRY_AFTER_SECONDS
