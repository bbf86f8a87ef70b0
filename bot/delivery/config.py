"""Settings of delivery: rate limits of a workspace, and how answers are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BYTES_PER_WORD = 6  # holds for English and is near for CJK


@dataclass(frozen=True, slots=True)
class DeliveryConfig:
    """The limits of one workspace, and how answers are shown in it.

    In quotes: what Slack documents about the limit.

    - `edits_per_minute`: calls of `chat.update`; Slack takes about 50 (docs/slack.md#tiers).
    - `reserved_final_edits`: how many of these are kept for final texts, at most.
    - `reading_bytes_per_second`: the assumed reading speed, in bytes of UTF-8.
    - `posts_per_second`: calls of `chat.postMessage` in one channel, "about one".
    - `post_burst`: posts in one channel at once, "short bursts allowed".
    - `posts_per_minute`: posts in the whole workspace, "several hundred".
    - `starts_per_minute`: calls of `chat.startStream`, "20+" (docs/slack.md#streaming-methods).
    - `appends_per_minute`: calls of `chat.appendStream`, "100+".
    - `stops_per_minute`: calls of `chat.stopStream`, "20+".
    - `statuses_per_minute`: calls of `assistant.threads.setStatus`, "like chat.postMessage".
    - `delivery`: `edit` edits messages, `native` uses Slack's streams, and `auto` prefers streams
      in direct messages and edits elsewhere.
    - `feedback`: finished answers have feedback buttons.
    """

    edits_per_minute: int = 45
    reserved_final_edits: int = 15
    reading_bytes_per_second: float = 30.0
    posts_per_second: float = 1.0
    post_burst: int = 3
    posts_per_minute: int = 240
    starts_per_minute: int = 20
    appends_per_minute: int = 90
    stops_per_minute: int = 20
    statuses_per_minute: int = 120
    delivery: Literal["edit", "native", "auto"] = "edit"
    feedback: bool = False

    @property
    def words_per_second(self) -> float:
        """The assumed reading speed, in words."""
        return self.reading_bytes_per_second / BYTES_PER_WORD
