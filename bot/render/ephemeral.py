"""What an asker alone sees: the note that acknowledges a command, and a private answer. Pure.

A private message holds all that Slack lets us send in one; the rest of a longer answer stands
elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.render.buttons import BLOCK, Element, note_buttons
from bot.render.message import Body

WRITING = "Writing… Your answer will stand below when it is complete."
MORE_IN_DM = "The rest of this answer is in our direct messages."


def note(turn: str, line: str = WRITING, buttons: Sequence[Element] | None = None) -> Body:
    """Return the note that stands until the answer does: a line of ours and its buttons."""
    return with_buttons(remark(line), turn, note_buttons() if buttons is None else buttons)


def with_buttons(body: Body, turn: str, buttons: Sequence[Element]) -> Body:
    """Return a message with buttons under it that are about this turn."""
    row = {"type": "actions", "block_id": f"{BLOCK}{turn}", "elements": list(buttons)}
    return _body(body.text, [*_blocks(body), row])


def remark(line: str) -> Body:
    """Return a message that is one line of ours."""
    return _body(line, [_line(line)])


def single(parts: Sequence[Body], *lines: str) -> Body:
    """Return one message for an answer of one or more: its first part, how the whole stands, lines
    of ours, and its buttons."""
    first, last = _blocks(parts[0]), _blocks(parts[-1])
    if len(parts) > 1:
        first += [block for block in last if block["type"] != "markdown"]
    content = [block for block in first if block["type"] != "actions"]
    buttons = [block for block in first if block["type"] == "actions"]
    return _body(parts[0].text, [*content, *map(_line, lines), *buttons])


def acknowledged(body: Body) -> Mapping[str, Any]:
    """Return what a command is acknowledged with to show this message."""
    return {"response_type": "ephemeral"} | _content(body)


def added(body: Body) -> Mapping[str, Any]:
    """Return what a `response_url` is sent to add this message."""
    return {"response_type": "ephemeral", "replace_original": False} | _content(body)


def replaced(body: Body) -> Mapping[str, Any]:
    """Return what a press's `response_url` is sent to put this in place of what was pressed."""
    return {"response_type": "ephemeral", "replace_original": True} | _content(body)


DELETED: Mapping[str, Any] = {"delete_original": True}
"""What a press's `response_url` is sent to take away what was pressed."""


def _content(body: Body) -> dict[str, Any]:
    return {"text": body.text, "blocks": _blocks(body)}


def _line(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "plain_text", "text": text}]}


def _blocks(body: Body) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = json.loads(body.blocks)
    return blocks


def _body(text: str, blocks: Sequence[Mapping[str, Any]]) -> Body:
    return Body(text, json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
