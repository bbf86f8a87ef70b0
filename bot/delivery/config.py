"""Settings of delivery that Slack does not publish or that differ between workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class DeliveryConfig:
    """The limits of one workspace, and how answers are shown in it.

    `delivery`: `edit` shows answers by edits, `native` by Slack's streams; `auto` prefers streams
    in direct messages and edits elsewhere.
    `edits_per_minute`: calls of `chat.update`, of which Slack takes about 50
    (docs/slack.md#tiers).
    `reserved_final_edits`: how many of them are reserved for final texts, at most.
    `words_per_second`: how fast a reader is assumed to read.
    `posts_per_second`, `post_burst`: calls of `chat.postMessage` in one channel; Slack says "about
    one", "short bursts allowed". `posts_per_minute`: the same in a workspace, "several hundred".
    `starts_per_minute`, `appends_per_minute`, `stops_per_minute`: calls of the streaming methods,
    "20+" and "100+" (docs/slack.md#streaming-methods).
    `statuses_per_minute`: calls of `assistant.threads.setStatus`, limited "like chat.postMessage".
    """

    edits_per_minute: int = 45
    reserved_final_edits: int = 15
    words_per_second: float = 5.0
    posts_per_second: float = 1.0
    post_burst: int = 3
    posts_per_minute: int = 240
    starts_per_minute: int = 20
    appends_per_minute: int = 90
    stops_per_minute: int = 20
    statuses_per_minute: int = 120
    delivery: Literal["edit", "native", "auto"] = "edit"
