"""What is collected while a message is read, beside its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.render.incoming.payload import collapse_whitespace

MAX_MENTIONS = 20
"""Mentions kept of one message. Each costs a call to Slack, and nobody needs more of them."""

_USER_ID = re.compile(r"[UW][A-Z0-9]+")
_LABELS = re.compile(r"<(?:#|!subteam\^)([A-Z0-9]+)\|#?@?([^<>|\n]+)>")
# Chinese, Japanese and Korean characters count one by one: blanks do not part their words.
_WORD = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u9fff\uac00-\ud7af]+")


@dataclass(slots=True)
class Findings:
    """Mentions, files and unreadable things of one message, in the order they were met.

    `labels` are names of channels and user groups by id: `text` has them, blocks only have ids.
    `aliases` are the words that `text` has for what blocks write differently, such as emoji.
    `has_words` is False as long as nothing but mentions and names of files was read.
    """

    labels: dict[str, str] = field(default_factory=dict)
    mentions: dict[str, None] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    aliases: set[str] = field(default_factory=set)
    has_words: bool = False

    def note_words(self, text: str) -> str:
        """Return `text`, noting that there was something to read."""
        self.has_words = self.has_words or bool(text.strip())
        return text

    def add_mention(self, user: str) -> str:
        """Return the mention of a user whom Slack itself marked as mentioned."""
        if _USER_ID.fullmatch(user) and len(self.mentions) < MAX_MENTIONS:
            self.mentions.setdefault(user)
        return f"<@{collapse_whitespace(user)}>"

    def channel_name(self, channel_id: str) -> str:
        """Return the name of a channel by its id."""
        self.aliases |= word_set(channel_id)
        return self.note_words("#" + self.labels.get(channel_id, channel_id))

    def group_name(self, group_id: str) -> str:
        """Return the name of a user group by its id; ids without a name mean nothing to anyone."""
        self.aliases |= word_set(group_id)
        return self.note_words("@" + self.labels.get(group_id, "group"))

    def merge(self, other: Findings) -> None:
        """Take over what was found in another part of the same message."""
        for user in other.mentions:
            self.add_mention(user)
        self.files |= other.files
        self.unreadable += other.unreadable
        self.aliases |= other.aliases
        self.has_words = self.has_words or other.has_words


def find_labels(text: str) -> dict[str, str]:
    """Return the names of channels and user groups that `text`, as Slack sends it, gives."""
    return {match[1]: match[2] for match in _LABELS.finditer(text)}


def word_set(text: str) -> set[str]:
    """Return the words of `text`, for comparing: without case, markup and punctuation."""
    return {word.casefold() for word in _WORD.findall(text)}
