"""What an asker alone sees: the note that acknowledges a command, and a private answer. Pure.

A private message holds all that Slack lets us send in one; the rest of a longer answer stands
elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.render.buttons import BUTTONS_BLOCK_PREFIX, Element, ack_buttons
from bot.render.message import MessageBody

WRITING_TEXT = "Writing… Your answer will stand below when it is complete."
MORE_IN_DM_TEXT = "The rest of this answer is in our direct messages."


def ephemeral_ack(
    turn_id: str, line: str = WRITING_TEXT, buttons: Sequence[Element] | None = None
) -> MessageBody:
    """Return the note that stands until the answer does: a line of ours and its buttons."""
    return with_buttons(
        one_line_message(line), turn_id, ack_buttons() if buttons is None else buttons
    )


def with_buttons(body: MessageBody, turn_id: str, buttons: Sequence[Element]) -> MessageBody:
    """Return a message with buttons under it that are about this turn."""
    row = {
        "type": "actions",
        "block_id": f"{BUTTONS_BLOCK_PREFIX}{turn_id}",
        "elements": list(buttons),
    }
    return _make_body(body.text, [*_blocks(body), row])


def one_line_message(line: str) -> MessageBody:
    """Return a message that is one line of ours."""
    return _make_body(line, [_line_block(line)])


def combined_message(parts: Sequence[MessageBody], *lines: str) -> MessageBody:
    """Return one message for an answer of one or more: its first part, how the whole stands, lines
    of ours, and its buttons."""
    first, last = _blocks(parts[0]), _blocks(parts[-1])
    if len(parts) > 1:
        first += [block for block in last if block["type"] != "markdown"]
    content = [block for block in first if block["type"] != "actions"]
    buttons = [block for block in first if block["type"] == "actions"]
    return _make_body(parts[0].text, [*content, *map(_line_block, lines), *buttons])


def ack_payload(body: MessageBody) -> Mapping[str, Any]:
    """Return what a command is acknowledged with to show this message."""
    return {"response_type": "ephemeral"} | _body_payload(body)


def new_message_payload(body: MessageBody) -> Mapping[str, Any]:
    """Return what a `response_url` is sent to add this message."""
    return {"response_type": "ephemeral", "replace_original": False} | _body_payload(body)


def replacement_payload(body: MessageBody) -> Mapping[str, Any]:
    """Return what a press's `response_url` is sent to put this in place of what was pressed."""
    return {"response_type": "ephemeral", "replace_original": True} | _body_payload(body)


DELETE_PAYLOAD: Mapping[str, Any] = {"delete_original": True}
"""What a press's `response_url` is sent to take away what was pressed."""


def _body_payload(body: MessageBody) -> dict[str, Any]:
    return {"text": body.text, "blocks": _blocks(body)}


def _line_block(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "plain_text", "text": text}]}


def _blocks(body: MessageBody) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = json.loads(body.blocks)
    return blocks


def _make_body(text: str, blocks: Sequence[Mapping[str, Any]]) -> MessageBody:
    return MessageBody(text, json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
