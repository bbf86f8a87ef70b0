"""Builds the Slack app manifest, with exactly the scopes that the bot needs. Pure.

The scopes follow from the Web API methods that are called (`SCOPES_BY_METHOD`), the events that
have listeners (`EVENT_SCOPES`) and the features that are enabled (`FEATURE_SCOPES`).

Schema and limits: https://github.com/slackapi/manifest-schema, version 2 (docs/slack.md#manifest).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from bot.render.shortcuts import ASK_ABOUT_SHORTCUT, SUMMARISE_SHORTCUT
from bot.slack import SCOPES_BY_METHOD

EVENT_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "agent_session_stopped": "",
        "app_home_opened": "",
        "app_mention": "app_mentions:read",
        "message.channels": "channels:history",
        "message.groups": "groups:history",
        "message.im": "im:history",
        "message.mpim": "mpim:history",
    },
)
"""Event that the bot subscribes to → bot scope that it needs; "" if none."""

CHANNEL_MESSAGE_EVENTS = frozenset({"message.channels", "message.groups", "message.mpim"})
"""The events of all messages in a channel: needed for follow-ups, and to learn that a question
there was edited or deleted."""

FEATURE_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "agent_view": "assistant:write",  # https://docs.slack.dev/ai/developing-agents
        "shortcuts": "commands",
        "slash_commands": "commands",
    },
)
"""Feature of the manifest → bot scope that it needs."""

MESSAGE_SHORTCUTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        ASK_ABOUT_SHORTCUT: ("Ask about this", "Ask a question about this message"),
        SUMMARISE_SHORTCUT: ("Summarise thread", "Show me a summary of this message's thread"),
    },
)
"""The `callback_id` of each shortcut on a message, with its name and description. A name has at
most 24 characters (docs/slack.md#manifest)."""

IS_INTERACTIVE = True
"""Whether there are listeners for button presses, modals and shortcuts."""

EVENTS_PATH = "/slack/events"
"""The path to which Slack sends events, commands and actions in HTTP mode."""

EXAMPLE_URL = "https://bot.example.com"
"""Placeholder in a manifest for HTTP mode; the operator replaces it by the bot's URL."""

DESCRIPTION = "Ask a language model; the answer appears as it is written."
AGENT_DESCRIPTION = (
    "Ask anything, here or by a mention in a channel. Answers come from a language model: "
    "check what matters."
)
SUGGESTED_PROMPTS: tuple[tuple[str, str], ...] = (
    ("What can you do?", "What can you help me with, and how do I ask you in a channel?"),
    ("Explain something", "Explain how HTTPS keeps a connection private, in five sentences."),
    ("Draft a message", "Draft a short message that moves our Monday meeting to Tuesday at ten."),
)


def build_manifest(
    *,
    command: str,
    socket_mode: bool,
    url: str | None = None,
    name: str = "Bot",
    follow_ups: bool = True,
) -> dict[str, Any]:
    """The manifest of an app that receives events by Socket Mode, or over HTTP at `url`.

    `url` is the bot's public URL without a path; Socket Mode needs none. `name` is the name that
    people mention, at most 35 characters. Without `follow_ups` it asks for no messages of channels.
    """
    address = None if socket_mode else f"{(url or EXAMPLE_URL).rstrip('/')}{EVENTS_PATH}"
    return {
        "display_information": {"name": name, "description": DESCRIPTION},
        "features": _features(command, address, name),
        "oauth_config": {"scopes": {"bot": sorted(bot_scopes())}},
        "settings": _settings(address, follow_ups),
    }


def bot_scopes() -> frozenset[str]:
    """All scopes that the bot token needs."""
    return frozenset(_iter_scopes())


def _iter_scopes() -> Iterator[str]:
    for table in (SCOPES_BY_METHOD, EVENT_SCOPES, FEATURE_SCOPES):
        for scopes in table.values():
            yield from filter(None, scopes.split(","))


def _features(command: str, address: str | None, name: str) -> dict[str, Any]:
    slash_command = {
        "command": command,
        **({"url": address} if address else {}),
        "description": "Ask privately; add #public to answer for everyone",
        "usage_hint": "[question]",
        "should_escape": True,
    }
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": name, "always_online": True},
        "agent_view": {
            "agent_description": AGENT_DESCRIPTION,
            "suggested_prompts": [{"title": t, "message": m} for t, m in SUGGESTED_PROMPTS],
        },
        "slash_commands": [slash_command],
        "shortcuts": [
            {"name": name, "type": "message", "callback_id": callback, "description": description}
            for callback, (name, description) in MESSAGE_SHORTCUTS.items()
        ],
    }


def _settings(address: str | None, follow_ups: bool) -> dict[str, Any]:
    events = EVENT_SCOPES.keys() - (frozenset() if follow_ups else CHANNEL_MESSAGE_EVENTS)
    request_url = {"request_url": address} if address else {}
    interactivity = request_url if IS_INTERACTIVE else {}
    return {
        "event_subscriptions": {**request_url, "bot_events": sorted(events)},
        "interactivity": {"is_enabled": IS_INTERACTIVE, **interactivity},
        "org_deploy_enabled": False,
        "socket_mode_enabled": address is None,
        "token_rotation_enabled": False,
    }
