"""Recognises events about messages that the bot writes itself. Pure.

An app that is subscribed to the messages of channels gets an event for each of its own posts and
edits (docs/slack.md#event-quota). No listener does anything with these.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.listeners.payloads.addressing import BotIdentifiers, Payload, is_ours


def is_own_write(body: Payload, us: BotIdentifiers) -> bool:
    """Whether an event says that we posted or edited a message.

    False for messages of ours that somebody deleted: listeners act on these. Such a message is a
    tombstone if it has replies.
    """
    event = body.get("event") or {}
    match event:
        case {"type": "message", "subtype": "message_changed", "message": Mapping() as now}:
            return now.get("subtype") != "tombstone" and is_ours(now, us)
        case {"type": "message", "subtype": "message_deleted" | "message_replied"}:
            return False
        case {"type": "message"}:
            return is_ours(event, us)
    return False
