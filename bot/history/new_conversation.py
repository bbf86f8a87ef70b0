"""How a person starts a new conversation in a direct message. Pure.

Nothing is stored: the start is recognised in Slack's messages, also after a restart and by other
replicas. It is a message of the person with one of the phrases below, or our message after the
person chose *New conversation* in the menu.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.values import Question

NEW_CONVERSATION_EVENT_TYPE = "llm_new_conversation"
"""The metadata's `event_type` of our message that starts a new conversation."""

_NEW_CONVERSATION_TEXT = re.compile(
    r"\s*(?:/new|new conversation|new chat|新对话|新對話|新会话|新會話)[\s.!。!]*", re.IGNORECASE
)


def is_new_conversation_text(text: str) -> bool:
    """Whether a text starts a new conversation and asks nothing else."""
    return _NEW_CONVERSATION_TEXT.fullmatch(text) is not None


def asks_for_new_conversation(question: Question) -> bool:
    """Whether a question in a direct message starts a new conversation."""
    in_a_dm = question.place.surface == "dm" and question.ts is not None
    return in_a_dm and not question.files and is_new_conversation_text(question.text)


def new_conversation_metadata() -> dict[str, Any]:
    """The metadata of our message that starts a new conversation."""
    return {"event_type": NEW_CONVERSATION_EVENT_TYPE, "event_payload": {}}


def starts_new_conversation(stored: Mapping[str, Any], text: str, bot_user: str) -> bool:
    """Whether a message of Slack, whose text is `text`, starts a new conversation."""
    if stored.get("user") == bot_user:
        return (stored.get("metadata") or {}).get("event_type") == NEW_CONVERSATION_EVENT_TYPE
    return not stored.get("bot_id") and is_new_conversation_text(text)
