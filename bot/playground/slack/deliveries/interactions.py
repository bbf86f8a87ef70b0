"""Payloads of commands, shortcuts, presses and submissions, as Slack sends them. Pure.

Shapes as in the recorded payloads (https://docs.slack.dev/reference/interaction-payloads).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.playground.slack.records import APP, TEAM, Channel, Json, User

_CHOICES = frozenset({"static_select", "overflow", "radio_buttons"})
_PICKS: Mapping[str, str] = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}


def command(
    name: str, text: str, user: User, channel: Channel, *, response_url: str, trigger_id: str
) -> Json:
    """The form of a slash command; it names no message and no thread."""
    return {
        "token": "playground",
        "team_id": TEAM,
        "team_domain": "playground",
        "channel_id": channel.id,
        "channel_name": _name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def interaction(kind: str, user: User, trigger_id: str = "") -> Json:
    """What all interactions have in common."""
    payload = {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM},
        "api_app_id": APP,
        "token": "playground",
        "team": {"id": TEAM, "domain": "playground"},
        "enterprise": None,
        "is_enterprise_install": False,
    }
    return payload | ({"trigger_id": trigger_id} if trigger_id else {})


def shortcut(
    callback_id: str,
    message: Json,
    user: User,
    channel: Channel,
    *,
    response_url: str,
    trigger_id: str,
    action_ts: str,
) -> Json:
    """A shortcut on a message, which comes whole, also to an app that may not read the channel."""
    return interaction("message_action", user, trigger_id) | {
        "action_ts": action_ts,
        "callback_id": callback_id,
        "channel": {"id": channel.id, "name": _name(channel)},
        "message_ts": message["ts"],
        "message": message,
        "response_url": response_url,
    }


def _name(channel: Channel) -> str:
    return "directmessage" if channel.kind == "im" else channel.name


def in_message(message: Json, channel: Channel, *, ephemeral: bool, response_url: str) -> Json:
    """Where something was pressed: a message. An ephemeral one is named, not shown."""
    container: Json = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    where: Json = {
        "container": container,
        "channel": {"id": channel.id, "name": _name(channel)},
        "state": {"values": {}},
        "response_url": response_url,
    }
    return where if ephemeral else where | {"message": message}


def in_view(view: Json) -> Json:
    """Where something was pressed: a modal or a home tab."""
    return {"container": {"type": "view", "view_id": view["id"]}, "view": view}


def find_element(node: Any, action_id: str) -> Json | None:
    """The interactive element with this `action_id`, however deep it lies in a block."""
    if isinstance(node, dict):
        if node.get("action_id") == action_id:
            return node
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            found = find_element(item, action_id)
            if found is not None:
                return found
    return None


def action(element: Json, block_id: str, value: Any, ts: str) -> Json:
    """One entry of `actions`: the element pressed, and what was chosen."""
    done = {
        "type": element.get("type", "button"),
        "action_id": element["action_id"],
        "block_id": block_id,
        "action_ts": ts,
    }
    if element.get("type") == "feedback_buttons":
        pressed = next(
            button
            for name in ("positive_button", "negative_button")
            if (button := element[name])["value"] == value or name == "negative_button"
        )
        return done | {"text": pressed["text"], "value": pressed["value"]}
    if element.get("type", "button") in ("button", "icon_button"):
        shown = {"text": element["text"]} if "text" in element else {}
        chosen = value if value is not None else element.get("value")
        return done | shown | ({} if chosen is None else {"value": chosen})
    return done | state_of(element, value)


def state_of(element: Json, value: Any) -> Json:
    """A plain value as the state of an element: texts, one option, several, a date."""
    kind = element.get("type", "")
    if kind in _CHOICES:
        return {"type": kind, "selected_option": _option(element, value)}
    if kind in ("checkboxes", "multi_static_select"):
        chosen = [_option(element, each) for each in value or ()]
        return {"type": kind, "selected_options": chosen}
    if kind in _PICKS:
        return {"type": kind, _PICKS[kind]: value}
    if kind.startswith("multi_") and kind.removeprefix("multi_") in _PICKS:
        return {"type": kind, f"{_PICKS[kind.removeprefix('multi_')]}s": list(value or ())}
    return {"type": kind, "value": value}


def input_values(view: Json, values: Mapping[str, Any]) -> Json:
    """`state.values` of a view from plain values by block id; what was left out is empty."""
    filled: Json = {}
    for block in view["blocks"]:
        element = block.get("element")
        if block.get("type") == "input" and element:
            state = state_of(element, values.get(block["block_id"]))
            filled[block["block_id"]] = {element.get("action_id", "input"): state}
    return filled


def _option(element: Json, value: Any) -> Json | None:
    if value is None:
        return None
    grouped = [o for group in element.get("option_groups", ()) for o in group.get("options", ())]
    for option in [*element.get("options", ()), *grouped]:
        if option.get("value") == value:
            return dict(option)
    return {"text": {"type": "plain_text", "text": str(value)}, "value": value}
