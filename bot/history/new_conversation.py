"""How a person begins a new conversation in a direct message. Pure.

The moment is read from Slack's own messages, so that it holds over restarts and on every replica:
either the person's message that says so, or ours after *New conversation* was chosen in the menu.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.values import Question

NEW_CONVERSATION_EVENT_TYPE = "llm_new_conversation"
"""The `event_type` in the metadata of our message that a new conversation begins with it."""

NEW_CONVERSATION_REPLY = "New conversation: what we wrote before is not used from here on."
"""What the person reads who has asked for one."""

EARLIER_USED_REMARK = "Goes on from our earlier messages · write “new conversation” to start afresh"
"""The line under an answer that earlier messages were used for."""

_NEW_CONVERSATION_TEXT = re.compile(
    r"\s*(?:/new|new conversation|new chat|新对话|新對話|新会话|新會話)[\s.!。!]*", re.IGNORECASE
)


def is_new_conversation_text(text: str) -> bool:
    """Whether a message asks for a new conversation and for nothing else."""
    return _NEW_CONVERSATION_TEXT.fullmatch(text) is not None


def asks_for_new_conversation(question: Question) -> bool:
    """Whether a question does, where there is one conversation: in direct messages."""
    in_a_dm = question.place.surface == "dm" and question.ts is not None
    return in_a_dm and not question.files and is_new_conversation_text(question.text)


def new_conversation_metadata() -> dict[str, Any]:
    """Return the metadata of our message that begins a new conversation."""
    return {"event_type": NEW_CONVERSATION_EVENT_TYPE, "event_payload": {}}


def starts_new_conversation(stored: Mapping[str, Any], text: str, bot_user: str) -> bool:
    """Whether a stored message with this text begins a new conversation."""
    if stored.get("user") == bot_user:
        return (stored.get("metadata") or {}).get("event_type") == NEW_CONVERSATION_EVENT_TYPE
    return not stored.get("bot_id") and is_new_conversation_text(text)
