"""Translates exceptions of slack_sdk and aiohttp, and replies of Slack, into `SlackError`s. Pure.

SlackUnreachable   no reply, or one that leaves open whether the call succeeded
SlackRateLimited   refused for now; carries the seconds to wait
SlackRefused       refused, with Slack's error code
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable

DEFAULT_RETRY_AFTER_SECONDS = 5.0
"""Seconds to wait after a 429 without a valid `Retry-After`. Ours."""

MAX_RETRY_AFTER_SECONDS = 300.0
"""A longer `Retry-After` is cut to this. Ours."""

# Errors after which the call may have succeeded: "possible some aspect of the operation succeeded"
# (error lists on the reference pages of the methods).
_AMBIGUOUS = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable"}
    | {"team_added_to_org", "update_failed"},
)
_RATE_LIMITED = frozenset({"rate_limited", "ratelimited"})


def outcome_label(error: SlackError) -> str:
    """Return the `outcome` label of an error in the metrics."""
    if isinstance(error, SlackRefused):
        return error.code
    return "rate_limited" if isinstance(error, SlackRateLimited) else "unreachable"


def error_of_exception(method: str, error: Exception) -> SlackError:
    """Translate an exception of slack_sdk or aiohttp."""
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
    """Translate a reply that is not a success; `data` is its body if that was JSON."""
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == 429 or code in _RATE_LIMITED:
        return SlackRateLimited(method, retry_after(headers))
    if status >= 500 or not code or code in _AMBIGUOUS:
        return SlackUnreachable(method, f"HTTP {status} {code}".rstrip())
    assert isinstance(data, dict)
    return SlackRefused(method, code, str(data.get("needed") or ""))


def retry_after(headers: Mapping[str, str]) -> float:
    """The seconds that a 429 asks to wait."""
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        return min(max(0.0, float(given)), MAX_RETRY_AFTER_SECONDS)
    except ValueError:
        return DEFAULT_RETRY_AFTER_SECONDS
