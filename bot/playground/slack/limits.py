"""Slack's rate limits and sizes, as numbers, and the limiter that keeps them. Pure: time is told.

Numbers: docs/slack.md#rate-limits, docs/slack.md#size-limits, docs/slack.md#native-streams
(https://docs.slack.dev/apis/web-api/rate-limits). Where Slack publishes a floor ("50+ a minute")
the floor is the limit here: a bot that lives with it lives with the real one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW = 60.0  # seconds; Slack counts calls of a method by the minute

TIERS: Mapping[str, int] = {
    "apps.connections.open": 3,
    "assistant.threads.setSuggestedPrompts": 4,
    "assistant.threads.setTitle": 4,
    "bots.info": 3,
    "chat.appendStream": 4,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "chat.startStream": 2,
    "chat.stopStream": 2,
    "chat.update": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.list": 2,
    "conversations.members": 4,
    "conversations.open": 3,
    "conversations.replies": 3,
    "files.info": 4,
    "reactions.add": 3,
    "reactions.remove": 2,
    "team.info": 3,
    "users.info": 4,
    "users.list": 2,
    "views.open": 4,
    "views.publish": 4,
    "views.push": 4,
    "views.update": 4,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much Slack takes; calls are per minute, method and workspace, sizes in characters where
    nothing else is said."""

    tiers: Mapping[int, int] = field(default_factory=lambda: {1: 1, 2: 20, 3: 50, 4: 100})
    special: Mapping[str, int] = field(
        default_factory=lambda: {
            "chat.postMessage": 300,  # "several hundred a minute per workspace"
            "assistant.threads.setStatus": 300,  # "like postMessage"
            "auth.test": 600,  # "hundreds a minute"
            "chat.getPermalink": 600,
        },
    )
    posts_per_second: float = 1.0  # chat.postMessage, per channel
    post_burst: int = 5  # "short bursts are allowed"; the size is not published
    post_text: int = 40_000  # chat.postMessage cuts `text` here, with a warning
    update_text: int = 4_000  # chat.update refuses more, measured in UTF-8 bytes
    markdown: int = 12_000  # all markdown blocks of a payload, or `markdown_text`
    stream_bytes: int = 10_600  # measured: one streamed message in all, 10.6 to 12 thousand
    stream_seconds: float = 306.0  # measured: then a stream has expired
    replies_page: int = 1_000  # 15 for apps under the restriction of 2025-05-29
    history_page: int = 999
    root_on_every_page: bool = True  # of conversations.replies; not published, so readers beware

    def per_minute(self, method: str) -> int:
        """Calls of `method` a workspace may make in a minute."""
        return self.special.get(method) or self.tiers[TIERS.get(method, 3)]


class Limiter:
    """Counts the calls of one workspace. A refused call is not counted."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._calls: dict[str, deque[float]] = {}
        self._posts_until: dict[str, float] = {}

    def take(self, method: str, now: float, channel: str = "") -> float:
        """Count a call and return 0, or return the seconds after which it would be let through."""
        calls = self._recent(method, now)
        wait = 0.0
        if len(calls) >= self.limits.per_minute(method):
            wait = calls[0] + WINDOW - now
        posting = method == "chat.postMessage" and bool(channel)
        if posting:
            wait = max(wait, self._posting_wait(channel, now))
        if wait > 0:
            return wait
        calls.append(now)
        if posting:
            begin = max(self._posts_until.get(channel, now), now)
            self._posts_until[channel] = begin + 1 / self.limits.posts_per_second
        return 0.0

    def used(self, method: str, now: float) -> int:
        """Calls of `method` in the minute before `now`."""
        return len(self._recent(method, now))

    def budgets(self, now: float) -> list[dict[str, int | str]]:
        """What is used of every method called so far."""
        return [
            {"method": name, "used": self.used(name, now), "limit": self.limits.per_minute(name)}
            for name in sorted(self._calls)
        ]

    def _recent(self, method: str, now: float) -> deque[float]:
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] + WINDOW <= now:  # reckoned as the wait is, to the last digit
            calls.popleft()
        return calls

    def _posting_wait(self, channel: str, now: float) -> float:
        ahead = (self.limits.post_burst - 1) / self.limits.posts_per_second
        return self._posts_until.get(channel, now) - now - ahead


def retry_after(wait: float) -> int:
    """The `Retry-After` header for a wait: whole seconds, never zero."""
    return max(1, math.ceil(wait))
