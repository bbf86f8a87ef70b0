"""The room's numbers that Slack does not publish or that differ from place to place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class DeliveryConfig:
    """What may be spent in a workspace, and who is taken to read there.

    `delivery`: whether answers are streamed by Slack itself (`native`), by edits, or (`auto`) in
    direct messages by streams and elsewhere by edits.
    `edits_per_minute`: our part of the `chat.update` budget, which is about 50
    (docs/slack.md#tiers).
    `reserved_final_edits`: of these, how many are kept back for the ends of answers, at most.
    `words_per_second`: how fast a reader reads.
    `posts_per_second`, `post_burst`: `chat.postMessage` in one channel; Slack says "about one",
    "short bursts allowed". `posts_per_minute`: the same in a workspace, "several hundred".
    `starts_per_minute` and so on: of the streaming methods, "20+" and "100+"
    (docs/slack.md#streaming-methods).
    `statuses_per_minute`: of `assistant.threads.setStatus`, limited "like chat.postMessage".
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
