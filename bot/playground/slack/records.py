"""The things of a workspace (people, channels, messages) and their form in Slack's JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Json: TypeAlias = dict[str, Any]
Kind = Literal["channel", "private", "im"]

TEAM = "T0PLAYGRND"
APP = "A0000000BOT"


@dataclass(frozen=True, slots=True)
class User:
    """A person, or the bot's own user when `bot_id` is set."""

    id: str
    name: str
    real_name: str
    bot_id: str | None = None
    locale: str = "en-US"  # of the person's Slack: an IETF language tag

    def as_slack(self) -> Json:
        """As `users.info` gives it, without the locale."""
        profile: Json = {
            "real_name": self.real_name,
            "display_name": self.name,
            "real_name_normalized": self.real_name,
            "display_name_normalized": self.name,
            "team": TEAM,
        }
        if self.bot_id:
            profile |= {"bot_id": self.bot_id, "api_app_id": APP, "always_active": True}
        return {
            "id": self.id,
            "team_id": TEAM,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": False,
            "is_bot": self.bot_id is not None,
            "is_app_user": False,
            "is_restricted": False,
            "tz": "Etc/UTC",
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "profile": profile,
        }


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, a private channel, or (`im`) the direct messages of one person with the bot."""

    id: str
    name: str
    kind: Kind
    members: frozenset[str]

    @property
    def type(self) -> str:
        """`channel_type` of message events."""
        return {"channel": "channel", "private": "group", "im": "im"}[self.kind]

    @property
    def plural(self) -> str:
        """The kind in names of scopes and events: `channels:history`, `message.groups`."""
        return {"channel": "channels", "private": "groups", "im": "im"}[self.kind]

    def as_slack(self, me: str) -> Json:
        """As `conversations.info` gives it to the member or non-member `me`."""
        record: Json = {
            "id": self.id,
            "created": 1_760_000_000,
            "is_archived": False,
            "is_im": self.kind == "im",
            "is_org_shared": False,
            "context_team_id": TEAM,
        }
        if self.kind == "im":
            return record | {"user": next(iter(self.members - {me}), me), "is_open": True}
        return record | {
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "private",
            "is_mpim": False,
            "is_private": self.kind == "private",
            "is_general": self.name == "general",
            "is_shared": False,
            "is_ext_shared": False,
            "is_member": me in self.members,
            "num_members": len(self.members),
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


@dataclass(frozen=True, slots=True)
class Message:
    """One message; an edit makes a new value under the same `ts`.

    `only_for` names the one person who sees an ephemeral message. `stream` is the state of a
    natively streamed one: `in_progress`, `completed`, `errored`, or `stopped` by its reader.
    """

    ts: str
    channel: str
    user: str | None
    text: str
    blocks: tuple[Json, ...] = ()
    thread_ts: str | None = None
    bot_id: str | None = None
    subtype: str | None = None
    client_msg_id: str | None = None
    files: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    metadata: Json | None = None
    edited: Json | None = None
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    only_for: str | None = None
    stream: str | None = None

    @property
    def is_reply(self) -> bool:
        """It stands in a thread and is not its root."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    def as_slack(self, *, metadata: bool = False) -> Json:
        """As history and events give it, without what belongs to its thread."""
        record: Json = {"type": "message", "ts": self.ts, "text": self.text, "team": TEAM}
        record |= {name: value for name, value in self._optional().items() if value}
        if metadata and self.metadata:
            record["metadata"] = self.metadata
        return record

    def _optional(self) -> Json:
        return {
            "subtype": self.subtype,
            "user": self.user,
            "client_msg_id": self.client_msg_id,
            "bot_id": self.bot_id,
            "app_id": APP if self.bot_id else None,
            "blocks": list(self.blocks),
            "attachments": list(self.attachments),
            "files": list(self.files),
            "upload": False,
            "thread_ts": self.thread_ts,
            "edited": self.edited,
            "reactions": [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in self.reactions
            ],
            "streaming_state": "completed" if self.stream == "stopped" else self.stream,
            "is_ephemeral": self.only_for is not None,
        }
