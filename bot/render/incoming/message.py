"""A whole message, once: its text or blocks, its attachments, its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.render.incoming.attachments import EMPTY_FORWARD_NAME, attachments_text, text_or_blocks
from bot.render.incoming.blocks import UNDESCRIBED_IMAGE_NAME
from bot.render.incoming.files import GONE_FILE_NAME, files_text
from bot.render.incoming.findings import Findings, find_labels
from bot.render.incoming.payload import as_string, join_lines, nesting_depth

MAX_NESTING_LEVELS = 100
"""Levels of nesting that are read. A forward of a forward with nested lists has about 40, and
reading recurses, so what is deeper must not reach it."""

TOO_DEEP_NAME = "what is nested too deeply"

UNNAMED_PARTS = frozenset(
    {EMPTY_FORWARD_NAME, GONE_FILE_NAME, UNDESCRIBED_IMAGE_NAME, TOO_DEEP_NAME}
)
"""What `ReadMessage.unreadable` says of things that have no name."""


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """What a person sees in a message.

    `text` is all of it, in markdown, with the users that Slack marked as mentioned as `<@U…>`;
    `mentions` are their ids, each once, at most `findings.MOST_MENTIONS`. The same form typed by
    hand is in `text` too, but not in `mentions`. `files` are the names and kinds of files, which
    `text` holds as well. `unreadable` names what is there without words we can read, to be said
    to a reader: "report.pdf (PDF)", "an empty forwarded message". `has_words` is False where
    `text` holds nothing but mentions and names of such things.
    """

    text: str
    mentions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    has_words: bool = False


def read_message(message: Mapping[str, Any]) -> ReadMessage:
    """Read a message as events and Slack's history give it. Never raises."""
    text = as_string(message.get("text"))
    findings = Findings(labels=find_labels(text))
    if nesting_depth(message, MAX_NESTING_LEVELS) >= MAX_NESTING_LEVELS:
        message = {"text": text}
        findings.unreadable.append(TOO_DEEP_NAME)
    shown = join_lines(
        [
            text_or_blocks(text, message.get("blocks"), findings),
            attachments_text(message.get("attachments"), findings),
            files_text(message.get("files"), findings),
        ],
        "\n\n",
    )
    return ReadMessage(
        shown.strip(),
        tuple(findings.mentions),
        tuple(findings.files.values()),
        tuple(dict.fromkeys(findings.unreadable)),
        findings.has_words,
    )


def message_text(message: Mapping[str, Any]) -> str:
    """Return all the words of a message, for searching."""
    return read_message(message).text
