"""When a connection to Slack is tried again, and what only the operator can mend. Pure.

Nothing here opens anything: socket_mode.py does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable

ENDING_SOON_REASONS: Final = frozenset({"warning", "refresh_requested"})
"""Slack says that it will end a connection, which goes on for some seconds
(docs/slack.md#socket-mode)."""

REFUSED_REASONS: Final = frozenset({"link_disabled", "too_many_websockets"})
"""Slack ends a connection, and would end the next one too."""

_TOKEN_ADVICE = (
    "set SLACK_APP_TOKEN to an app-level token (xapp-…) with the scope connections:write, from "
    "your app's page, *Basic Information*"
)
_ADVICE: Mapping[str, str] = {
    "link_disabled": "switch Socket Mode on again on your app's page, *Socket Mode*",
    "too_many_websockets": "an app has ten connections at most, all its processes together: lower "
    "SOCKET_CONNECTIONS or run fewer of them; what a broken network left behind ends by itself",
    "account_inactive": "the app is no longer installed, or its workspace is gone: install it again"
    " on your app's page, *Install App*",
}


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between tries: from shortest to longest, doubled each time.

    Where Slack refuses, only a person can mend it, and `apps.connections.open` is limited
    (tier 3 or less, docs/slack.md#tiers), so those tries are rarer.
    """

    min_seconds: float = 0.25
    max_seconds: float = 4.0
    min_refused_seconds: float = 5.0
    max_refused_seconds: float = 60.0

    def delay_after(self, failures: int, error: SlackError, jitter: float) -> float:
        """How long to wait after that many failures in a row; `jitter` in 0..1 spreads replicas.

        Slack's own wish counts as it is.
        """
        if isinstance(error, SlackRateLimited):
            return max(error.retry_after, self.min_seconds)
        refused = isinstance(error, SlackRefused)
        shortest = self.min_refused_seconds if refused else self.min_seconds
        longest = self.max_refused_seconds if refused else self.max_seconds
        doubled = shortest * 2.0 ** min(max(failures - 1, 0), 20)
        return min(doubled, longest) * (0.5 + jitter / 2)


def disconnect_error(reason: str) -> SlackError:
    """The end of a connection as an error, by the reason it ended for."""
    if reason in REFUSED_REASONS:
        return SlackRefused("socket", reason)
    return SlackUnreachable("socket", reason)


def advice(error: SlackRefused) -> str:
    """What the operator can do about a refusal."""
    return _ADVICE.get(error.code, _TOKEN_ADVICE)


def lifetime_seconds(hello: Mapping[str, Any]) -> float | None:
    """How many seconds a connection will live, as its hello says; None where it does not."""
    info = hello.get("debug_info")
    told = info.get("approximate_connection_time") if isinstance(info, dict) else None
    return float(told) if isinstance(told, int | float) and told > 0 else None


def connection_count(hello: Mapping[str, Any]) -> int:
    """How many connections of the app Slack counts, ours and those of others."""
    told = hello.get("num_connections")
    return told if isinstance(told, int) else 0
