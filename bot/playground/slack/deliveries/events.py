"""Events API bodies, and which events a message gives rise to. Pure.

Shapes as in the recorded payloads; rules: docs/slack.md#events. What of this an app receives is
decided by its subscriptions: each delivery carries the name it is subscribed under.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.playground.slack.records import APP, TEAM, Channel, Json, Message, User

DeliveryKind = Literal["events_api", "slash_commands", "interactive"]


def _ignore(_: Any) -> None:
    """Nobody waits for this acknowledgement."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing to be brought to the app.

    `name` is what it is subscribed under (`app_mention`, `message.im`), or the command, or the
    type of the interaction. `acked` receives the payload of the acknowledgement ({} when there
    was none), `failed` the error Slack would show the person.
    """

    kind: DeliveryKind
    name: str
    body: Json
    acked: Callable[[Json], None] = _ignore
    failed: Callable[[str], None] = _ignore


def delivery(name: str, event: Json, bot: User) -> Delivery:
    """An event in the body all events share, under an `event_id` of its own."""
    event_id = "Ev" + uuid.uuid4().hex[:9].upper()
    body = {
        "token": "playground",
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(float(event["event_ts"])),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": bot.id,
                "is_bot": True,
                "is_enterprise_install": False,
            },
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }
    return Delivery("events_api", name, body)


def of_message(message: Message, root: Message | None, channel: Channel, bot: User) -> list[Json]:
    """The events of a new message: `message`, and `app_mention` where the bot was named.

    Both carry the same `ts`. A mention brings no files, is not sent for direct messages, nor for
    what the bot itself writes.
    """
    event = message.as_slack(metadata=True) | {"channel": channel.id, "event_ts": message.ts}
    if root is not None and message.is_reply:
        event["parent_user_id"] = root.user or ""
    events = [event | {"channel_type": channel.type}]
    named = f"<@{bot.id}" in message.text and message.user != bot.id
    if named and channel.kind != "im" and message.bot_id != bot.bot_id:
        hidden = {"files", "upload", "subtype"}
        mention = {name: value for name, value in event.items() if name not in hidden}
        events.append(mention | {"type": "app_mention"})
    return events


def of_change(before: Json, after: Json, channel: Channel, ts: str) -> Json:
    """A message was edited."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": after,
        "previous_message": before,
        "channel": channel.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.type,
    }


def of_deletion(before: Json, channel: Channel, ts: str) -> Json:
    """A message was deleted."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": before,
        "channel": channel.id,
        "hidden": True,
        "deleted_ts": before["ts"],
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.type,
    }


def of_home(user: str, dm: str, tab: str, view: Json | None, ts: str) -> Json:
    """Somebody opened a tab of the app's home."""
    event = {"type": "app_home_opened", "user": user, "channel": dm, "tab": tab, "event_ts": ts}
    return event | ({"view": view} if view and tab == "home" else {})


def of_joining(user: User, inviter: str, channel: Channel, ts: str) -> Json:
    """Somebody was brought into a channel."""
    return {
        "type": "member_joined_channel",
        "user": user.id,
        "channel": channel.id,
        "channel_type": "G" if channel.kind == "private" else "C",
        "team": TEAM,
        "inviter": inviter,
        "event_ts": ts,
    }


def of_stop(user: str, channel: str, thread_ts: str, streams: list[str], ts: str) -> Json:
    """Somebody pressed Slack's own Stop while the app was at work in a thread."""
    return {
        "type": "agent_session_stopped",
        "user": user,
        "channel": channel,
        "thread_ts": thread_ts,
        "streaming_message_ts": streams,
        "event_ts": ts,
    }


def subscription(event: Json, channel: Channel) -> str:
    """The name an event of a channel is subscribed under."""
    kind = str(event["type"])
    return f"message.{channel.plural}" if kind == "message" else kind
