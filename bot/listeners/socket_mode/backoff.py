"""How long to wait before the next attempt to connect, and what an operator can do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable

ENDING_SOON_REASONS: Final = frozenset({"warning", "refresh_requested"})
"""Reasons of `disconnect` messages that announce the end of a connection some seconds ahead
(docs/slack.md#socket-mode)."""

REFUSED_REASONS: Final = frozenset({"link_disabled", "too_many_websockets"})
"""Reasons of `disconnect` messages after which Slack would end the next connection too."""

_TOKEN_ADVICE = (
    "set SLACK_APP_TOKEN to an app-level token (xapp-…) with the scope connections:write, from "
    "your app's page, *Basic Information*"
)
_ADVICE: Mapping[str, str] = {
    "link_disabled": "switch Socket Mode on again on your app's page, *Socket Mode*",
    "too_many_websockets": "an app has ten connections at most, all its processes together: lower "
    "SOCKET_CONNECTIONS or run fewer processes; connections lost in a network failure end soon",
    "account_inactive": "the app is no longer installed, or its workspace is gone: install it again"
    " on your app's page, *Install App*",
}


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff between attempts to connect: from `min_seconds`, doubled each time.

    Longer delays follow a refusal, because only a person can fix its cause, and because
    `apps.connections.open` is rate-limited (tier 3 or less, docs/slack.md#tiers).
    """

    min_seconds: float = 0.25
    max_seconds: float = 4.0
    min_refused_seconds: float = 5.0
    max_refused_seconds: float = 60.0

    def delay_after(self, failures: int, error: SlackError, jitter: float) -> float:
        """Seconds to wait after so many consecutive failures. `jitter` is a random number in 0..1.

        A `Retry-After` of Slack is used unchanged.
        """
        if isinstance(error, SlackRateLimited):
            return max(error.retry_after, self.min_seconds)
        refused = isinstance(error, SlackRefused)
        shortest = self.min_refused_seconds if refused else self.min_seconds
        longest = self.max_refused_seconds if refused else self.max_seconds
        doubled = shortest * 2.0 ** min(max(failures - 1, 0), 20)
        return min(doubled, longest) * (0.5 + jitter / 2)


def disconnect_error(reason: str) -> SlackError:
    """The error for a connection that ended for this reason."""
    if reason in REFUSED_REASONS:
        return SlackRefused("socket", reason)
    return SlackUnreachable("socket", reason)


def advice(error: SlackRefused) -> str:
    """What the operator can do about a refusal."""
    return _ADVICE.get(error.code, _TOKEN_ADVICE)


def lifetime_seconds(hello: Mapping[str, Any]) -> float | None:
    """The lifetime of a connection in seconds, from its hello; None if it has none."""
    info = hello.get("debug_info")
    seconds = info.get("approximate_connection_time") if isinstance(info, dict) else None
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None


def connection_count(hello: Mapping[str, Any]) -> int:
    """The number of connections of the app in all processes, as Slack counts them."""
    count = hello.get("num_connections")
    return count if isinstance(count, int) else 0
