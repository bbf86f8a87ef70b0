"""Reads a whole message: its text or blocks, its attachments and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.render.incoming.attachments import EMPTY_FORWARD_NAME, attachments_text, text_or_blocks
from bot.render.incoming.blocks import UNDESCRIBED_IMAGE_NAME
from bot.render.incoming.files import GONE_FILE_NAME, UNNAMED_FILE_NAME, files_text
from bot.render.incoming.findings import Findings, find_labels
from bot.render.incoming.payload import as_string, join_lines, nesting_depth
from bot.words import Phrase

MAX_NESTING_LEVELS = 100
"""Of deeper messages only `text` is read, because reading is recursive. A forward of a forward with
nested lists has about 40 levels."""

TOO_DEEP_NAME = "what is nested too deeply"

UNNAMED_PARTS: Mapping[str, Phrase] = {
    EMPTY_FORWARD_NAME: Phrase.EMPTY_FORWARD,
    GONE_FILE_NAME: Phrase.GONE_FILE,
    UNNAMED_FILE_NAME: Phrase.UNNAMED_FILE,
    UNDESCRIBED_IMAGE_NAME: Phrase.UNDESCRIBED_IMAGE,
    TOO_DEEP_NAME: Phrase.TOO_DEEP,
}
"""Names in `ReadMessage.unreadable` of parts that have no name of their own, and what people read
for them. The names are stored with questions, so they stay when a wording changes."""


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """The visible content of a message.

    `text` is all of it as Markdown, with mentions as `<@U…>`. `mentions` are the ids of users that
    Slack marked as mentioned, each once, at most `findings.MAX_MENTIONS`; a `<@U…>` that was typed
    by hand is not among them. `files` are names and kinds of files, which `text` contains, too.
    `unreadable` are names of parts without readable text, for people: "report.pdf (PDF)", "an empty
    forwarded message". `has_words` is False if `text` has only mentions and such names.
    """

    text: str
    mentions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    has_words: bool = False


def read_message(message: Mapping[str, Any]) -> ReadMessage:
    """Read a message from an event or from the Web API. Never raises."""
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
    """The text of a message, for searching."""
    return read_message(message).text
