"""One call of the Web API as its method sees it: arguments, scopes, channels, and refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.playground.slack.limits import Limits
from bot.playground.slack.records import Channel, Json, Message
from bot.playground.slack.refused import Refused
from bot.playground.slack.workspace import Workspace

_TS = re.compile(r"\d+\.\d{6}")


@dataclass(frozen=True)
class Call:
    """The arguments of one call, and what its token may do."""

    workspace: Workspace
    args: Json
    scopes: frozenset[str]
    open_socket: Callable[[], str]

    @property
    def limits(self) -> Limits:
        """Sizes in force."""
        return self.workspace.limiter.limits

    def need(self, name: str) -> Any:
        """An argument that must be there."""
        value = self.args.get(name)
        if value is None or value == "":
            raise Refused("invalid_arguments", f"missing required field: {name}")
        return value

    def text(self, name: str) -> str:
        """An optional text."""
        return str(self.args.get(name) or "")

    def flag(self, name: str) -> bool:
        """An optional boolean, in any of the spellings forms have for it."""
        return self.args.get(name) in (True, 1, "1", "true", "True")

    def number(self, name: str, default: int, most: int) -> int:
        """An optional count from 1; more than `most` is taken for `most`, as Slack does."""
        given = self.args.get(name) or default
        if not str(given).isdecimal():
            raise Refused("invalid_limit")
        return min(int(given), most)

    def ts(self, name: str, error: str = "invalid_ts") -> str:
        """An optional timestamp, "" when it was not given."""
        given = self.text(name)
        if given and given != "0" and not _TS.fullmatch(given):
            raise Refused(error)
        return given

    def require(self, scope: str) -> None:
        """Raise `Refused("missing_scope")` unless the token has `scope`."""
        if scope not in self.scopes:
            provided = ",".join(sorted(self.scopes))
            raise Refused("missing_scope", needed=scope, provided=provided)

    def channel(self, name: str = "channel") -> Channel:
        """The channel named by ID; a private one the bot is not in does not exist for it."""
        given = str(self.need(name))
        channel = self.workspace.channel(given)
        if channel.kind != "channel" and self.workspace.bot.id not in channel.members:
            raise Refused("channel_not_found")
        return channel

    def member(self, name: str = "channel") -> Channel:
        """The channel, where only a member may do this."""
        channel = self.channel(name)
        if self.workspace.bot.id not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def readable(self) -> Channel:
        """The channel, to be read: with the scope for its kind, and as a member."""
        channel = self.channel()
        self.require(f"{channel.plural}:history")
        return self.member()

    def own_message(self, channel: Channel, error: str) -> Message:
        """The bot's message `ts`. Raises `message_not_found`, or `error` if it is another's."""
        found = self.workspace.message(channel.id, str(self.need("ts")))
        if found is None or found.subtype == "tombstone":
            raise Refused("message_not_found")
        if found.bot_id != self.workspace.bot.bot_id:
            raise Refused(error)
        return found

    def thread(self, channel: Channel) -> str | None:
        """The root's `ts` for an optional `thread_ts`, which may be that of a reply."""
        given = self.ts("thread_ts", "invalid_thread_ts")
        if not given:
            return None
        root = self.workspace.root_of(channel.id, given)
        if root is None:
            raise Refused("thread_not_found")
        return root.ts

    def landing(self, channel: Channel) -> str | None:
        """The thread a message ends up in: one whose root is gone is ignored, as Slack does."""
        given = self.ts("thread_ts", "invalid_thread_ts")
        root = self.workspace.root_of(channel.id, given) if given else None
        return root.ts if root else None

    def metadata(self) -> Json | None:
        """The optional `metadata`, checked; {} clears it."""
        given = self.args.get("metadata")
        if given in (None, "", {}):
            return None
        fits = isinstance(given, dict) and isinstance(given.get("event_type"), str)
        if not fits or not isinstance(given.get("event_payload"), dict):
            raise Refused("invalid_metadata_format")
        return dict(given)


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Web API: what it does, and what its token needs.

    Methods that read take a query or a form; a JSON body is not looked at
    (https://docs.slack.dev/apis/web-api#methods_supporting_json).
    """

    run: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    token: Literal["bot", "app"] = "bot"
    writes: bool = False
    reads_json: bool = True


Methods = Mapping[str, Method]

_STRUCTURED = frozenset(
    {"blocks", "attachments", "metadata", "view", "chunks", "prompts", "loading_messages"},
)


def structured(args: Mapping[str, Any]) -> Json:
    """The arguments of a form, those decoded that carry JSON as text."""
    return {
        name: _decoded(name, value)
        if name in _STRUCTURED and isinstance(value, str) and value
        else value
        for name, value in args.items()
    }


def _decoded(name: str, value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        code = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}
        raise Refused(code.get(name, "invalid_arguments"), f"{name} is not JSON") from None
