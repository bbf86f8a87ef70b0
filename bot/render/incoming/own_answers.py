"""Reads our own answers as the Markdown they were.

A message of an answer has a line that says who asked, one markdown block, a status line and buttons
(`render_messages`). Slack may return the Markdown as several blocks of other kinds
(docs/slack.md#markdown): rich_text, headers, tables, dividers, images.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.render.incoming.blocks import block_text, text_object
from bot.render.incoming.findings import Findings
from bot.render.incoming.payload import Payload, as_string, join_lines, mapping_items, nesting_depth
from bot.render.message import ASKED_BLOCK_ID
from bot.render.safety.edits import ZERO_WIDTH_SPACE

_LEADING_MENTION = re.compile(r"<@([UW][A-Z0-9]+)")
_MAX_NESTING_LEVELS = 100  # as for any other message
# What the model did not write: buttons, and the steps Slack shows while a stream runs.
_CONTROL_BLOCK_TYPES = frozenset({"actions", "context_actions", "plan", "task_card"})


def answer_text(message: Mapping[str, Any]) -> str:
    """The model's text in a message of ours; "" for a placeholder or a notice."""
    if nesting_depth(message, _MAX_NESTING_LEVELS) >= _MAX_NESTING_LEVELS:
        return ""
    findings = Findings()
    blocks = _answer_blocks(mapping_items(message.get("blocks")))
    text = join_lines((_markdown(block, findings) for block in blocks), "\n\n")
    return text.replace(ZERO_WIDTH_SPACE, "").strip()


def read_asked_line(message: Mapping[str, Any]) -> tuple[str, str] | None:
    """The asker and the question in the line above an answer; None if it has no such line."""
    for block in mapping_items(message.get("blocks")):
        match block:
            case {"block_id": str(name), "elements": [{"text": str(who)}, {"text": str(what)}]} if (
                name == ASKED_BLOCK_ID and (asker := _LEADING_MENTION.match(who))
            ):
                return asker[1], html.unescape(what).replace(ZERO_WIDTH_SPACE, "")
    return None


def _answer_blocks(blocks: Sequence[Payload]) -> list[Payload]:
    """The blocks of the answer itself, without the lines above and below it."""
    written = [
        block
        for block in blocks
        if as_string(block.get("type")) not in _CONTROL_BLOCK_TYPES
        and block.get("block_id") != ASKED_BLOCK_ID
        and not _is_notice(block)
    ]
    while written and written[-1].get("type") == "context":
        written.pop()
    return written


def _is_notice(block: Payload) -> bool:
    """Whether a block is the sentence that is shown in place of an empty answer."""
    match block:
        case {"type": "section", "text": {"type": "plain_text"}}:
            return True
    return False


def _markdown(block: Payload, findings: Findings) -> str:
    match block.get("type"):
        case "divider":
            return "---"
        case "image":
            alt = as_string(block.get("alt_text")) or text_object(block.get("title"), findings)
            return f"![{alt}]({as_string(block.get('image_url'))})"
    return block_text(block, findings)
