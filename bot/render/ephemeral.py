"""Ephemeral messages: the acknowledgement of a command, and answers that only the asker sees. Pure.

An ephemeral answer is one message. The rest of a longer answer is posted in the direct message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.render.buttons import BUTTONS_BLOCK_PREFIX, Element, ack_buttons
from bot.render.feedback import BLOCK_TYPE
from bot.render.message import MessageBody
from bot.words import Language, Phrase, say

_BUTTON_BLOCK_TYPES = frozenset({"actions", BLOCK_TYPE})


def ephemeral_ack(
    turn_id: str,
    language: Language,
    line: Phrase = Phrase.ANSWER_WILL_FOLLOW,
    buttons: Sequence[Element] | None = None,
) -> MessageBody:
    """The message that acknowledges a command: a line and its buttons."""
    row = ack_buttons(language) if buttons is None else buttons
    return with_buttons(one_line_message(say(language, line)), turn_id, row)


def with_buttons(body: MessageBody, turn_id: str, buttons: Sequence[Element]) -> MessageBody:
    """A message with buttons for this turn below it."""
    row = {
        "type": "actions",
        "block_id": f"{BUTTONS_BLOCK_PREFIX}{turn_id}",
        "elements": list(buttons),
    }
    return _make_body(body.text, [*_blocks(body), row])


def one_line_message(line: str) -> MessageBody:
    """A message of one line."""
    return _make_body(line, [_line_block(line)])


def combined_message(parts: Sequence[MessageBody], *lines: str) -> MessageBody:
    """Combine the messages of an answer into one: its first text, the footer of the last message,
    `lines`, and the buttons. The text of the other messages is left out."""
    first, last = _blocks(parts[0]), _blocks(parts[-1])
    if len(parts) > 1:
        first += [block for block in last if block["type"] != "markdown"]
    content = [block for block in first if block["type"] not in _BUTTON_BLOCK_TYPES]
    buttons = [block for block in first if block["type"] in _BUTTON_BLOCK_TYPES]
    return _make_body(parts[0].text, [*content, *map(_line_block, lines), *buttons])


def ack_payload(body: MessageBody) -> Mapping[str, Any]:
    """The payload of an acknowledgement that shows this message."""
    return {"response_type": "ephemeral"} | _body_payload(body)


def new_message_payload(body: MessageBody, thread_ts: str | None = None) -> Mapping[str, Any]:
    """The payload for a `response_url` that posts this message, in a thread if one is given."""
    return in_thread_payload(
        {"response_type": "ephemeral", "replace_original": False} | _body_payload(body), thread_ts
    )


def in_thread_payload(payload: Mapping[str, Any], thread_ts: str | None) -> Mapping[str, Any]:
    """The payload for a `response_url` that posts its message in a thread, if one is given
    (https://docs.slack.dev/interactivity/handling-user-interaction#publishing_in_thread)."""
    return {**payload, "thread_ts": thread_ts} if thread_ts else payload


def replacement_payload(body: MessageBody) -> Mapping[str, Any]:
    """The payload for a press's `response_url` that replaces the pressed message."""
    return {"response_type": "ephemeral", "replace_original": True} | _body_payload(body)


DELETE_PAYLOAD: Mapping[str, Any] = {"delete_original": True}
"""The payload for a press's `response_url` that deletes the pressed message."""


def _body_payload(body: MessageBody) -> dict[str, Any]:
    return {"text": body.text, "blocks": _blocks(body)}


def _line_block(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "plain_text", "text": text}]}


def _blocks(body: MessageBody) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = json.loads(body.blocks)
    return blocks


def _make_body(text: str, blocks: Sequence[Mapping[str, Any]]) -> MessageBody:
    return MessageBody(text, json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))
