"""The scopes that each Web API method needs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SCOPES_BY_METHOD: Mapping[str, str] = MappingProxyType(
    {
        "apps.connections.open": "",  # the app-level token's connections:write
        "assistant.threads.setStatus": "chat:write",
        "auth.test": "",
        "chat.appendStream": "chat:write",
        "chat.delete": "chat:write",
        "chat.postEphemeral": "chat:write",
        "chat.postMessage": "chat:write",
        "chat.startStream": "chat:write",
        "chat.stopStream": "chat:write",
        "chat.update": "chat:write",
        "conversations.history": "channels:history,groups:history,im:history,mpim:history",
        "conversations.open": "im:write",
        "conversations.replies": "channels:history,groups:history,im:history,mpim:history",
        "files.info": "files:read",
        "users.info": "users:read",
        "views.open": "",
        "views.publish": "",
        "views.update": "",
    },
)
"""Web API method → bot scopes that it needs for our calls, comma-separated as in Slack's `needed`
field (docs/slack.md#scopes); "" if none."""
