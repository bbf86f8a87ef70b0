"""A whole message, once: its text or blocks, its attachments, its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.render.incoming.attachments import EMPTY_FORWARD, attachments_text, text_or_blocks
from bot.render.incoming.blocks import NO_DESCRIPTION
from bot.render.incoming.files import GONE, files_text
from bot.render.incoming.findings import Findings, labels_in
from bot.render.incoming.payload import depth, lines, string

DEEPEST = 100
"""Levels of nesting that are read. A forward of a forward with nested lists has about 40, and
reading recurses, so what is deeper must not reach it."""

TOO_DEEP = "what is nested too deeply"

WITHOUT_NAME = frozenset({EMPTY_FORWARD, GONE, NO_DESCRIPTION, TOO_DEEP})
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
    text = string(message.get("text"))
    findings = Findings(labels=labels_in(text))
    if depth(message, DEEPEST) >= DEEPEST:
        message = {"text": text}
        findings.unreadable.append(TOO_DEEP)
    shown = lines(
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
