"""Collects mentions, files and unreadable parts while a message is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.render.incoming.payload import collapse_whitespace

MAX_MENTIONS = 20
"""Mentions that are kept of one message. Each may take a call of `users.info`. Ours."""

_USER_ID = re.compile(r"[UW][A-Z0-9]+")
_LABELS = re.compile(r"<(?:#|!subteam\^)([A-Z0-9]+)\|#?@?([^<>|\n]+)>")
# Chinese, Japanese and Korean characters count as words: these are not separated by blanks.
_WORD = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u9fff\uac00-\ud7af]+")


@dataclass(slots=True)
class Findings:
    """Mentions, files and names of unreadable parts of one message, in their order.

    `labels` are names of channels and user groups by id, which blocks lack and `text` contains.
    `aliases` are words that `text` may use for what blocks write differently, such as emoji.
    `has_words` is False until something other than mentions and file names was read.
    """

    labels: dict[str, str] = field(default_factory=dict)
    mentions: dict[str, None] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    aliases: set[str] = field(default_factory=set)
    has_words: bool = False

    def note_words(self, text: str) -> str:
        """Set `has_words` if `text` is not blank, and return `text`."""
        self.has_words = self.has_words or bool(text.strip())
        return text

    def add_mention(self, user: str) -> str:
        """Add a user whom Slack marked as mentioned, and return the mention."""
        if _USER_ID.fullmatch(user) and len(self.mentions) < MAX_MENTIONS:
            self.mentions.setdefault(user)
        return f"<@{collapse_whitespace(user)}>"

    def channel_name(self, channel_id: str) -> str:
        """The name of a channel; its id if the name is unknown."""
        self.aliases |= word_set(channel_id)
        return self.note_words("#" + self.labels.get(channel_id, channel_id))

    def group_name(self, group_id: str) -> str:
        """The name of a user group; "@group" if the name is unknown."""
        self.aliases |= word_set(group_id)
        return self.note_words("@" + self.labels.get(group_id, "group"))

    def merge(self, other: Findings) -> None:
        """Add the findings of another part of the same message."""
        for user in other.mentions:
            self.add_mention(user)
        self.files |= other.files
        self.unreadable += other.unreadable
        self.aliases |= other.aliases
        self.has_words = self.has_words or other.has_words


def find_labels(text: str) -> dict[str, str]:
    """The names of channels and user groups in a `text` of Slack, by id."""
    return {match[1]: match[2] for match in _LABELS.finditer(text)}


def word_set(text: str) -> set[str]:
    """The words of `text` for comparison: without case, markup and punctuation."""
    return {word.casefold() for word in _WORD.findall(text)}
